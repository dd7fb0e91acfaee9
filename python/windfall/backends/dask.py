"""Dask: orders are tasks of a scheduler, tables are scattered to all workers."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, Executor
from importlib.util import find_spec
from typing import Any

from .._errors import InputError
from .base import NONE_THERE, Backend, Future, Session, other_version
from .worker import Parcel, run, version


class Dask(Backend):
    """The workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client or its executor
        A client that waits for answers, not an asynchronous one; or `client.get_executor(…)`,
        whose choice of workers holds. Dask itself runs again what a worker had that died.
    shared_storage : bool
        See `Backend`.
    """

    mapping = "dask"

    def __init__(self, client: Any, *, shared_storage: bool = False) -> None:
        # An executor's own words: `workers`, `resources` and the like.
        self._where = dict(getattr(client, "_kwargs", {})) if is_executor(client) else {}
        client = client._client if is_executor(client) else client
        if getattr(client, "asynchronous", False) or not hasattr(client, "scatter"):
            raise InputError.with_hint(
                f"`{client!r}` is no Dask client that waits for answers",
                "on=dask.distributed.Client(...), of a cluster or of the address of a scheduler",
            )
        self.client = client
        self.workers = sum(client.nthreads(self._where.get("workers")).values())
        if self.workers < 1:
            raise InputError(f"`{client!r}` has no workers\nhint: client.wait_for_workers(1)")
        self.name = f"Dask ({client.scheduler.address})"
        self.shared_storage = shared_storage

    def open(self) -> Session:
        # A worker that cannot read an order leaves its scheduler and comes back, without end.
        found = self.client.run(find_spec, "windfall", on_error="return").values()
        if any(each is None or isinstance(each, ModuleNotFoundError) for each in found):
            raise other_version(self.name, NONE_THERE)
        return super().open()

    def share(self, parcel: Parcel) -> Any:
        # In a list: of a tuple each member would be scattered.
        return self.client.scatter([parcel], broadcast=True, hash=False)[0]

    def unshare(self, shared: Any) -> None:
        shared.release()

    def submit(self, order: bytes, shared: Any, *, is_lacking: bool) -> Future:
        where = {**self._where, "pure": False}
        future: Future = self.client.submit(run, order, shared, version(), **where)
        return future

    def losses(self) -> tuple[type[BaseException], ...]:
        from distributed import CancelledError

        return (BrokenExecutor, CancelledError)

    def revive(self, error: BaseException) -> bool:
        """Share anew: what was scattered is gone with the workers that had it."""
        return bool(self.client.status == "running")


def is_executor(client: Any) -> bool:
    """Whether it is what `client.get_executor()` returns."""
    return isinstance(client, Executor) and hasattr(client, "_client")
