"""What can go wrong on a cluster: each error names the task, the engine and the remedy."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from .._errors import WindfallError

_SHOWN_MAX = 4
"""Remote tracebacks that the text of a `CompositeError` holds."""


def hinted(message: str, hint: str | None) -> str:
    """Return a message that ends with its remedy."""
    return f"{message}\nhint: {hint}" if hint else message


class ClusterError(WindfallError):
    """Anything that goes wrong between a client, the controller and the engines."""

    def __init__(self, message: str = "", hint: str | None = None) -> None:
        super().__init__(hinted(message, hint))
        self.hint = hint


class ControllerLostError(ClusterError, ConnectionError):
    """The controller is gone: the cluster was stopped, or its process was killed."""


class SerializationError(ClusterError, TypeError):
    """Something cannot travel to an engine or back; the message names the variable at fault."""


class CaptureWarning(UserWarning):
    """A function takes a very large variable with it each time that it is sent."""


class TimeoutError(ClusterError, builtins.TimeoutError):
    """The time given for waiting is up; the work goes on."""


class TaskTimeout(TimeoutError):
    """A task took longer than its limit and was ended."""


class TaskAborted(ClusterError):
    """A task was taken back before it began."""


class UnmetDependency(ClusterError):
    """What a task needs is not there; a task that raises this is tried on another engine."""


class ImpossibleDependency(UnmetDependency):
    """No engine can ever meet what a task depends on."""


class EngineError(ClusterError):
    """An engine died while it ran a task.

    Attributes
    ----------
    engine, pid : int
        The engine's number and its process.
    rank : int or None
        Its rank, if the engines are ranks of MPI: 0 leads the others and is no engine (`engine`
        is -1 then). With one rank all end, so that tasks of other engines are lost by it too.
    signal, exit : int or None
        The signal that ended it, or its exit status.
    peak_bytes : int or None
        The most memory that it had.
    task : int
    label : str
        The task's number, and the name of its function.
    tries : int
        How often the task was begun.
    text : str
        The last words of the process.
    """

    def __init__(self, cause: dict[str, Any], task: int) -> None:
        self._cause, self.task = cause, task
        engine = cause.get("engine")
        self.engine: int = -1 if engine is None else engine
        self.rank: int | None = cause.get("rank")
        self.pid: int = cause.get("pid", 0)
        self.signal: int | None = cause.get("signal")
        self.exit: int | None = cause.get("exit")
        self.peak_bytes: int | None = cause.get("peak_bytes")
        self.label: str = cause.get("label", "")
        self.tries: int = cause.get("tries", 0)
        self.text: str = cause.get("text", "")
        super().__init__(self._message(), self._remedy())

    def __reduce__(self) -> tuple[type[EngineError], tuple[dict[str, Any], int]]:
        return type(self), (self._cause, self.task)

    def _message(self) -> str:
        name = f"`{self.label}`" if self.label else "a task"
        if self._cause.get("gone"):
            return f"engine {self.engine} is gone; {name} (task {self.task}) cannot run there"
        if self.rank is not None:
            return self._of_rank(name)
        if self.signal is not None:
            end = f"was killed by {signal_name(self.signal)}"
        elif self.exit is not None:
            end = f"ended with exit status {self.exit}"
        else:
            end = "could not be started or ended without a word"
        peak = f", peak memory {self.peak_bytes / 2**20:.0f} MiB" if self.peak_bytes else ""
        what = "while it ran" if self._cause.get("running", True) else "with, still in line,"
        text = f"engine {self.engine} (process {self.pid}) {end} {what} {name} (task {self.task}"
        text += f", {_times(self.tries)}{peak})"
        return f"{text}; its last words:\n{self.text.strip()}" if self.text.strip() else text

    def _of_rank(self, name: str) -> str:
        """Return what the end of a rank of MPI has brought."""
        if self._cause.get("asked"):
            return f"{name} (task {self.task}) was lost when the ranks were stopped"
        if self.rank == 0:
            return f"rank 0, which leads the others, ended, and {name} (task {self.task}) with it"
        where = f" on {self._cause['host']}" if self._cause.get("host") else ""
        who = f"engine {self.engine} (rank {self.rank}, process {self.pid}{where}) died"
        if self._cause.get("running"):
            return f"{who} while it ran {name} (task {self.task}), and all ranks with it"
        return f"{who}, and all ranks with it; {name} (task {self.task}) is lost"

    def _remedy(self) -> str | None:
        if self._cause.get("gone"):
            return "`client.ids` lists the engines there are"
        if self._cause.get("asked"):
            return "somebody asked for it: restart, shutdown or stop"
        if self.rank is not None:
            return "start the cluster anew; what ended the rank stands in its launcher's output"
        if self.signal == 9:
            return "SIGKILL mostly means that memory ran out; use fewer engines or smaller tasks"
        if self.tries <= 1:
            return "the engine is being replaced; `view.options(retries=1)` tries a task again"
        return None


def _times(tries: int) -> str:
    return {0: "not begun", 1: "begun once", 2: "begun twice"}.get(tries, f"begun {tries} times")


def signal_name(number: int) -> str:
    """Return a signal's name, as `SIGKILL`."""
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class RemoteError(ClusterError):
    """A task raised an exception; `__cause__` is that exception, if it could travel.

    Attributes
    ----------
    ename, evalue : str
        The name of the exception's class, and its message.
    traceback : str
        The traceback on the engine, as text.
    engine, task : int
        Where it happened.
    item : int or None
        The item of a map for which it was called.
    """

    item: int | None = None

    def __init__(
        self, ename: str, evalue: str, traceback: str = "", engine: int = -1, task: int = 0
    ) -> None:
        self.ename, self.evalue, self.traceback = ename, evalue, traceback
        self.engine, self.task = engine, task
        super().__init__(f"{self.summary}\n{traceback.rstrip()}" if traceback else self.summary)

    def add_item(self, item: int, call: str) -> None:
        """Say which item of a map it was, and what was called for it."""
        self.item = item
        self.traceback = f"{self.traceback.rstrip()}\nitem {item} of the map: {call}\n"
        self.args = (f"{self.summary}\n{self.traceback.rstrip()}", *self.args[1:])

    def __reduce__(self) -> tuple[type[RemoteError], tuple[str, str, str, int, int]]:
        return type(self), (self.ename, self.evalue, self.traceback, self.engine, self.task)

    @property
    def summary(self) -> str:
        """The error in one line."""
        return f"{self.ename}: {self.evalue} (engine {self.engine})"

    def _render_traceback_(self) -> list[str]:
        """Show IPython the traceback that matters: the engine's."""
        lines = self.traceback.rstrip().splitlines()
        return [f"[engine {self.engine}]", *lines] if lines else [self.summary]


