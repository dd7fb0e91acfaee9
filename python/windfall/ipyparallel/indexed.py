"""Balanced maps whose elements engines claim from a shared index: one task for each engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .._cluster import failure, map_result
from .._cluster.map_state import PENDING, Map
from .error import TaskAborted, converted
from .maps import AsyncMapResult, How
from .record import Part
from .results import AsyncResult, limit

if TYPE_CHECKING:
    from .client import Client


class _Shares:
    """What engines do of a map, as the tasks of one result."""

    def __init__(self, inner: map_result.AsyncMapResult) -> None:
        state = inner._state
        self._inner, self._state, self.name = inner, state, inner.name
        self.tasks, self._targets = list(state.tasks), list(state.engines)
        self._outputs: None = None
        self._events = _Events(state, self.tasks)

    @property
    def _left(self) -> int:
        return int(self._state._left) or len(self._state.tasks)

    def add_done_callback(self, function: Callable[[Any], object]) -> None:
        self._inner.add_done_callback(function)

    def _value(self, place: int) -> None:
        event = self._events[place]
        error = None if event is None else failure.error_of(event)
        if error is not None:
            raise error


class _Events:
    """How the tasks of a map have ended, by place."""

    def __init__(self, state: Map, tasks: list[int]) -> None:
        self._state, self._tasks = state, tasks

    def __getitem__(self, place: int) -> tuple[Any, ...] | None:
        return self._state.ended.get(self._tasks[place])

    def __setitem__(self, place: int, event: tuple[Any, ...]) -> None:
        """Leave it: there are no bytes to let go of."""


class _So:
    """Waits until an element has its value, or nothing more comes."""

    def __init__(self, state: Map, is_so: Callable[[], bool]) -> None:
        self._state, self._is_so = state, is_so

    @property
    def _left(self) -> int:
        return not (self._is_so() or self._state.is_over)


class _Element(Part):
    """One element of a map, where something asks for it alone."""

    __slots__ = ("_item", "_map")

    def __init__(self, whole: IndexedMapResult, item: int) -> None:
        shares: Any = whole._shares
        super().__init__(whole._client, shares, 0)
        self._map, self._item = whole, item

    @property
    def _left(self) -> int:
        state = self._map._state
        return state.results[self._item] is PENDING and not state.is_over

    @property
    def failed(self) -> bool:
        return self._item in self._map._state.failures

    @property
    def engine(self) -> int | None:
        return None

    def outcome(self) -> tuple[bool, Any]:
        if self.failed:
            return False, self._map._error(self._item)
        value = self._map._state.results[self._item]
        return (False, TaskAborted("it was not begun")) if value is PENDING else (True, [value])


class IndexedMapResult(AsyncMapResult):
    """The result of a map; its tasks are what each engine does of it."""

    def __init__(
        self, client: Client, inner: map_result.AsyncMapResult, fname: str, how: How
    ) -> None:
        self._inner, self._state, self._shares = inner, inner._state, _Shares(inner)
        shares: Any = self._shares
        parts = [Part(client, shares, place) for place in range(len(self._shares.tasks))]
        super().__init__(client, parts, fname, "b", how.ordered)
        self._return_exceptions = how.return_exceptions
        self._errors: dict[int, BaseException] = {}

    def __repr__(self) -> str:
        return f"<AsyncMapResult: {self._fname}>"

    def __len__(self) -> int:
        return len(self._inner)

    def _cores(self) -> list[Any]:
        return [self._shares]

    @property
    def _left(self) -> int:
        return self._shares._left

    def _error(self, item: int) -> BaseException:
        error = self._errors.get(item)
        if error is None:
            failed = self._state.failures[item]
            info = {"engine_id": getattr(failed, "engine", None), "method": "apply"}
            error = self._errors[item] = converted(failed, info)
        return error

    def _tasks(self) -> tuple[AsyncResult, ...]:
        return tuple(self._alone(part) for part in self._parts)

    def split(self) -> tuple[AsyncResult, ...]:
        """Return a result for each of the elements."""
        elements = [_Element(self, item) for item in range(len(self))]
        return tuple(AsyncResult(self._client, [each], self._fname) for each in elements)

    def get(
        self,
        timeout: float | None = None,
        return_exceptions: bool | None = None,
        return_when: str | None = None,
    ) -> Any:
        """Wait for the values and return them; raise what the elements raised."""
        if self._left:
            self.wait(timeout, return_when)
        if self._left:
            raise TimeoutError(f"{self!r} is not there after {limit(timeout)} s")
        self._check_whole()
        errors = {item: self._error(item) for item in sorted(self._state.failures)}
        if return_exceptions is None:
            return_exceptions = self._return_exceptions
        if not return_exceptions:
            self._raise(list(errors.values()))
        values = list(self._state.results)
        for item, error in errors.items():
            values[item] = error
        return values

    result = get

    def _check_whole(self) -> None:
        try:
            self._inner._raise()
        except Exception as error:
            raise converted(error, {}) from None

    def __iter__(self) -> Iterator[Any]:
        results = self._state.results
        for item in range(len(self)) if self.ordered else self._as_done():
            self._wait(_So(self._state, lambda: results[item] is not PENDING), None)  # noqa: B023
            if results[item] is PENDING:
                self._check_whole()
            if item not in self._state.failures:
                yield results[item]
            elif self._return_exceptions:
                yield self._error(item)
            else:
                raise self._error(item)

    def _as_done(self) -> Iterator[int]:
        arrived = self._state.arrived
        place = 0
        while True:
            self._wait(_So(self._state, lambda: place < len(arrived)), None)  # noqa: B023
            if place >= len(arrived):
                self._check_whole()
                return
            yield from range(*arrived[place])
            place += 1

    def successful(self) -> bool:
        """Whether all elements have values; the map must have ended."""
        if not self.ready():
            raise ValueError(f"{self!r} is not ready")
        return self._inner.successful()

    def abort(self) -> None:
        """Let the engines begin no more elements."""
        self._inner.stop()

    def cancel(self) -> bool:
        """Let the engines begin no more elements, and interrupt what they run."""
        self._inner.stop()
        self._client._cancel(self._inner.tasks)
        return True

    def get_dict(self, timeout: float | None = -1) -> dict[int | None, Any]:
        """Raise `ValueError`: an engine has several of the values."""
        raise ValueError("an engine has several results: they cannot be told by engine")

    @property
    def progress(self) -> int:
        """How many elements are done."""
        return self._inner.progress

    @property
    def serial_time(self) -> float:
        """Seconds that the elements took, added up; the map must have ended."""
        self._check_ready()
        return self._inner.serial_time

    @property
    def stdout(self) -> list[str]:
        """What the function printed, element by element."""
        return self._inner.stdout

    @property
    def stderr(self) -> list[str]:
        """What it printed to standard error, element by element."""
        return self._inner.stderr

    def display_outputs(self, groupby: str = "type", result_only: bool = False) -> None:
        """Show what the function printed, in the order of the elements."""
        self.wait()
        if not result_only:
            sys.stdout.write("".join(self.stdout))
            sys.stderr.write("".join(self.stderr))
