"""What runs in the workers of another engine: one order for shards, and its reply."""

from __future__ import annotations

import os
import platform
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from .._core import run_order

Files: TypeAlias = list[tuple[str, os.PathLike[str], str]]


class Parcel(NamedTuple):
    """What a job reads: sent once to each worker, which keeps it by its name."""

    name: str
    packed: NDArray[np.uint8] | None
    """The tables and code that travel."""
    files: Files
    """The tables that every worker can read: name in the job, path, content hash."""


def version() -> str:
    """Return what must be the same where orders come from and where they are run."""
    return __version__


# How an order ended.
DONE, FAILED, LACKING, OTHER_VERSION = range(4)


class Reply(NamedTuple):
    """What became of an order."""

    status: int
    body: bytes
    """Partials, a failure, or the version of Windfall here."""
    seconds: float
    worker: str


def here() -> str:
    """Return which process this is."""
    return f"process {os.getpid()} on {platform.node()}"


def run(order: bytes, parcel: Parcel | None, needed: str) -> Reply:
    """Run the shards of `order`; `needed` is the version where the order comes from."""
    if needed != version():
        return Reply(OTHER_VERSION, version().encode(), 0.0, here())
    packed, files = (None, None) if parcel is None else (parcel.packed, parcel.files)
    return Reply(*run_order(order, packed, files), here())
