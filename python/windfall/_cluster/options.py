"""How tasks are to be run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, TypeAlias

from .._errors import InputError
from .results import AsyncResult

Tasks: TypeAlias = AsyncResult | int | Iterable[AsyncResult | int]


@dataclasses.dataclass(frozen=True)
class Options:
    """How the tasks of a view are run; `view.options(retries=2)` gives a view with others.

    Parameters
    ----------
    retries : int
        How often a task is run again, on another engine if there is one, after it raised or
        its engine died. Only for balanced views.
    timeout_s : float, optional
        The longest a task may run, in seconds; then it is interrupted, and if that does not
        help its engine is replaced.
    after, follow : AsyncResult or task numbers, optional
        Tasks that must have ended before; with `follow` on the same engine.
    wait_for_all : bool
        Whether all of those must have ended, or any.
    on_success, on_failure : bool
        Whether tasks that succeeded, or failed, count.
    wait_s : float, optional
        The longest that a task waits for those, in seconds; then it ends with
        `ImpossibleDependency`.
    label : str
        What to call the task in errors and in `windfall top`; the function's name if empty.
    """

    retries: int = 0
    timeout_s: float | None = None
    after: Tasks = ()
    follow: Tasks = ()
    wait_for_all: bool = True
    on_success: bool = True
    on_failure: bool = False
    wait_s: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise InputError(f"`retries` is `{self.retries}`; it must not be negative")
        for name, limit_s in (("timeout_s", self.timeout_s), ("wait_s", self.wait_s)):
            if limit_s is not None and not limit_s > 0:
                raise InputError(f"`{name}` is `{limit_s}`; it must be positive")

    @property
    def is_plain(self) -> bool:
        """Whether the tasks wait for nothing."""
        return self.after == () and self.follow == ()

    def replaced(self, changes: dict[str, Any]) -> Options:
        """Return the options with some of them changed."""
        names = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in names:
                raise InputError(f"there is no option `{name}`\nhint: there are {', '.join(names)}")
        return dataclasses.replace(self, **changes)

    def depends(self) -> str | None:
        """Return what the tasks wait for, as the controller reads it."""
        if self.is_plain:
            return None
        told = {
            "after": numbers(self.after),
            "follow": numbers(self.follow),
            "all": self.wait_for_all,
            "success": self.on_success,
            "failure": self.on_failure,
            "wait_s": self.wait_s,
        }
        return json.dumps(told)


def numbers(tasks: Tasks) -> list[int]:
    """Return the numbers of tasks that are given as results, numbers, or a mixture."""
    if isinstance(tasks, int):
        return [tasks]
    own = getattr(tasks, "tasks", None)
    if own is not None:
        return list(own)
    return [number for each in tasks for number in numbers(each)]
