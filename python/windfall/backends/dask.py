"""Dask: orders are tasks of a scheduler, tables are scattered to all workers."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from typing import Any

from .. import __version__
from .._errors import InputError
from .base import Backend, Future
from .worker import Parcel, run


class Dask(Backend):
    """The workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        A client that waits for answers, not an asynchronous one. Dask itself runs again what a
        worker had that died.
    shared_storage : bool
        See `Backend`.
    """

    mapping = "dask"

    def __init__(self, client: Any, *, shared_storage: bool = False) -> None:
        if getattr(client, "asynchronous", False) or not hasattr(client, "scatter"):
            raise InputError(
                f"`{client!r}` is no Dask client that waits for answers\n"
                "hint: on=dask.distributed.Client(...)"
            )
        self.client = client
        self.workers = sum(client.nthreads().values())
        if self.workers < 1:
            raise InputError(f"`{client!r}` has no workers\nhint: client.wait_for_workers(1)")
        self.name = f"Dask ({client.scheduler.address})"
        self.shared_storage = shared_storage

    def share(self, parcel: Parcel) -> Any:
        # In a list: of a tuple each member would be scattered.
        return self.client.scatter([parcel], broadcast=True, hash=False)[0]

    def unshare(self, shared: Any) -> None:
        shared.release()

    def submit(self, order: bytes, shared: Any, *, is_lacking: bool) -> Future:
        future: Future = self.client.submit(run, order, shared, __version__, pure=False)
        return future

    def losses(self) -> tuple[type[BaseException], ...]:
        from distributed import CancelledError

        return (BrokenExecutor, CancelledError)

    def revive(self, error: BaseException) -> bool:
        """Share anew: what was scattered is gone with the workers that had it."""
        return bool(self.client.status == "running")
