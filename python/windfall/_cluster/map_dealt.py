"""A map on engines that share no memory with their client: chunks of items as balanced tasks.

Engines of this machine claim items from an index that all of them map. Ranks of MPI cannot, as
memory ends with the machine: here the client cuts the items into chunks, each with an index of its
own for one engine, and the controller hands them to whichever engine is free. The loop on the
engine, the streams of items and the results are the same.
"""

from __future__ import annotations

import json
import pickle
from array import array
from collections.abc import Iterator
from typing import Any

from .. import _core
from . import failure
from .map_engine import MAP, PLACE, Report, Spec
from .map_items import Room, pack
from .map_state import Map

_SHARE = 8
"""A chunk is at most one part in so many of what an engine would get of the items left."""


class _NoClaims:
    """Stands where the index of a map on this machine is: nothing is seen of what engines do."""

    done, has_work = 0, False

    def __init__(self, stop: Any) -> None:
        self.stop = stop

    def seen(self) -> list[tuple[int | None, int, int, int, int]]:
        return []


def chunks(length: int, engines: int, chunk: int, is_longest_first: bool) -> Iterator[range]:
    """Cut positions into chunks: large ones first, so that all engines end together.

    If the longest items come first, so do the small chunks.

    >>> [len(each) for each in chunks(100, 2, 0, False)][:5]
    [6, 5, 5, 5, 4]
    >>> list(chunks(5, 2, 2, False))
    [range(0, 2), range(2, 4), range(4, 5)]
    """
    sizes, left = [], length
    while left:
        size = min(left, chunk or max(1, left // (_SHARE * engines)))
        sizes.append(size)
        left -= size
    at = 0
    for size in reversed(sizes) if is_longest_first and not chunk else sizes:
        yield range(at, at + size)
        at += size


class DealtMap(Map):
    """A map under way whose items go out in chunks."""

    def _lay_out(self) -> None:
        self.claims = _NoClaims(self._take_back)
        self._chunks: dict[int, range] = {}
        """The positions of each task that is under way or has ended."""

    def begin(self) -> None:
        """Submit all chunks."""
        if not self.missing:
            self._end()
            return
        work, client = self.work, self.client
        client._send_function(work.shipped)
        cuts = chunks(work.length, len(self.engines), work.chunk, self._order is not None)
        for slot, positions in enumerate(cuts):
            body, segment = self._packed(positions)
            task = client._link.submit(
                self.engines, True, work.shipped.name, body, segment, work.label
            )
            self.tasks[task], self._chunks[task] = slot, positions
            client._pending[task] = self

    def _packed(self, positions: range) -> tuple[bytes, _core.Segment]:
        """Put the items of a chunk, an index over them and their description into a segment."""
        work, room = self.work, Room()
        nbytes = _core.Claims.nbytes(1)
        room.add(bytes(nbytes), nbytes)
        order, first = None, work.first
        if self._order is None:
            first += positions.start
            columns = [each[positions.start : positions.stop] for each in work.columns]
        else:
            numbers = [self._order[position] for position in positions]
            order = room.add(array("I", numbers), 4 * len(numbers))
            columns = [[each[number] for number in numbers] for each in work.columns]
        packed = [pack(column, len(positions), None, 1, room) for column in columns]
        spec = Spec(
            len(positions), [], packed, work.starred, order, first, work.seed, work.stops_at_error
        )
        described = pickle.dumps(spec, 5)
        body = MAP + PLACE.pack(room.add(described, len(described)), len(described))
        segment = _core.Segment.of(room.buffers)
        _core.Claims(segment, len(positions), 1, work.chunk)
        return body, segment

    # What the client's pump calls.

    def _part(self, task: int, engine: int, body: bytes, segment: _core.Segment | None) -> bool:
        self._at = self._chunks[task].start
        return super()._part(task, engine, body, segment)

    def take(self, engine: int, report: Report, values: list[Any]) -> bool:
        """Take results of a chunk; true if that was the end."""
        at = self._at
        ranges = [(low + at, high + at) for low, high in report.ranges]
        # What is printed is numbered from the first item that the engine knows of.
        start = at if self._order is None else 0
        printed = [(item + start, *told) for item, *told in report.printed]
        report = report._replace(ranges=ranges, printed=printed)  # type: ignore[arg-type]
        return super().take(engine, report, values)

    def _on_loss(self, slot: int, event: tuple[Any, ...]) -> None:
        """With an engine all are lost."""
        error = failure.error_of(event)
        assert error is not None
        self._fail(error)

    def _on_idle(self) -> None:
        """Nothing is under way: all has come, or no more will."""
        if not self.is_stopped and self.missing:
            self._fail(failure.controller_lost(f"{self.missing} items were done by no engine"))
        self._end()

    def _fail(self, error: BaseException) -> None:
        super()._fail(error)
        self._ask("interrupt")

    def _take_back(self) -> None:
        self._ask("abort")

    def _ask(self, what: str) -> None:
        if self.tasks and self.client._lost is None:
            self.client._link.request(json.dumps({"do": what, "tasks": list(self.tasks)}))
