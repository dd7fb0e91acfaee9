"""Ray: orders are tasks, tables lie in the object store of each node."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from importlib import import_module
from typing import Any

from .._errors import InputError
from .base import Backend
from .worker import Parcel, Reply, run, version

RETRIES = 3
"""How often Ray runs an order again whose worker died."""


class Ray(Backend):
    """The cores of a Ray cluster, to which this process is connected.

    Parameters
    ----------
    ray : module or context
        The module `ray` after `ray.init()`, or what that returned.
    shared_storage : bool
        See `Backend`.
    """

    mapping = "ray"
    _run: Any = None
    """What runs an order, one for all runs: a cluster learns of each anew."""

    def __init__(self, ray: Any, *, shared_storage: bool = False) -> None:
        module: Any = import_module("ray")
        if not module.is_initialized():
            raise InputError.with_hint("Ray is not connected to a cluster", "call ray.init() first")
        if ray is not module and not hasattr(ray, "ray_version"):
            raise InputError.with_hint(
                f"`{ray!r}` is no cluster of Ray", "on=ray, or what ray.init() returned"
            )
        self._ray = module
        self.workers = max(1, int(module.cluster_resources().get("CPU", 1)))
        self.name = f"Ray ({module.get_runtime_context().gcs_address})"
        self.shared_storage = shared_storage
        Ray._run = Ray._run or module.remote(max_retries=RETRIES, num_cpus=1)(run)

    def share(self, parcel: Parcel) -> Any:
        return self._ray.put(parcel)

    def submit(self, order: bytes, shared: Any, *, is_lacking: bool) -> _Order:
        return _Order(self._ray, self._run.remote(order, shared, version()))

    def losses(self) -> tuple[type[BaseException], ...]:
        exceptions = self._ray.exceptions
        return (BrokenExecutor, exceptions.TaskCancelledError, exceptions.ObjectLostError)

    def revive(self, error: BaseException) -> bool:
        return bool(self._ray.is_initialized())


class _Order:
    """A future over a reference."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self._ray, self._reference = ray, reference
        self._future = reference.future()

    def add_done_callback(self, fn: Any) -> None:
        self._future.add_done_callback(lambda _: fn(self))

    def cancel(self) -> None:
        """Let it be: Ray would interrupt an order that runs, whose shard would seem to fail."""

    def result(self) -> Reply:
        try:
            reply: Reply = self._future.result()
        except self._ray.exceptions.RayTaskError as error:
            raise (error.cause or error) from error
        return reply
