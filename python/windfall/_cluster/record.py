"""What is known of one task."""

from __future__ import annotations

import datetime
import pickle
from typing import TYPE_CHECKING, Any

from . import failure
from .output import DATA, DISPLAY, STDERR, STDOUT

if TYPE_CHECKING:
    from .results import AsyncResult

_STATUS = {
    failure.OK: "ok",
    failure.ERROR: "error",
    failure.ABORTED: "aborted",
    failure.LOST: "lost",
    failure.UNMET: "unmet",
    failure.TIMED_OUT: "timed out",
    failure.IMPOSSIBLE: "impossible",
    failure.CONTROLLER_LOST: "controller lost",
}


class TaskRecord:
    """What is known of one task: where and when it ran, how it ended, what it printed."""

    __slots__ = ("_place", "_result")

    def __init__(self, result: AsyncResult, place: int) -> None:
        self._result, self._place = result, place

    def __repr__(self) -> str:
        where = "" if self.engine is None else f" on engine {self.engine}"
        return f"<TaskRecord {self.task}: {self.status}{where}>"

    @property
    def _event(self) -> tuple[Any, ...] | None:
        return self._result._events[self._place]

    @property
    def task(self) -> int:
        """The task's number in the cluster."""
        return self._result.tasks[self._place]

    @property
    def label(self) -> str:
        """What was called."""
        return self._result.name

    @property
    def engine(self) -> int | None:
        """The engine; None while it is not known."""
        if self._event is not None:
            return int(self._event[3])
        targets = self._result._targets
        return None if targets is None else targets[self._place]

    @property
    def status(self) -> str:
        """`pending`, or how it ended: `ok`, `error`, `aborted`, `lost`, `timed out`, …"""
        return "pending" if self._event is None else _STATUS[self._event[2]]

    @property
    def error(self) -> BaseException | None:
        """The error that it ended with, if it did."""
        return None if self._event is None else failure.error_of(self._event)

    def _time(self, place: int) -> datetime.datetime | None:
        if self._event is None or not self._event[place]:
            return None
        return datetime.datetime.fromtimestamp(self._event[place] / 1e6, datetime.timezone.utc)

    @property
    def submitted(self) -> datetime.datetime | None:
        """When it reached the controller."""
        return self._time(4)

    @property
    def started(self) -> datetime.datetime | None:
        """When it began on its engine."""
        return self._time(5)

    @property
    def completed(self) -> datetime.datetime | None:
        """When it ended there."""
        return self._time(6)

    def _stream(self, wanted: int) -> list[bytes]:
        printed = (self._result._outputs or {}).get(self.task, ())
        return [body for stream, body in printed if stream == wanted]

    @property
    def stdout(self) -> str:
        """What it printed."""
        return b"".join(self._stream(STDOUT)).decode("utf-8", "replace")

    @property
    def stderr(self) -> str:
        """What it printed to standard error, or what programs that it started printed."""
        return b"".join(self._stream(STDERR)).decode("utf-8", "replace")

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """What it displayed: dictionaries with `data` and `metadata` by MIME type."""
        shown: list[dict[str, Any]] = []
        for body in self._stream(DISPLAY):
            each = pickle.loads(body)
            if each.pop("clear", False):
                shown.clear()
            else:
                shown.append(each)
        return shown

    @property
    def data(self) -> dict[str, Any]:
        """What it has published by `windfall.publish`, the latest value of each name."""
        found: dict[str, Any] = {}
        for body in self._stream(DATA):
            found.update(pickle.loads(body))
        return found
