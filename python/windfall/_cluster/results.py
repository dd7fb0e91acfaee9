"""Results of tasks that may still run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import failure
from .errors import CompositeError, ControllerLostError, TimeoutError, hinted
from .pack import unpack
from .record import TaskRecord
from .waiting import Fewer, One, Together

if TYPE_CHECKING:
    from .client import Client

_KEPT_BYTES_MAX = 256
"""A packed result that is smaller may stay beside what it meant."""

_NO_ERRORS: list[BaseException] = []

Event = tuple[Any, ...]
"""What the controller tells of a task: 0, task, status, engine, three times, body, segment."""


class AsyncResult:
    """The result of one task, or of one on each of several engines.

    `get()` waits for it. A result that nobody refers to is dropped, its task runs on.

    Attributes
    ----------
    name : str
        What was called.
    tasks : range
        The numbers of the tasks; `client.result(tasks)` fetches them from another client.
    """

    # What few results need is the class's until it is set.
    _targets: list[int] | None = None
    _finish: Callable[[list[Any]], Any] | None = None
    _single = True
    _values: list[Any] | None = None
    _errors: list[BaseException] | None = None
    _callbacks: list[Callable[[AsyncResult], object]] | None = None
    _watchers: list[Callable[[int, int, int, bytes], object]] | None = None
    _outputs: dict[int, list[tuple[int, bytes]]] | None = None
    _submitted_us = 0

    def __init__(self, client: Client, name: str, tasks: range) -> None:
        self._client, self.tasks, self.name = client, tasks, name
        self._left = len(tasks)
        self._events: list[Event | None] = [None] * self._left

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name}>"

    def __len__(self) -> int:
        return len(self.tasks)

    # What the client's pump calls, from whichever thread waits.

    def _arrived(self, event: Event) -> bool:
        """Take the end of one of the tasks; true if it was the last."""
        place = event[1] - self.tasks.start
        if self._events[place] is None:
            self._events[place] = event
            self._left -= 1
        else:  # Ctrl-C came while this was done before
            self._left = self._events.count(None)
        return not self._left

    def _part(self, task: int, engine: int, body: bytes, segment: Any) -> bool:
        """Take a part of a result; true if nothing more is waited for."""
        return False

    def _printed(self, task: int, engine: int, stream: int, body: bytes) -> None:
        if self._outputs is None:
            self._outputs = {}
        self._outputs.setdefault(task, []).append((stream, body))
        for watcher in self._watchers or ():
            watcher(task, engine, stream, body)

    # Waiting.

    def ready(self) -> bool:
        """Whether all tasks have ended."""
        if self._left:
            self._client._drain()
        return not self._left

    done = ready

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until all tasks have ended; false if the time is up before.

        Ctrl-C takes back the tasks that have not begun, interrupts the engines that run the
        others, and raises `KeyboardInterrupt` here.
        """
        return not self._left or self._client._wait_for(self, self, timeout_s)

    def get(self, timeout_s: float | None = None) -> Any:
        """Wait for the result and return it; raise what the tasks raised.

        One task gives its value; tasks on several engines give a list, in their order.

        Raises
        ------
        RemoteError
            If the task raised; the exception itself is its `__cause__`.
        CompositeError
            If tasks failed where there are several.
        EngineError, TaskAborted, TaskTimeout, ControllerLostError
            If a task did not come to an end.
        TimeoutError
            If the time is up.
        """
        if self._left and not self._client._wait_for(self, self, timeout_s):
            raise self._late(timeout_s)
        if self._errors is None:
            self._decode()
        if self._errors:
            raise self._error()
        values = self._values
        assert values is not None
        if self._finish is not None:
            values, self._finish = [self._finish(values)], None
            self._values, self._single = values, True
        return values[0] if self._single else list(values)

    result = get

    def _late(self, timeout_s: float | None) -> TimeoutError:
        done, count = len(self.tasks) - self._left, len(self.tasks)
        message = f"{self!r} is not there after {timeout_s} s: {done} of {count} tasks have ended"
        return TimeoutError(message, "it runs on: wait again, or take it back by `.cancel()`")

    def _decode(self) -> None:
        event = self._events[0]
        if len(self._events) == 1 and event is not None and not event[2] and event[8] is None:
            self._values, self._errors = [unpack(event[7], None)], _NO_ERRORS
            if len(event[7]) > _KEPT_BYTES_MAX:
                self._events[0] = (*event[:7], b"", None)
            return
        values: list[Any] = []
        errors: list[BaseException] = []
        for place, event in enumerate(self._events):
            assert event is not None
            if event[2]:
                error = failure.error_of(event)
                assert error is not None
                errors.append(error)
                values.append(error)
                continue
            values.append(unpack(event[7], event[8]))
            # The bytes go; what they meant stays.
            self._events[place] = event[:7] + (b"", None)
        self._values, self._errors = values, errors

    def _error(self) -> BaseException:
        errors = self._errors
        assert errors
        if self._single and len(errors) == len(self.tasks) == 1:
            return errors[0]
        for error in errors:
            if isinstance(error, ControllerLostError):
                return error
        return CompositeError(errors)

    def successful(self) -> bool:
        """Whether all tasks returned; raises `ValueError` if some have not ended."""
        if not self.ready():
            raise ValueError(hinted(f"{self!r} is not there yet", "`.wait()` waits for it"))
        return not any(event and event[2] for event in self._events)

    def exception(self, timeout_s: float | None = None) -> BaseException | None:
        """Wait, and return the error that `get` would raise; None if there is none."""
        if not self.wait(timeout_s):
            raise self._late(timeout_s)
        if self._errors is None:
            self._decode()
        return self._error() if self._errors else None

    def outcomes(self) -> list[Any]:
        """Wait, and return the value of each task, or its error in its place."""
        self.wait()
        if self._errors is None:
            self._decode()
        assert self._values is not None
        return list(self._values)

    def __iter__(self) -> Iterator[Any]:
        """Yield the values in their order, each as soon as it is there."""
        for place in range(len(self.tasks)):
            if self._events[place] is None:
                self._client._wait_for(One(self, place), self, None)
            yield self._value(place)

    def as_completed(self, timeout_s: float | None = None) -> Iterator[Any]:
        """Yield the values in the order in which they arrive."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        missing = dict.fromkeys(range(len(self.tasks)))
        while missing:
            found = [place for place in missing if self._events[place] is not None]
            found.sort(key=lambda place: self._events[place][6])  # type: ignore[index]
            for place in found:
                del missing[place]
                yield self._value(place)
            if missing and not found:
                left_s = None if deadline is None else deadline - time.monotonic()
                fewer = Fewer(self, len(missing))
                if not self._client._wait_for(fewer, self, left_s):
                    raise self._late(timeout_s)

    def _value(self, place: int) -> Any:
        event = self._events[place]
        assert event is not None
        if self._values is not None:
            value = self._values[place]
            if event[2]:
                raise value
            return value
        error = failure.error_of(event)
        if error is not None:
            raise error
        return unpack(event[7], event[8])

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait in an event loop, which goes on meanwhile."""
        if self._left:
            import asyncio

            loop = asyncio.get_running_loop()
            future = loop.create_future()

            def settle(_: AsyncResult) -> None:
                with contextlib.suppress(RuntimeError):  # the loop may have been closed
                    loop.call_soon_threadsafe(_settle, future)

            self.add_done_callback(settle)
            yield from future.__await__()
        return self.get()

    def add_done_callback(self, callback: Callable[[AsyncResult], object]) -> None:
        """Call `callback(result)` once all tasks have ended, from a thread of the client's."""
        if not self._client._attend(self, callback):
            callback(self)

    # Taking back.

    def abort(self) -> int:
        """Take back the tasks that have not begun; return how many that were."""
        return self._client.abort(self)

    def cancel(self) -> None:
        """Take back the tasks that have not begun and interrupt those that run."""
        self._client._cancel(self)

    # What is known of the tasks.

    @property
    def records(self) -> list[TaskRecord]:
        """Of each task what is known: engine, times, status, output."""
        if self._left:
            self._client._drain()
        return [TaskRecord(self, place) for place in range(len(self.tasks))]

    @property
    def metadata(self) -> TaskRecord | list[TaskRecord]:
        """The record of the task; a list of them if there are several."""
        records = self.records
        return records[0] if self._single and len(records) == 1 else records

    @property
    def engines(self) -> list[int | None]:
        """The engine of each task; None where it is not known yet."""
        return [record.engine for record in self.records]

    @property
    def stdout(self) -> Any:
        """What the task printed; a list if there are several tasks."""
        return self._each([record.stdout for record in self.records])

    @property
    def stderr(self) -> Any:
        """What the task printed to standard error; a list if there are several tasks."""
        return self._each([record.stderr for record in self.records])

    @property
    def outputs(self) -> Any:
        """What the task displayed, as MIME bundles; a list of lists if there are several tasks."""
        return self._each([record.outputs for record in self.records])

    def _each(self, found: list[Any]) -> Any:
        return found[0] if self._single and len(found) == 1 else found

    @contextlib.contextmanager
    def watch_output(
        self, watcher: Callable[[int, int, int, bytes], object]
    ) -> Iterator[AsyncResult]:
        """Call `watcher(task, engine, stream, data)` with what is printed, as it comes.

        Streams: 0 standard output, 1 standard error, 2 display, 3 published data.
        """
        for task, printed in list((self._outputs or {}).items()):
            for stream, body in printed:
                watcher(task, self.records[task - self.tasks.start].engine or 0, stream, body)
        self._watchers = [*(self._watchers or ()), watcher]
        self._client._attend(self, None)
        try:
            yield self
        finally:
            self._watchers = [each for each in self._watchers if each is not watcher] or None

    @property
    def progress(self) -> int:
        """How many of the tasks have ended."""
        if self._left:
            self._client._drain()
        return len(self.tasks) - self._left

    def _times(self) -> list[tuple[int, int, int]]:
        return [event[4:7] for event in self._events if event is not None]

    @property
    def elapsed(self) -> float:
        """Seconds since the tasks were submitted, until the last has ended."""
        if self._left:
            self._client._drain()
        if self._left:
            return (time.time_ns() // 1000 - self._submitted_us) / 1e6
        return self.wall_time

    @property
    def serial_time(self) -> float:
        """Seconds that the tasks took, added up."""
        return sum(completed - started for _, started, completed in self._times()) / 1e6

    @property
    def wall_time(self) -> float:
        """Seconds from the first submission to the last end, of the tasks that have ended."""
        times = self._times()
        if not times:
            return 0.0
        return (max(each[2] for each in times) - min(each[0] for each in times)) / 1e6

    @property
    def speedup(self) -> float:
        """How many times faster the tasks ran together than one after the other."""
        wall_s = self.wall_time
        return self.serial_time / wall_s if wall_s > 0 else 1.0


def _settle(future: Any) -> None:
    if not future.done():
        future.set_result(None)


def as_completed(
    results: Iterable[AsyncResult], timeout_s: float | None = None
) -> Iterator[AsyncResult]:
    """Yield results in the order in which they are there."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    missing = list(results)
    while missing:
        found = [result for result in missing if not result._left]
        yield from found
        missing = [result for result in missing if result._left] if found else missing
        if missing and not found:
            left_s = None if deadline is None else deadline - time.monotonic()
            client = missing[0]._client
            if not client._wait_for(Together(missing, first=True), missing, left_s):
                raise missing[0]._late(timeout_s)
