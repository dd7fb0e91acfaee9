"""The one way that every function goes: a job, a problem, its answer as a result."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias

from .. import _core
from .._errors import InputError
from .._progress import Watcher, ticker
from .._result import IncompleteWarning, Result, result_from
from .._rng import RngLike, seed_from

Progress: TypeAlias = bool | Watcher | None

On: TypeAlias = Any
"""Where shards run: a cluster, its client, a view or its name, or an engine that
`windfall.backends` knows; threads without it."""

Checkpoint: TypeAlias = str | os.PathLike[str] | None
"""The folder that finished shards are kept in."""


class Run(NamedTuple):
    """How a problem is solved: what every function takes beside what it asks."""

    rng: RngLike = None
    workers: int | None = None
    on: On = None
    progress: Progress = None
    checkpoint: Checkpoint = None

    def seed(self) -> int:
        """Return the seed; without one that of the checkpoint, or a fresh one."""
        kept = self.kept_seed() if self.rng is None else None
        return seed_from(self.rng) if kept is None else kept

    def kept_seed(self) -> int | None:
        """Return the seed of what began the checkpoint, if it has begun."""
        folder = self.folder()
        return None if folder is None else _core.checkpoint_seed(folder)

    def folder(self) -> str | None:
        """Return the path of the checkpoint."""
        if self.checkpoint is None:
            return None
        if not isinstance(self.checkpoint, (str, os.PathLike)):
            raise InputError(
                f"`checkpoint` is `{self.checkpoint!r}`; it must be the path of a folder"
            )
        return os.fspath(self.checkpoint)


class Caught(BaseException):
    """A problem on its way to be solved: no error, and nothing that `except Exception` may stop."""

    def __init__(self, problem: _core.Problem, run: Run) -> None:
        super().__init__(problem, run)
        self.problem, self.run = problem, run


_CATCHING: ContextVar[bool] = ContextVar("windfall_catching", default=False)


def catch(call: Callable[..., Any], args: Any, kwargs: Any) -> Caught | None:
    """Return the problem that `call` would have solved; none if it has solved none."""
    token = _CATCHING.set(True)
    try:
        call(*args, **kwargs)
    except Caught as caught:
        return caught
    finally:
        _CATCHING.reset(token)
    return None


def build(
    name: str,
    options: dict[str, Any],
    run: Run,
    *,
    table: _core.Table | None = None,
    function: _core.Function | None = None,
    kept: _core.Table | None = None,
) -> _core.Problem:
    """Return the problem called `name`, checked: a wrong option raises here."""
    job = {"problem": name, "seed": str(run.seed()), **options}
    return _core.Problem(_ENCODER.encode(job), table, function, kept)


def solve(problem: _core.Problem, run: Run) -> Result:
    """Solve `problem` on threads or on engines; warn if it was interrupted."""
    if _CATCHING.get():
        raise Caught(problem, run)
    where, folder = _where(run.on), run.folder()
    if where is not None and run.workers is not None:
        raise InputError(f"`workers` is `{run.workers}` and `on` is given; engines are the workers")
    tick, close = ticker(run.progress)
    try:
        solved = problem.solve(run.workers, tick, where, folder)
    finally:
        close()
        if hasattr(where, "close"):
            where.close()
    fields, facts, distribution, index, answer = solved
    result = result_from(fields, facts, (distribution, index), (answer, problem))
    if not result.complete:
        warnings.warn(
            "the run was interrupted: this is the estimate so far, with its error",
            IncompleteWarning,
            stacklevel=3,
        )
    return result


def _where(on: On) -> Any:
    """Return a cluster's name and which of its engines are meant, all of them if none is named;
    or another engine, ready for one run.
    """
    if on is None:
        return None
    if isinstance(on, str):
        return on, None
    mapping = getattr(on, "_mapping", None)
    if mapping is not None:
        return mapping()
    from ..backends import find

    backend = find(on)
    if backend is None:
        raise InputError(
            f"`on` is `{on!r}`; it must be a cluster, its client, a view or its name, a Dask"
            " client, the module `ray`, a SparkSession, a joblib.Parallel or an Executor"
        )
    return backend.open()


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given; the core knows the defaults of the others."""
    return {key: value for key, value in options.items() if value is not None}


def plain(value: Any) -> Any:
    """Return a NumPy scalar or array as plain Python, for JSON."""
    to_list: Callable[[], Any] | None = getattr(value, "tolist", None)
    if to_list is None:
        raise TypeError(f"`{value!r}` cannot stand in a job")
    return to_list()


_ENCODER = json.JSONEncoder(default=plain)
