"""An engine's part in a map: items from the shared index, results back in batches."""

from __future__ import annotations

import contextlib
import pickle
import reprlib
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _core
from . import randomness
from .errors import SerializationError
from .failure import describe
from .map_items import Packed, is_held, open_items
from .pack import pack

if TYPE_CHECKING:
    from .engine import Engine

MAP = b"M"
"""The first byte of the body of a task that is an engine's part in a map."""

PLACE = struct.Struct("<QQ")
"""Then: where in the segment the map's description lies, and its length, in bytes."""

# How often the global generators are looked at, in seconds: a look costs some microseconds.
_LOOK_EVERY_S = 0.05
_WIDTH_MAX = 200


class Spec(NamedTuple):
    """What an engine must know of a map."""

    length: int
    engines: list[int]
    sequences: list[Packed]
    starred: bool
    order: int | None
    first: int
    seed: str
    stops_at_error: bool


class Failure(NamedTuple):
    """What became of an item instead of a result: an exception, as `failure.describe` packs it."""

    body: bytes


class Report(NamedTuple):
    """What comes before the results of the positions in `ranges`."""

    ranges: list[tuple[int, int]]
    durations_us: bytes | None
    busy_ns: int
    has_failures: bool
    printed: list[tuple[int, int, str]]
    moved: dict[str, str]


def run_part(
    engine: Engine, function: Callable[..., Any], body: bytes, segment: _core.Segment
) -> None:
    """Do what this engine can claim of the map whose description `body` says where to find."""
    start, nbytes = PLACE.unpack_from(body, 1)
    memory = segment.view(0, segment.nbytes)
    spec: Spec = pickle.loads(memory[start : start + nbytes])
    order = bytes(memory[spec.order : spec.order + 4 * spec.length]) if spec.order else None
    part = _Part(engine, spec, order, segment)
    loop = _core.MapLoop(
        function,
        [open_items(each, memory) for each in spec.sequences],
        part.failed,
        order=order,
        first=spec.first,
        starred=spec.starred,
        stops_at_error=spec.stops_at_error,
    )
    # A chunk that was dealt to this engine has no slots for others.
    slot = spec.engines.index(engine.id) if spec.engines else 0
    with randomness.tasks_of(spec.seed), part.printing():
        last = loop.run(part.claims, slot, time.monotonic_ns(), part.report)
    part.report(*last, is_last=True)


class _Part:
    """What is reported beside results, and how it is written."""

    def __init__(
        self, engine: Engine, spec: Spec, order: bytes | None, segment: _core.Segment
    ) -> None:
        self._engine, self._link = engine, engine.link
        self._task = engine.task
        self._first = spec.first
        self._is_shared = bool(spec.engines)
        self._order = order
        self._has_failed = False
        self._printed: list[tuple[int, int, str]] = []
        self.claims, self._segment = _core.Claims(segment), segment
        self._watch = randomness.Watch()
        self._looked_s = time.monotonic()

    def report(
        self,
        ranges: list[tuple[int, int]],
        values: list[Any],
        durations_us: bytes | None,
        busy_ns: int,
        is_last: bool = False,
    ) -> None:
        """Send results; the last ones wait for the word that the task is done."""
        # What is done is not lost to an interrupt that comes now.
        was_running, self._engine.running = self._engine.running, False
        try:
            self._report(ranges, values, durations_us, busy_ns, is_last)
        finally:
            self._engine.running = was_running

    def _report(
        self,
        ranges: list[tuple[int, int]],
        values: list[Any],
        durations_us: bytes | None,
        busy_ns: int,
        is_last: bool,
    ) -> None:
        moved = {}
        if is_last or time.monotonic() - self._looked_s > _LOOK_EVERY_S:
            moved = self._watch.moved()
            self._looked_s = time.monotonic()
            if self._is_shared and not is_held(self._segment):
                self.claims.stop()  # nobody will take what is done
        printed, self._printed = self._printed, []
        told = Report(ranges, durations_us, busy_ns, self._has_failed, printed, moved)
        try:
            body, segment = pack((told, values), "the results")
        except (SerializationError, MemoryError):
            values = self._what_travels(ranges, values)
            told = told._replace(has_failures=True)
            body, segment = pack((told, values), "the results")
        self._link.part(self._task, body, segment, not is_last)

    def _what_travels(self, ranges: list[tuple[int, int]], values: list[Any]) -> list[Any]:
        """Return the values, with a failure for each that cannot be sent."""
        positions = (position for low, high in ranges for position in range(low, high))
        found = []
        for position, value in zip(positions, values):
            try:
                pack(value, f"the result of item {self._item(position)}")
            except (SerializationError, MemoryError) as error:
                value = self.failed(position, error)
            found.append(value)
        return found

    def _item(self, position: int) -> int:
        if self._order is None:
            return self._first + position
        item = int.from_bytes(self._order[4 * position : 4 * position + 4], sys.byteorder)
        return self._first + item

    def failed(self, _: int, error: BaseException) -> Failure:
        """Return what stands for the result of an item that raised."""
        self._has_failed = True
        return Failure(describe(error, 0))

    @contextlib.contextmanager
    def printing(self) -> Iterator[None]:
        """Keep what tasks print, by item."""
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Printed(0, self._keep), _Printed(1, self._keep)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before

    def _keep(self, stream: int, text: str) -> None:
        item = _core.current_item()
        if item is not None:
            self._printed.append((item - self._first, stream, text))


class _Printed:
    """A text stream that hands on what is written."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, stream: int, keep: Callable[[int, str], None]) -> None:
        self._stream = stream
        self._keep = keep

    def write(self, text: str) -> int:
        self._keep(self._stream, text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


def short(value: Any) -> str:
    """Return what a value looks like, in a line."""
    short = reprlib.Repr()
    short.maxother = _WIDTH_MAX
    try:
        return short.repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
