"""A function for each element of sequences: how they are cut, and put together again."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from .._cluster import parts as cut
from .._cluster import ship
from .functions import Function, Mode, Reference, canned, shipped
from .record import Part
from .results import AsyncResult

if TYPE_CHECKING:
    from .balanced import LoadBalancedView
    from .client import Client


class How(NamedTuple):
    """How a map is cut, and how its values come."""

    dist: str = "b"
    chunksize: int | None = None
    ordered: bool = True
    return_exceptions: bool = False
    whole: bool = False
    """Whether the function takes the parts, and not their elements."""


class AsyncMapResult(AsyncResult):
    """The result of a map; iterate over it to get what is there as it comes."""

    def __init__(
        self,
        client: Client,
        parts: list[Part],
        fname: str,
        dist: str = "b",
        ordered: bool = True,
        gathered: bool = False,
    ) -> None:
        super().__init__(client, parts, fname)
        self._dist, self.ordered, self._gathered = dist, ordered, gathered

    def __len__(self) -> int:
        return sum(part.size for part in self._parts)

    def _whole(self, outcomes: list[tuple[bool, Any]]) -> Any:
        values = [
            value if succeeded else [value] * part.size
            for part, (succeeded, value) in zip(self._parts, outcomes)
        ]
        if self._gathered:
            return cut.join(values, self._dist)
        if self._dist == "b":
            return list(chain.from_iterable(values))
        return cut.join([list(value) for value in values], self._dist)

    def _alone(self, part: Part) -> AsyncResult:
        return AsyncResult(self._client, [part], self._fname)

    def split(self) -> tuple[AsyncResult, ...]:
        """Return a result for each of the tasks."""
        return tuple(self._alone(part) for part in self._parts)

    def __iter__(self) -> Iterator[Any]:
        if self._gathered or self._dist != "b":
            yield from self.get()
            return
        for part in self._parts if self.ordered else self._as_they_come():
            self._wait(part, None)
            succeeded, value = part.outcome()
            if succeeded:
                yield from value
            elif self._return_exceptions:
                yield from [value] * part.size
            else:
                raise value

    def _as_they_come(self) -> Iterator[Part]:
        missing = list(self._parts)
        while missing:
            self._wait(_Any(missing), None)
            ended = [part for part in missing if not part._left]
            missing = [part for part in missing if part._left]
            yield from ended


class _Any:
    """Waits for any of several tasks."""

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts

    @property
    def _left(self) -> int:
        return all(part._left for part in self._parts)


def map_chunk(function: Function, *sequences: Any) -> list[Any]:
    """Call a function for each element of sequences."""
    return list(map(function, *sequences))


def mapper(function: Any, whole: bool) -> tuple[ship.Shipped, tuple[Any, ...]]:
    """Return what an engine calls with its parts of the sequences, and what goes before them.

    With `whole` the function is called once with the parts, else for each of their elements.
    """
    if isinstance(function, Reference):
        return ship.ship(_apply if whole else map_chunk), (function,)
    if whole:
        return shipped(function), ()
    inner = function if Mode.by_value else canned(function)
    return ship.ship(functools.partial(map_chunk, inner)), ()


def _apply(function: Function, *sequences: Any) -> Any:
    return function(*sequences)


def sequences_of(sequences: tuple[Any, ...]) -> tuple[list[Any], int]:
    """Return sequences that can be sliced, and the length of the shortest."""
    if not sequences:
        raise TypeError("there is nothing to map over: pass at least one sequence")
    sliced = [
        each if hasattr(each, "__len__") and hasattr(each, "__getitem__") else list(each)
        for each in sequences
    ]
    sliced = [list(each) if isinstance(each, dict) else each for each in sliced]
    return sliced, min(map(len, sliced))


class LazyMapIterator:
    """The values of a map over iterables that may never end; few tasks are under way at once."""

    def __init__(
        self,
        view: LoadBalancedView,
        function: Any,
        sequences: tuple[Iterable[Any], ...],
        outstanding_max: int,
        ordered: bool,
        return_exceptions: bool,
    ) -> None:
        self._view, self._items = view, zip(*sequences)
        self._function, self._max = mapper(function, whole=False), outstanding_max
        self._label = ship.name_of(function)
        self._ordered, self._return_exceptions = ordered, return_exceptions
        self._running: list[AsyncResult] = []
        self._is_cancelled = False
        self._fill()

    def _fill(self) -> None:
        room = self._max - len(self._running)
        for item in islice(self._items, room) if not self._is_cancelled else ():
            chunks = [[each] for each in item]
            parts = [self._view._task(self._function, chunks, 1, self._label)]
            self._running.append(self._view._result(parts, self._label))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self._running:
            raise StopIteration
        place = 0
        if not self._ordered:
            parts = [each._parts[0] for each in self._running]
            self._running[0]._wait(_Any(parts), None)
            place = next(n for n, part in enumerate(parts) if not part._left)
        result = self._running[place]
        result.wait()
        del self._running[place]
        self._fill()
        succeeded, value = result._parts[0].outcome()
        if succeeded:
            return value[0]
        if self._return_exceptions:
            return value
        raise value

    def cancel(self) -> None:
        """Take no more items."""
        self._is_cancelled = True
