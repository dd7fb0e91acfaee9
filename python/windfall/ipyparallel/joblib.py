"""joblib on the engines of a view."""

from __future__ import annotations

from typing import Any

from .._cluster.joblib import register_joblib_backend as _register
from .client import Client


def register(name: str = "ipyparallel", view: Any = None, make_default: bool = False) -> None:
    """Let joblib run on engines, under a name."""

    def found() -> Any:
        return Client().load_balanced_view()

    _register(name, found if view is None else view, make_default=make_default)


def register_joblib_backend(name: str = "ipyparallel", make_default: bool = False) -> None:
    """Let `joblib.parallel_config("ipyparallel")` run on the cluster, or start one."""
    register(name, None, make_default)
