"""The errors of IPython Parallel, and how those of a cluster become them."""

from __future__ import annotations

import builtins
import sys
from typing import Any

from .._cluster import errors as core

TimeoutError = builtins.TimeoutError
"""What waiting raises once its time is up."""


class IPythonError(Exception):
    """The root of what is defined here."""


class KernelError(IPythonError):
    """Something went wrong on an engine."""


class NoEnginesRegistered(KernelError):
    """There is no engine to do it."""


class TaskAborted(KernelError):
    """The task was taken back before it began."""


class RemoteError(KernelError):
    """A task failed; the exception itself is the `__cause__`, if it could travel.

    Attributes
    ----------
    ename, evalue : str
        The name of the exception's class, and its message.
    traceback : str
        The traceback on the engine.
    engine_info : dict
        `engine_id`, `engine_uuid` and `method` (`apply` or `execute`).
    """

    def __init__(
        self,
        ename: str = "",
        evalue: str = "",
        traceback: str = "",
        engine_info: dict[str, Any] | None = None,
    ) -> None:
        Exception.__init__(self, ename, evalue, traceback, engine_info)
        self.ename = ename or type(self).__name__
        self.evalue, self.traceback = evalue, traceback
        self.engine_info = engine_info or {}

    def __repr__(self) -> str:
        engine = self.engine_info.get("engine_id", "Engine")
        return f"<RemoteError[{engine}]:{self.ename}({self.evalue})>"

    def __str__(self) -> str:
        return f"{_where(self.engine_info)} {self.ename}: {self.evalue}".strip()

    def render_traceback(self) -> list[str]:
        """Return the lines of the traceback on the engine."""
        lines = self.traceback.rstrip().splitlines() or [f"{self.ename}: {self.evalue}"]
        return [_where(self.engine_info), *lines] if self.engine_info else lines

    def _render_traceback_(self) -> list[str]:
        return self.render_traceback()

    def print_traceback(self, excid: int | None = None) -> None:
        """Print the traceback on the engine."""
        print("\n".join(self.render_traceback()))


class EngineError(RemoteError):
    """The engine died while it ran the task."""


class TaskTimeout(RemoteError):
    """The task took longer than its limit."""


class UnmetDependency(RemoteError, core.UnmetDependency):
    """What a task needs is not there; a task that raises this is tried on another engine."""

    def __init__(self, *args: Any) -> None:
        if len(args) < 2:
            args = (type(self).__name__, str(args[0]) if args else "")
        RemoteError.__init__(self, *args)


class ImpossibleDependency(UnmetDependency):
    """No engine can ever meet what the task depends on."""


class InvalidDependency(ImpossibleDependency):
    """What the task depends on is not known."""


DependencyTimeout = ImpossibleDependency
"""What the task depends on took too long."""


class CompositeError(RemoteError):
    """Several tasks failed.

    Attributes
    ----------
    elist : list of (ename, evalue, traceback, engine_info)
    """

    tb_limit = 4
    """How many tracebacks are shown."""

    def __init__(self, message: str, errors: list[BaseException]) -> None:
        super().__init__("CompositeError", message)
        self.args = (message, errors)
        self.message, self.errors = message, errors
        self.elist = [_told(error) for error in errors]

    def __repr__(self) -> str:
        return f"CompositeError({len(self.elist)})"

    def __str__(self) -> str:
        lines = [self.message]
        for name, value, _, info in self.elist[: self.tb_limit]:
            lines.append(f"{_where(info)}{name}: {value}")
        return "\n".join(lines + self._more())

    def _more(self) -> list[str]:
        more = len(self.elist) - self.tb_limit
        return [f"... {more} more exceptions ..."] if more > 0 else []

    def render_traceback(self, excid: int | None = None) -> list[str]:
        """Return the tracebacks: of one error, or of the first few."""
        chosen = self.elist[: self.tb_limit] if excid is None else [self.elist[excid]]
        lines: list[str] = []
        for name, value, traceback, info in chosen:
            text = traceback.rstrip().splitlines() or [f"{name}: {value}"]
            lines += [f"{_where(info)}:", *text, ""]
        return lines + self._more() if excid is None else lines

    def print_traceback(self, excid: int | None = None) -> None:
        """Print the tracebacks: of one error, or of the first few."""
        print("\n".join(self.render_traceback(excid)))

    def raise_exception(self, excid: int = 0) -> None:
        """Raise one of the errors."""
        try:
            error = self.errors[excid]
        except IndexError:
            raise IndexError(f"there is no error {excid}, there are {len(self.errors)}") from None
        raise error


class AlreadyDisplayedError(RemoteError):
    """An error of which all has been shown as it came; `original_error` holds it."""

    def __init__(self, original_error: RemoteError) -> None:
        super().__init__(original_error.ename, original_error.evalue)
        self.args = (original_error,)
        self.original_error = original_error

    def __repr__(self) -> str:
        return f"<AlreadyDisplayedError: {self.original_error!r}>"

    def __str__(self) -> str:
        elist = getattr(self.original_error, "elist", None)
        return f"{len(elist)} errors" if elist is not None else "1 error"

    def render_traceback(self) -> list[str]:
        """Return how many errors there were: they have been shown."""
        return [str(self)]


def _where(info: dict[str, Any]) -> str:
    return f"[{info.get('engine_id')}:{info.get('method', 'apply')}]" if info else ""


def _told(error: BaseException) -> tuple[str, str, str, dict[str, Any]]:
    if isinstance(error, RemoteError):
        return error.ename, error.evalue, error.traceback, error.engine_info
    return type(error).__name__, str(error), "", {}


def converted(error: BaseException, info: dict[str, Any]) -> BaseException:
    """Return what IPython Parallel raises where Windfall raises `error`."""
    found: BaseException
    if isinstance(error, core.RemoteError):
        kind = getattr(sys.modules[__name__], error.ename, RemoteError)
        if not (isinstance(kind, type) and issubclass(kind, RemoteError)):
            kind = RemoteError
        found = RemoteError(error.ename, error.evalue, error.traceback, info)
        if issubclass(kind, UnmetDependency):
            found = kind(error.ename, error.evalue, error.traceback, info)
        found.__cause__ = error.__cause__
        return found
    if isinstance(error, core.TaskAborted):
        return TaskAborted(str(error))
    kinds = {
        core.EngineError: EngineError,
        core.TaskTimeout: TaskTimeout,
        core.ImpossibleDependency: ImpossibleDependency,
        core.UnmetDependency: UnmetDependency,
    }
    for theirs, ours in kinds.items():
        if isinstance(error, theirs):
            if ours is ImpossibleDependency and "unknown" in str(error):
                ours = InvalidDependency
            found = ours(ours.__name__, str(error), "", info)
            found.__cause__ = error
            return found
    return error
