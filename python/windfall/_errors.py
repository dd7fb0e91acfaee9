"""The classes of what can go wrong; each is also the builtin that users expect."""

from __future__ import annotations

from threading import BrokenBarrierError as _BrokenBarrierError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class WindfallError(Exception):
    """Anything that Windfall raises.

    Attributes
    ----------
    hint : str or None
        The remedy, where one is known; it also ends the message.
    """

    hint: str | None = None

    @classmethod
    def with_hint(cls, text: str, hint: str) -> Self:
        """Return the error that says `text` and the remedy."""
        error = cls(f"{text}\nhint: {hint}")
        error.hint = hint
        return error


class InputError(WindfallError, ValueError):
    """An argument, option or datum is not allowed."""


class TooFewError(InputError):
    """There are fewer rows, units or dimensions than the work needs."""


class NotFiniteError(InputError):
    """A number that must be finite is not: `value`, in row `row` counted from 0."""

    row: int
    value: float


class UnknownNameError(InputError, KeyError):
    """A column, key or problem does not exist; `nearest` is the likeliest of `known`."""

    nearest: str | None
    known: list[str]

    __str__ = Exception.__str__


class ExpressionError(InputError):
    """A formula cannot be read; the message shows every error with its position."""


class TaskError(WindfallError, RuntimeError):
    """A task failed: one of `tasks` (first, one past the last) under `seed`.

    The cause, if it was a Python exception, is `__cause__`.
    """

    tasks: tuple[int, int]
    seed: int | None
    worker: str
    trace: str | None


class UnsupportedError(WindfallError, NotImplementedError):
    """The executor cannot do what the job asks."""


class FileError(WindfallError, OSError):
    """A file cannot be read or written."""


class DeadlockError(WindfallError, RuntimeError):
    """A wait that could never end: the message names who waits for whom."""


class BrokenBarrierError(WindfallError, _BrokenBarrierError):
    """A member of a shared barrier died, waited no longer or broke it; the message names it."""


class QueueClosedError(WindfallError, ValueError):
    """Nothing more can be put into a shared queue, or got from one that is closed and empty."""


class HolderDiedWarning(RuntimeWarning):
    """The holder of a shared lock died: what the lock protects may be half changed."""
