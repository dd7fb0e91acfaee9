"""One map on the client's side: what has come back, what was lost, what must be done again."""

from __future__ import annotations

import json
import pickle
import time
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _core
from . import durations, failure
from .errors import ClusterError, EngineError, SerializationError, TaskTimeout
from .map_engine import MAP, PLACE, Failure, Report, Spec, short
from .map_items import Room, hold, pack
from .map_limit import mind_limit
from .nested import own_slot
from .pack import unpack
from .randomness import Notes
from .ship import Shipped

if TYPE_CHECKING:
    from .client import Client

_DEATHS_MAX = 2
"""An item that was under way when so many engines died is the likely reason."""

_FRUITLESS_MAX = 3
"""An engine that dies so often without having done anything is not asked again."""

_ROUNDS_MAX = 5
"""Rounds of looking for what nobody did, without any progress, before that is an error."""


class Pending:
    """Stands for a result that has not come."""

    def __repr__(self) -> str:
        return "<pending>"


PENDING = Pending()


class Work(NamedTuple):
    """What is asked for: a function over the first `length` items of each column."""

    function: Any
    shipped: Shipped
    label: str
    columns: list[Any]
    length: int
    starred: bool
    first: int
    seed: str
    stops_at_error: bool
    chunk: int
    timeout_s: float | None


