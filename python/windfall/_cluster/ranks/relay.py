"""Passing on: rank 0 between the controller and all ranks, each other rank for its engine."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from typing import Any

from .ends import STOP, Batch, End, frame
from .post import END, INLINE_BYTES_MAX, SIGNAL, Packet, Post

_NAPS_S = ((0.002, 0.00005), (0.1, 0.0005), (1.0, 0.002), (float("inf"), 0.005))
"""MPI cannot be waited for beside a socket without burning a core: it is looked at after naps of
50 µs while something happened within 2 ms, of 0.5 ms within 0.1 s, of 2 ms within 1 s,
and of 5 ms otherwise. What comes through a socket ends a nap."""

_COMPANY_S = 0.0001
_COMPANY_LOOKS = 3
"""How long rank 0 waits for the same segment to be there for all ranks, and how often."""

_END_S = 1.0
"""How long ranks may take to end once the controller has, in seconds; then they are aborted."""


class _Naps:
    """Sleep between two looks at MPI."""

    def __init__(self) -> None:
        self._since_s = time.monotonic()

    def worked(self) -> None:
        """Note that something has happened."""
        self._since_s = time.monotonic()

    def take(self, ends: Iterable[tuple[End, bool]], is_busy: bool) -> set[End]:
        """Sleep; return the ends that can be read or written. Given with each is whether more
        should be read from it."""
        ends = list(ends)
        reads = [end for end, is_wanted in ends if is_wanted]
        writes = [end for end, _ in ends if end.has_unsent]
        idle_s = 0.0 if is_busy else time.monotonic() - self._since_s
        nap_s = next(nap_s for until_s, nap_s in _NAPS_S if idle_s < until_s)
        readable, writable, _ = select.select(reads, writes, (), nap_s)
        return {*readable, *writable}


class Lead:
    """Rank 0: between the controller's connections and the engines' ranks."""

    def __init__(self, post: Post, ends: list[End], world: Any) -> None:
        self._post, self._ends, self._world = post, ends, world
        self._open = dict.fromkeys(range(len(ends)), True)
        """The engines whose connection to the controller stands."""
        self._ended: set[int] = set()
        """The engines that have ended by themselves."""
        self._naps = _Naps()

    def run(self) -> None:
        """Pass on until all engines have ended; those that do not are aborted."""
        abort_at_s = None
        while len(self._ended) < len(self._ends):
            self._turn()
            is_over = any(not self._open[i] for i in self._open if i not in self._ended)
            if is_over and abort_at_s is None:
                abort_at_s = time.monotonic() + _END_S
            if abort_at_s is not None and time.monotonic() > abort_at_s:
                self._world.Abort(1)
        while self._post.is_busy:
            self._turn()

    def _turn(self) -> None:
        post = self._post
        standing = [i for i, is_open in self._open.items() if is_open]
        wanted = [(self._ends[i], post.has_room(i + 1)) for i in standing]
        ready = self._naps.take(wanted, post.is_busy)
        readable = [i for i in standing if self._ends[i] in ready]
        if readable:
            self._naps.worked()
            self._from_controller(standing, readable)
        for packet in post.receive():
            self._naps.worked()
            self._from_rank(packet)

    def _from_rank(self, packet: Packet) -> None:
        engine = packet.rank - 1
        if packet.kind == END:
            self._ended.add(engine)
            if self._open[engine]:
                self._ends[engine].write(Batch(frame(STOP, b"")))
            self._close(engine)
        elif self._open[engine]:
            self._ends[engine].write(packet.batch)
        elif packet.batch.segment is not None:
            os.close(packet.batch.segment)

    def _close(self, engine: int) -> None:
        if self._open[engine]:
            self._open[engine] = False
            self._ends[engine].close()

    def _from_controller(self, standing: list[int], readable: list[int]) -> None:
        waiting: dict[int, list[Batch]] = {i: [] for i in standing}
        self._read(readable, waiting)
        if any(_is_large(batch) for line in waiting.values() for batch in line):
            # It may be on its way to all, by one connection after the other.
            for _ in range(_COMPANY_LOOKS):
                time.sleep(_COMPANY_S)
                self._read(standing, waiting)
        self._pass_on(waiting)
        for engine in standing:
            if self._ends[engine].is_over:
                self._close(engine)
                if engine not in self._ended:
                    self._post.send(engine + 1, Batch(b""), END)

    def _read(self, engines: list[int], waiting: dict[int, list[Batch]]) -> None:
        for engine in engines:
            end = self._ends[engine]
            end.flush()
            waiting[engine] += end.read()
            for number in end.signals:
                self._post.send(engine + 1, Batch(b""), SIGNAL, number)
            end.signals.clear()

    def _pass_on(self, waiting: dict[int, list[Batch]]) -> None:
        """Send batches on; what goes to all ranks goes by a broadcast."""
        while places := self._for_all(waiting):
            shared = []
            for engine, place in places.items():
                for batch in waiting[engine][:place]:
                    self._post.send(engine + 1, batch)
                shared.append((engine + 1, waiting[engine][place]))
                del waiting[engine][: place + 1]
            self._post.broadcast(shared)
        for engine, line in waiting.items():
            for batch in line:
                self._post.send(engine + 1, batch)

    def _for_all(self, waiting: dict[int, list[Batch]]) -> dict[int, int]:
        """Return where in each line the first segment stands that is in all; empty if none is."""
        if len(waiting) < max(2, len(self._ends)):
            return {}
        lines = []
        for line in waiting.values():
            lines.append({_identity(b): at for at, b in enumerate(line) if _is_large(b)})
        for identity in lines[0]:
            if all(identity in line for line in lines):
                return {engine: line[identity] for engine, line in zip(waiting, lines)}
        return {}


def _is_large(batch: Batch) -> bool:
    return batch.segment is not None and os.fstat(batch.segment).st_size > INLINE_BYTES_MAX


def _identity(batch: Batch) -> tuple[int, int]:
    assert batch.segment is not None
    stat = os.fstat(batch.segment)
    return stat.st_dev, stat.st_ino


class Follow(threading.Thread):
    """Every other rank: between its engine, which runs in the main thread, and rank 0."""

    def __init__(self, post: Post, end: End, world: Any) -> None:
        super().__init__(name="windfall-relay", daemon=True)
        self._post, self._end, self._world = post, end, world
        self._naps = _Naps()
        self._is_ending = False
        self._is_open = True

    def end(self) -> None:
        """Pass on what the engine has said, tell rank 0 that it has ended, and return."""
        self._is_ending = True
        self.join()

    def run(self) -> None:
        """Pass on until the engine has ended."""
        try:
            while not self._is_ending:
                self._turn()
            while self._turn():
                pass
            self._post.send(0, Batch(b""), END)
            while self._post.is_busy:
                self._turn()
        except BaseException:  # nobody would hear of this rank any more
            traceback.print_exc(file=sys.__stderr__)
            self._world.Abort(1)

    def _turn(self) -> bool:
        """Look at both sides; whether the engine said something."""
        post, end, batches = self._post, self._end, list[Batch]()
        wanted = [(end, post.has_room(0) and not end.is_over)] if self._is_open else []
        if self._naps.take(wanted, post.is_busy) and self._is_open:
            end.flush()
            batches = list(end.read())
            for batch in batches:
                post.send(0, batch)
        for packet in post.receive():
            self._naps.worked()
            if packet.kind == SIGNAL:
                signal.pthread_kill(threading.main_thread().ident or 0, packet.signal)
            elif packet.kind == END:
                self._is_open = False
                end.close()
            elif self._is_open:
                end.write(packet.batch)
        if batches:
            self._naps.worked()
        return bool(batches)
