"""Run on engines that are there already: Dask, Ray, Spark, joblib, pools of processes, MPI.

Every function's `on=` takes such an engine as it is: a Dask `Client` or its executor, the module
`ray` or what `ray.init()` returned, a `SparkSession` or `SparkContext`, a `joblib.Parallel`, a
`joblib.parallel_config`, a backend of joblib or the module `joblib` for what is configured, or any
`concurrent.futures.Executor`. The answer is the same bytes as on threads. The classes here are for
those who want to say more::

    dask = windfall.backends.Dask(client, shared_storage=True)
    windfall.bootstrap("law.parquet", "mean(x)", on=dask)

Nothing is imported until it is asked for, and each engine's workers need this very version.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Backend
    from .dask import Dask
    from .executor import Pool
    from .joblib import Joblib
    from .ray import Ray
    from .spark import Spark

__all__ = ["Dask", "Joblib", "Pool", "Ray", "Spark", "find"]

# Class of ours: its module, and the top-level module of what it stands for. A pool of processes is
# known by its class instead, as anybody may write one.
_HOMES = {
    "Dask": ("dask", "distributed"),
    "Joblib": ("joblib", "joblib"),
    "Ray": ("ray", "ray"),
    "Spark": ("spark", "pyspark"),
    "Pool": ("executor", None),
}


def find(on: Any) -> Backend | None:
    """Return the backend that `on` is or stands for; none if it is no engine that is known."""
    from .base import Backend

    if isinstance(on, Backend):
        return on
    name = on.__name__ if isinstance(on, ModuleType) else type(on).__module__
    top = name.split(".")[0]
    # Dask's executor stands for its client; joblib's loky is a pool like any other.
    if _is_executor(on) and top != "distributed":
        return _stands_for("Pool", on)
    for own, (_, theirs) in _HOMES.items():
        if top == theirs:
            return _stands_for(own, on)
    return None


def _stands_for(name: str, on: Any) -> Backend:
    backend: Backend = _load(name)(on)
    return backend


def _is_executor(on: Any) -> bool:
    from concurrent.futures import Executor

    return isinstance(on, Executor)


def _load(name: str) -> type[Any]:
    kind: type[Any] = getattr(import_module(f".{_HOMES[name][0]}", __name__), name)
    return kind


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return _load(name)
    if name in {home for home, _ in _HOMES.values()}:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
