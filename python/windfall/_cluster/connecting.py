"""How a client finds its cluster."""

from __future__ import annotations

import time

from .. import _core
from .._errors import WindfallError
from .errors import ClusterError

DEFAULT_NAME = "default"
"""The cluster that `windfall start` starts if it is not given a name."""


def only_name() -> str:
    """Return the name of the default cluster, or of the only one that runs."""
    running = _core.clusters()
    if DEFAULT_NAME in running or len(running) != 1:
        return DEFAULT_NAME
    return running[0]


def connect(name: str, timeout_s: float) -> _core.ClientLink:
    """Connect to the cluster of that name, which may take so long to appear."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return _core.ClientLink(name)
        except WindfallError as error:
            if time.monotonic() < deadline:
                time.sleep(0.01)
                continue
            running = ", ".join(f"`{each}`" for each in _core.clusters()) or "none"
            raise ClusterError(
                f"there is no cluster `{name}` to connect to; of yours there run: {running}",
                "start one: `windfall.Cluster()` here, or `windfall start` in a shell",
            ) from error