class CompositeError(ClusterError):
    """Tasks failed on several engines; `errors` holds the error of each that did."""

    def __init__(self, errors: Sequence[BaseException]) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(self._lines()))

    def __reduce__(self) -> tuple[type[CompositeError], tuple[list[BaseException]]]:
        return type(self), (self.errors,)

    def _lines(self) -> list[str]:
        kinds = sorted({getattr(error, "ename", type(error).__name__) for error in self.errors})
        lines = [f"{len(self.errors)} tasks failed: {', '.join(kinds)}"]
        for error in self.errors[:_SHOWN_MAX]:
            lines += ["", *_lines_of(error)]
        if len(self.errors) > _SHOWN_MAX:
            lines += ["", f"… and {len(self.errors) - _SHOWN_MAX} more"]
        return lines

    def print_traceback(self, place: int | None = None) -> None:
        """Print the traceback of one error, counted from 0, or of each."""
        chosen = self.errors if place is None else [self.errors[place]]
        for error in chosen:
            print("\n".join(_lines_of(error)))

    def raise_exception(self, place: int = 0) -> None:
        """Raise one of the errors, counted from 0."""
        raise self.errors[place]

    def _render_traceback_(self) -> list[str]:
        return self._lines()


def _lines_of(error: BaseException) -> list[str]:
    if isinstance(error, (RemoteError, CompositeError)):
        return error._render_traceback_()
    return f"{type(error).__name__}: {error}".splitlines()
