"""Who reads a client's socket: whoever waits, while the others watch."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Any, Protocol

from .._core import ClientLink
from . import failure
from .errors import ControllerLostError

_LOOK_S = 0.25
"""How often the thread that serves callbacks looks whether it is still needed."""


class Condition(Protocol):
    """Something to wait for: there when nothing is left."""

    @property
    def _left(self) -> int: ...


class Pump:
    """The events of a link, handed to those whom they concern.

    There is no thread that reads: of all that wait one reads for all (it holds `_leader`), so
    that a result costs one wake-up. Only callbacks and live output have a thread of their own.
    """

    def __init__(self, link: ClientLink) -> None:
        self._link = link
        self._pending: dict[int, Any] = {}
        self._replies: dict[int, str | None] = {}
        self._engines: dict[int, tuple[int, int]] = {}
        self._lost: str | None = None
        self._attended: set[Any] = set()
        self._inbox: deque[tuple[Any, ...]] = deque()
        self._due: list[Any] = []
        self._set_up_locks()
        _pumps.add(self)

    def _set_up_locks(self) -> None:
        self._lock = threading.Lock()
        self._leader = threading.Lock()
        self._news_lock = threading.Lock()
        self._news = threading.Condition(self._news_lock)
        self._followers = 0
        self._thread: threading.Thread | None = None

    # Waiting.

    def _wait(self, until: Condition, timeout_s: float | None) -> bool:
        """Wait until nothing is left of `until`; false if the time is up."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while until._left:
            left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
            if self._lost is not None:
                with self._lock:
                    self._end_pending()  # what came in at the very moment of the loss
                break
            if not self._lead(left_s):
                self._follow(until, left_s)
            if left_s == 0.0:
                break
        return not until._left

    def _follow(self, until: Condition, left_s: float | None) -> None:
        """Wait while another thread reads."""
        with self._news_lock:
            self._followers += 1
            try:
                if until._left and self._leader.locked():
                    self._news.wait(left_s)
            finally:
                self._followers -= 1

    def _tell(self) -> None:
        if self._followers:
            with self._news_lock:
                self._news.notify_all()

    def _drain(self) -> None:
        """Take what is there already."""
        if self._lost is None:
            self._lead(0.0)

    def _lead(self, left_s: float | None) -> bool:
        """Read for all, unless another thread does."""
        held: list[bool] = []
        try:
            # One step, so that Ctrl-C cannot come between the lock and the note of it.
            held.extend(map(self._leader.acquire, (False,)))
            if held[0]:
                self._read(left_s)
        finally:
            if held and held[0]:
                self._leader.release()
                self._tell()
        if held[0]:
            self._call_back()
        return held[0]

    # Handing out.

    def _read(self, left_s: float | None) -> None:
        """Wait for events and hand them out.

        Ctrl-C may come between any two steps of Python's, and no event may be lost then: events
        go to the inbox within one step, and leave it when they have been dealt with. Dealing
        with one twice does no harm.
        """
        if not self._inbox:
            self._inbox.extend(chain.from_iterable(map(self._link.poll, (left_s,))))
        self._take()

    def _take(self) -> None:
        inbox = self._inbox
        with self._lock:
            while inbox:
                event, pending = inbox[0], self._pending
                if event[0] == 0:
                    result = pending.get(event[1])
                    if result is not None:
                        if result._arrived(event):
                            self._ended(result)
                        pending.pop(event[1], None)
                elif event[0] == 1:
                    result = pending.get(event[1])
                    if result is not None:
                        result._printed(*event[1:])
                elif event[0] == 5:
                    result = pending.get(event[1])
                    if result is not None and result._part(*event[1:]):
                        self._ended(result)
                elif event[0] == 2:
                    self._engines = {engine: (pid, state) for engine, pid, state in event[1]}
                elif event[0] == 3:
                    if event[1] in self._replies:
                        self._replies[event[1]] = event[2]
                else:
                    self._lose(event[1])
                inbox.popleft()

    def _ended(self, result: Any) -> None:
        if result._callbacks is not None:
            self._attended.discard(result)
            if result._callbacks:
                self._due.append(result)

    def _lose(self, reason: str) -> None:
        """End everything: the controller is gone. The lock is held."""
        if self._lost is None:
            self._lost = reason
        self._end_pending()

    def _end_pending(self) -> None:
        """End what is waited for in vain. The lock is held."""
        body, status = (self._lost or "").encode(), failure.CONTROLLER_LOST
        for task in list(self._pending):
            result = self._pending.pop(task, None)
            if result is not None and result._arrived((0, task, status, -1, 0, 0, 0, body, None)):
                self._ended(result)

    def _call_back(self) -> None:
        while self._due:
            with self._lock:
                due, self._due = self._due, []
            for result in due:
                callbacks, result._callbacks = result._callbacks, []
                for callback in callbacks:
                    _call(callback, result)

    def _attend(self, result: Any, callback: Any) -> bool:
        """Note a callback and see to it that somebody reads; false if the result is there."""
        with self._lock:
            if not result._left:
                return False
            if result._callbacks is None:
                result._callbacks = []
                self._attended.add(result)
            if callback is not None:
                result._callbacks.append(callback)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=_mind, args=(weakref.ref(self),), name="windfall-client", daemon=True
                )
                self._thread.start()
        return True

    def _check(self) -> None:
        if self._lost is not None:
            raise failure.controller_lost(self._lost)

    @contextlib.contextmanager
    def _submission(self) -> Iterator[ClientLink]:
        """Hold back events while tasks get their numbers and their results."""
        if self._lost is not None:
            raise failure.controller_lost(self._lost)
        with self._lock:
            yield self._link

    def _end(self, reason: str) -> None:
        """Have nothing more to do with the controller."""
        with self._lock:
            self._lose(reason)
        # Nothing need be kept for it; the answer wakes whoever waits for the socket.
        self._link.request('{"do": "leave"}')
        self._tell()
        self._call_back()

    def _forsake(self) -> None:
        """Be of no use in a forked child: the connection is its parent's."""
        self._set_up_locks()
        _kept_for_parents.append(self._link)  # so that it is not shut down here
        self._lose("it belongs to the process from which this one was forked")


def _call(callback: Any, result: Any) -> None:
    try:
        callback(result)
    except Exception:
        import logging

        logging.getLogger("windfall").exception("a callback of %r failed", result)


class _Unattended:
    """Waits until no result has a callback, or somebody closes the client."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump

    @property
    def _left(self) -> int:
        return len(self._pump._attended)


def _mind(pump_ref: weakref.ref[Pump]) -> None:
    """Read as long as there are results with callbacks."""
    while True:
        pump = pump_ref()
        if pump is None:
            return
        with contextlib.suppress(ControllerLostError):
            pump._wait(_Unattended(pump), _LOOK_S)
        with pump._lock:
            if not pump._attended or pump._lost is not None:
                pump._thread = None
                return
        del pump


_pumps: weakref.WeakSet[Pump] = weakref.WeakSet()
_kept_for_parents: list[ClientLink] = []


def _forsake_all() -> None:
    for pump in list(_pumps):
        pump._forsake()


os.register_at_fork(after_in_child=_forsake_all)