class Map:
    """A map under way. It is made without the client's lock, and used by whoever holds it."""

    def __init__(self, client: Client, work: Work, engines: Sequence[int]) -> None:
        self.work = work
        self.engines = list(engines)[: max(1, work.length)]
        self.results: list[Any] = [PENDING] * work.length
        self.missing = work.length
        self.arrived: list[tuple[int, int]] = []
        self.failures: dict[int, BaseException] = {}
        self.error: BaseException | None = None
        self.is_stopped = False
        self.busy_ns = 0
        self.durations_us: array[int] | None = None
        self.printed: dict[int, list[tuple[int, str]]] = {}
        self.began_s = time.monotonic()
        self.ended_s: float | None = None
        self.tasks: dict[int, int] = {}
        """The tasks under way, each with its slot in the index."""
        self.ended: dict[int, tuple[Any, ...]] = {}
        """How the others have ended."""
        self.claims: Any = None
        self._segment: _core.Segment | None = None
        self._seen: list[tuple[int | None, int, int, int, int]] = []
        self._callbacks: list[Callable[[Any], object]] | None = None
        self.client = client
        self.notes = Notes()
        self._order = durations.longest_first(work.shipped.name, work.length)
        self._gone: set[int] = set()  # slots whose engine is not asked again
        self._deaths: Counter[int] = Counter()
        self._fruitless: Counter[int] = Counter()
        self._done_then: dict[int, int] = {}
        self.late: set[int] = set()
        """Items that took too long, whose engines are killed."""
        self._to_put_back: list[tuple[int, int]] = []
        self._has_lost = False
        self._rounds = 0
        self._missing_then = -1
        self.own = own_slot(client, self.engines)
        """The slot of this very engine, if the map was begun within a task."""
        if self.missing:
            self._lay_out()

    def begin(self) -> None:
        """Let engines begin."""
        if not self.missing:
            self._end()
            return
        self._start(range(len(self.engines)))
        if self.work.timeout_s is not None:
            mind_limit(self)

    def _lay_out(self) -> None:
        """Put the index, the items and their description into one segment."""
        work, count = self.work, len(self.engines)
        room = Room()
        nbytes = _core.Claims.nbytes(count)
        room.add(bytes(nbytes), nbytes)
        order = None
        if self._order is not None:
            numbers = array("I", self._order)
            order = room.add(numbers, 4 * work.length)
        sequences = [pack(c, work.length, self._order, count, room) for c in work.columns]
        self.spec = Spec(
            work.length,
            self.engines,
            sequences,
            work.starred,
            order,
            work.first,
            work.seed,
            work.stops_at_error,
        )
        described = pickle.dumps(self.spec, 5)
        place = (room.add(described, len(described)), len(described))
        self._segment = _core.Segment.of(room.buffers)
        hold(self._segment)
        self.claims = _core.Claims(self._segment, work.length, count, work.chunk)
        self._body = MAP + PLACE.pack(*place)

    @property
    def memory(self) -> memoryview:
        """The segment as engines see it."""
        assert self._segment is not None
        return self._segment.view(0, self._segment.nbytes)

    def order_bytes(self) -> bytes | None:
        """Return the numbers of the items by position, if they are not the same."""
        return None if self._order is None else array("I", self._order).tobytes()

    def _start(self, slots: Sequence[int]) -> None:
        slots = [slot for slot in slots if slot not in self._gone and slot != self.own]
        if not slots:
            return
        engines = [self.engines[slot] for slot in slots]
        client, shipped = self.client, self.work.shipped
        client._send_function(shipped)
        first = client._link.submit(
            engines, False, shipped.name, self._body, self._segment, self.work.label
        )
        for task, slot in enumerate(slots, first):
            self.tasks[task] = slot
            client._pending[task] = self

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.ended_s is not None

    @property
    def _left(self) -> int:
        return self.ended_s is None

    @property
    def done(self) -> int:
        """Items done, their results received or under way."""
        received = self.work.length - self.missing
        if self.is_over:
            return received
        done: int = min(self.work.length, self.claims.done)
        return max(received, done)

    # What the client's pump calls, from whichever thread waits.

    def _part(self, task: int, engine: int, body: bytes, segment: _core.Segment | None) -> bool:
        """Take results; true if that was the end."""
        try:
            report, values = unpack(body, segment)
        except Exception as error:  # whatever a class does when it is made again
            was_over = self.is_over
            told = SerializationError(f"results of `{self.work.label}` cannot be read: {error}")
            told.__cause__ = error
            self._fail(told)
            return not was_over
        return self.take(engine, report, values)

    def take(self, engine: int, report: Report, values: list[Any]) -> bool:
        """Take results; true if that was the end."""
        was_over = self.is_over
        self.busy_ns += report.busy_ns
        at = 0
        for low, high in report.ranges:
            chunk = values if high - low == len(values) else values[at : at + high - low]
            self._take(low, high, chunk, engine if report.has_failures else None)
            at += high - low
        if report.durations_us is not None:
            self._note_durations(report.ranges, report.durations_us)
        for item, stream, text in report.printed:
            self.printed.setdefault(item, []).append((stream, text))
        if report.moved:
            self.notes.add(engine, report.moved)
        if self.missing == 0:
            self._end()
        return self.is_over and not was_over

    def _arrived(self, event: tuple[Any, ...]) -> bool:
        """An engine's part is over, and its last report was taken; true if that was the end."""
        slot, status = self.tasks.pop(event[1]), event[2]
        self.ended[event[1]] = event
        if self.is_over:
            self._let_go()
            return False
        if status == failure.LOST:
            self._on_loss(slot, event)
        elif status != failure.OK and not self.is_stopped:
            error = failure.error_of(event)
            assert error is not None
            self._fail(error)
        elif not self.is_stopped and self.claims.has_work:
            self._start([slot])
        if self._to_put_back:
            self._to_put_back = self.claims.put_back(self._to_put_back)
        if not self.tasks and not self.is_over:
            self._on_idle()
        self._let_go()
        return self.is_over

    def _let_go(self) -> None:
        """Give the memory of the items back once nobody needs it."""
        if self.is_over and not self.tasks and self._segment is not None:
            self._seen = self.claims.seen()
            self._segment = self.claims = None

    def seen(self) -> list[tuple[int | None, int, int, int, int]]:
        """Return what each engine does or has done: see `Claims.seen`."""
        seen: list[tuple[int | None, int, int, int, int]]
        seen = self._seen if self.claims is None else self.claims.seen()
        return seen

    def _printed(self, task: int, engine: int, stream: int, body: bytes) -> None:
        """Let go of what programs print that tasks start: it belongs to no item."""

    def _take(self, low: int, high: int, values: list[Any], failed_on: int | None) -> None:
        if self._order is None and not self._has_lost and failed_on is None:
            self.results[low:high] = values
            self.missing -= high - low
            self.arrived.append((low, high))
            return
        for position, value in zip(range(low, high), values):
            item = position if self._order is None else self._order[position]
            if self.results[item] is not PENDING:
                continue  # done twice, as its first engine died before it could tell
            if isinstance(value, Failure):
                self._settle(item, self._remote(item, value, failed_on))
            else:
                self.results[item] = value
                self.missing -= 1
                self.arrived.append((item, item + 1))

    def _remote(self, item: int, failed: Failure, engine: int | None) -> BaseException:
        error = failure.remote_error(failed.body, None, -1 if engine is None else engine, 0)
        error.add_item(item, f"{self.work.label}({self.arguments(item)})")
        return error

    def _settle(self, item: int, error: BaseException) -> None:
        """Let an exception be what became of an item."""
        self.results[item] = error
        self.failures[item] = error
        self.missing -= 1
        self.arrived.append((item, item + 1))
        if self.work.stops_at_error and self.error is None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self.error is None:
            self.error = error
        if not self.is_over:
            self.claims.stop()
        self._end()

    def _note_durations(self, ranges: list[tuple[int, int]], packed: bytes) -> None:
        if self.durations_us is None:
            self.durations_us = array("I", bytes(4 * self.work.length))
        took = array("I", packed)
        at = 0
        for low, high in ranges:
            part = took[at : at + high - low]
            if self._order is None:
                self.durations_us[low:high] = part
            else:
                for position, us in zip(range(low, high), part):
                    self.durations_us[self._order[position]] = us
            at += high - low

    # When engines die.

    def _on_loss(self, slot: int, event: tuple[Any, ...]) -> None:
        self._has_lost = True
        current, _, done, _, _ = self.claims.seen()[slot]
        is_fruitless = current is None and done == self._done_then.get(slot, 0)
        self._fruitless[slot] = self._fruitless[slot] + 1 if is_fruitless else 0
        self._done_then[slot] = done
        if self._fruitless[slot] >= _FRUITLESS_MAX:
            self._gone.add(slot)
        missing = self._not_done(self.claims.lost(slot))
        suspect = None
        told = json.loads(event[7]) if event[7][:1] == b"{" else {}
        if current is not None and self.results[self.number(current)] is PENDING:
            suspect = self.number(current)
            missing = [part for whole in missing for part in _without(whole, current)]
            # A restart that somebody asked for is not the item's doing.
            self._deaths[suspect] += not told.get("asked", False)
            if self._deaths[suspect] >= _DEATHS_MAX or suspect in self.late:
                self._settle(suspect, self._death(suspect, event[1], told))
            else:
                # Alone, so that it takes nothing with it if it kills again.
                missing.append((current, current + 1))
        if self.missing == 0:
            self._end()
        if self.is_over or self.is_stopped:
            return
        self._to_put_back += missing
        self._to_put_back = self.claims.put_back(self._to_put_back)
        idle = set(range(len(self.engines))) - set(self.tasks.values())
        self._start(sorted(idle) if self.claims.has_work else [])

    def _death(self, item: int, task: int, cause: dict[str, Any]) -> BaseException:
        call = f"{self.work.label}({self.arguments(item)})"
        if item in self.late:
            return TaskTimeout(
                f"item {item}, `{call}`, took longer than {self.work.timeout_s} s;"
                f" engine {cause.get('engine')} was killed and is replaced"
            )
        told = {"label": f"item {item}: {call}", "tries": self._deaths[item], "running": True}
        return EngineError({**cause, **told}, task)

    def _not_done(self, ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the positions among these without results, as ranges."""
        found: list[tuple[int, int]] = []
        for low, high in ranges:
            for position in range(low, high):
                if self.results[self.number(position)] is not PENDING:
                    continue
                if found and found[-1][1] == position:
                    found[-1] = (found[-1][0], position + 1)
                else:
                    found.append((position, position + 1))
        return found

    def _on_idle(self) -> None:
        """No engine is at it, and not all has come."""
        if self.own is not None and self.claims.has_work:
            return  # it is done here, by whoever waits
        if self.is_stopped or len(self._gone) == len(self.engines):
            if not self.is_stopped:
                self.error = ClusterError(
                    f"no engine is left for {self.missing} of {self.work.length} items",
                    "`client.status()` tells why engines could not be started",
                )
            self._end()
            return
        self._rounds = self._rounds + 1 if self._missing_then == self.missing else 0
        self._missing_then = self.missing
        if self._rounds > _ROUNDS_MAX:
            self._fail(ClusterError(f"{self.missing} items were done by no engine"))
            return
        self._has_lost = True
        # An engine that stopped the others for an error may have died before it told the error.
        self.claims.resume()
        missing = self._not_done([(0, self.work.length)])
        self._to_put_back = self.claims.put_back(missing)
        self._start(range(len(self.engines)))

    def number(self, position: int) -> int:
        """Return the item at a position of the index."""
        return position if self._order is None else self._order[position]

    # What the client does.

    def stop(self) -> bool:
        """Let engines end what they are at, and begin nothing more; true if that was the end."""
        self.is_stopped = True
        if self.is_over:
            return False
        self.claims.stop()
        if not self.tasks:
            self._end()
        return self.is_over

    def arguments(self, item: int) -> str:
        """Return what an item is called with, in a line."""
        if self.work.starred:
            return ", ".join(map(short, self.work.columns[0][item]))
        return ", ".join(short(column[item]) for column in self.work.columns)

    def _end(self) -> None:
        if self.ended_s is not None:
            return
        self.ended_s = time.monotonic()
        if self.durations_us is not None and self.missing == 0 and not self.failures:
            durations.remember(self.work.shipped.name, self.durations_us)


def _without(whole: tuple[int, int], position: int) -> list[tuple[int, int]]:
    low, high = whole
    parts = [(low, min(high, position)), (max(low, position + 1), high)]
    return [(low, high) for low, high in parts if low < high]
