"""joblib, and so scikit-learn's `n_jobs`, on the engines of a cluster."""

from __future__ import annotations

from typing import Any


def register_joblib_backend(
    name: str = "windfall", view: Any = None, *, make_default: bool = False
) -> None:
    """Let joblib run on engines: `with joblib.parallel_config("windfall"): …`.

    Parameters
    ----------
    name : str
        What joblib calls it.
    view : optional
        A load-balanced view of the engines, or a function that returns one. Without it the default
        cluster is used, or the only one that runs; if there is none, one is started for each
        parallel section.
    make_default : bool
        Whether joblib uses it where nothing else is asked for.
    """
    import joblib

    def make(**options: Any) -> Any:
        from .joblib_backend import Backend

        return Backend(view, **options)

    joblib.register_parallel_backend(name, make, make_default=make_default)
