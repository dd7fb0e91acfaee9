"""Any `concurrent.futures.Executor`: pools of threads or processes, loky's, MPI's, a cluster's."""

from __future__ import annotations

import warnings
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .base import NONE_THERE, Backend, Future, count_of, other_version
from .worker import Parcel, run, version

ALWAYS_BYTES = 64 << 10
"""A parcel up to this size goes with every order; a larger one to a worker that lacks it."""


class Pool(Backend):
    """A `concurrent.futures.Executor`.

    Parameters
    ----------
    executor : Executor
        It is not shut down. Of a pool of processes, the processes need to import Windfall.
    workers : int, optional
        How many calls it runs at once, if it does not say so itself.
    shared_storage : bool
        See `Backend`.
    """

    def __init__(
        self, executor: Executor, *, workers: int | None = None, shared_storage: bool = False
    ) -> None:
        self.executor = executor
        self.name = type(executor).__name__.lstrip("_")
        self.workers = count_of(workers, _workers(executor), f"the {self.name}")
        self.shared_storage = shared_storage
        self._is_here = isinstance(executor, ThreadPoolExecutor)
        if self._is_here:
            self.mapping = "thread-pool"
        elif type(executor).__module__.startswith("mpi4py."):
            self.mapping = "mpi-pool"
        self._own: Executor | None = None

    def submit(self, order: bytes, shared: Parcel | None, *, is_lacking: bool) -> Future:
        sent = shared if is_lacking or self._is_here or is_small(shared) else None
        return (self._own or self.executor).submit(run, order, sent, version())

    def revive(self, error: BaseException) -> bool:
        """Go on with a pool of the same kind; the one that was given stays broken."""
        again = _again(self._own or self.executor)
        if again is None:
            return False
        if not _has_windfall(again):
            _end(again)
            raise other_version(self.name, NONE_THERE) from error
        if self._own is None:
            warnings.warn(
                f"a worker of the {self.name} died, and the pool with it: its shards are run again"
                " on a new one of the same kind, which ends with this run; yours is broken",
                RuntimeWarning,
                stacklevel=2,
            )
        self.close()
        self._own = again
        return True

    def close(self) -> None:
        if self._own is not None:
            _end(self._own)
            self._own = None


def is_small(parcel: Parcel | None) -> bool:
    """Whether a parcel goes with every order."""
    return parcel is None or parcel.packed is None or parcel.packed.nbytes <= ALWAYS_BYTES


def _workers(executor: Any) -> int | None:
    """Return how many calls an executor runs at once, if it says so."""
    for name in ("num_workers", "_max_workers"):
        found = getattr(executor, name, None)
        if isinstance(found, int):
            return found
    view = getattr(executor, "view", None)  # an executor of our clusters
    if view is not None:
        return len(view)
    return None


def _end(pool: Executor) -> None:
    """End a pool of ours, of which nothing is under way any more; loky's workers would linger."""
    lingers = not isinstance(pool, ProcessPoolExecutor)
    pool.shutdown(wait=True, **({"kill_workers": True} if lingers else {}))


def _has_windfall(pool: Executor) -> bool:
    """Whether the processes of a pool find Windfall: one without dies of an order, and is mute."""
    try:
        return pool.submit(find_spec, "windfall").result() is not None
    except ModuleNotFoundError:
        return False
    except BrokenExecutor:
        return True


def _again(executor: Any) -> Executor | None:
    """Return a new pool like a broken one; none of a kind that we cannot make."""
    kind = type(executor)
    if kind is ProcessPoolExecutor:
        return ProcessPoolExecutor(
            executor._max_workers,
            executor._mp_context,
            executor._initializer,
            executor._initargs,
        )
    package = kind.__module__.rpartition(".")[0]
    if package == "loky" or package.endswith(".loky"):
        made: Executor = import_module(package).ProcessPoolExecutor(executor._max_workers)
        return made
    return None
