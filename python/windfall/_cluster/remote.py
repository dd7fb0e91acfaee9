"""Functions that engines run for views: their names, their code, their limits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from .. import _core
from .engine import Engine, current
from .in_place import Sent, seen


class Cell:
    """What a piece of code came to: the value of its last expression as it is shown.

    Attributes
    ----------
    count : int
        Which of the engine's cells it was.
    data : dict
        The last value by MIME type; empty if there is none.
    metadata : dict
        What goes with it.
    """

    __slots__ = ("count", "data", "metadata")

    def __init__(self, count: int, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        self.count, self.data, self.metadata = count, data, metadata

    @property
    def text(self) -> str:
        """The last value as text; empty if there is none."""
        return str(self.data.get("text/plain", ""))

    def __repr__(self) -> str:
        return f"<Cell {self.count}: {self.text}>" if self.data else f"<Cell {self.count}>"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Show a notebook what the engine would have shown."""
        return (self.data, self.metadata) if self.data else None


def execute(code: str, silent: bool, filename: str | None = None) -> Cell:
    """Run code as a cell of the engine's IPython shell."""
    from .shell import run_cell

    return run_cell(current().get_ipython(), code, silent, filename)


def push(names: dict[str, Any]) -> None:
    """Set names; those with dots are attributes."""
    for name, value in names.items():
        assign(current(), name, value)


def assign(engine: Engine, name: str, value: Any) -> None:
    """Set one name, or with dots an attribute of what the first parts name."""
    first, *rest = name.split(".")
    if not rest:
        engine.replaced.append(engine.namespace.get(name))
        engine.namespace[name] = value
        return
    owner = engine.namespace[first]
    for part in rest[:-1]:
        owner = getattr(owner, part)
    setattr(owner, rest[-1], value)


def pull(name: str) -> Any:
    """Return what a name stands for."""
    first, *rest = name.split(".")
    try:
        value = current().namespace[first]
    except KeyError:
        raise NameError(f"name '{first}' is not defined") from None
    for part in rest:
        value = getattr(value, part)
    return value


def pull_all(names: Sequence[str]) -> list[Any]:
    """Return what several names stand for."""
    return [pull(name) for name in names]


def keep_part(name: str, whole: Any, place: tuple[int | None, int | None, int | None]) -> None:
    """Set a name to the engine's part of an array that all engines map."""
    assign(current(), name, whole[slice(*place)])


def keep_shared_part(
    name: str, there: Sent, place: tuple[int | None, int | None, int | None]
) -> None:
    """Set a name to the engine's part of an array in shared memory, in place."""
    assign(current(), name, seen(there)[slice(*place)])


def clear() -> None:
    """Forget every name that was set."""
    engine = current()
    kept = {key: value for key, value in engine.namespace.items() if key.startswith("__")}
    engine.namespace.clear()
    engine.namespace.update(kept)
    engine.namespace["get_ipython"] = engine.get_ipython
    engine.refresh_names()


def limit_threads(threads: int) -> list[str]:
    """Let libraries use so many threads; return those that could be told though they run."""
    for name in _core.thread_variables():
        os.environ[name] = str(threads)
    try:
        import threadpoolctl
    except ImportError:
        return []
    controller = threadpoolctl.ThreadpoolController()
    controller.limit(limits=threads)
    return sorted({library["internal_api"] for library in controller.info()})
