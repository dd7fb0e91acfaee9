"""What a map gives back at once: results as they come, their errors, their times, a replay."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import randomness
from .errors import TaskAborted, TimeoutError
from .map_state import PENDING, Map
from .nested import help_with

if TYPE_CHECKING:
    from .client import Client

# How long Ctrl-C waits for what the engines are at, in seconds.
_INTERRUPTED_WAIT_S = 1.0


class MapInterrupted(KeyboardInterrupt):
    """Ctrl-C while a map was waited for; what is done is in `result`.

    Attributes
    ----------
    result : AsyncMapResult
        The map, stopped: `result.partial()` are its results by item.
    """

    def __init__(self, result: AsyncMapResult) -> None:
        super().__init__(f"{result.progress} of {len(result)} items are done; see `.result`")
        self.result = result


class _So:
    """Waits until something is so."""

    __slots__ = ("_is_so",)

    def __init__(self, is_so: Callable[[], bool]) -> None:
        self._is_so = is_so

    @property
    def _left(self) -> int:
        return not self._is_so()


class AsyncMapResult:
    """The results of a map, while and after engines work on it.

    Iterating yields each result as it comes, in the order of the items or, with
    ``ordered=False``, in that in which they are done. `get` waits for all.

    Attributes
    ----------
    seed : str
        The seed of the tasks' streams; `rng=` takes it to have the same draws again.
    """

    def __init__(self, client: Client, state: Map, ordered: bool) -> None:
        self._client = client
        self._state = state
        self._ordered = ordered
        self.seed = state.work.seed

    def __repr__(self) -> str:
        if self.ready():
            how = "finished" if self._state.error is None else "failed"
            return f"<AsyncMapResult: {self.name}, {how}, {len(self)} items>"
        return f"<AsyncMapResult: {self.name}, {self.progress} of {len(self)} items>"

    def __len__(self) -> int:
        return self._state.work.length

    @property
    def name(self) -> str:
        """What was called."""
        return self._state.work.label

    @property
    def tasks(self) -> list[int]:
        """The numbers of the tasks under way: an engine's part in the map is one."""
        return list(self._state.tasks)

    @property
    def _left(self) -> int:
        return self._state._left

    # Waiting.

    def ready(self) -> bool:
        """Return whether all that will come has come."""
        return self._wait(lambda: self._state.is_over, 0)

    done = ready

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; return whether it came in time."""
        return self._wait(lambda: self._state.is_over, timeout_s)

    def get(self, timeout_s: float | None = None) -> list[Any]:
        """Wait for the end and return the results in the order of the items.

        Raises
        ------
        Exception
            What the first task raised that was heard of, with its remote traceback, unless
            the map was told ``on_error="return"``.
        TimeoutError
            After `timeout_s` seconds; the map goes on.
        MapInterrupted
            On Ctrl-C: the map stops, what is done is kept.
        """
        if not self.wait(timeout_s):
            raise TimeoutError(
                f"{self.progress} of {len(self)} items are done after {timeout_s} s",
                "it runs on: wait again, or `.stop()` it and see `.partial()`",
            )
        self._raise()
        return list(self._state.results)

    result = get

    @property
    def r(self) -> list[Any]:
        """What `get` returns."""
        return self.get()

    def __iter__(self) -> Iterator[Any]:
        state = self._state
        items: Iterator[int] = iter(range(len(self))) if self._ordered else self._as_done()
        for item in items:
            if state.results[item] is PENDING:
                self._wait(lambda: state.results[item] is not PENDING or state.is_over, None)  # noqa: B023
            if state.results[item] is PENDING or item in state.failures:
                self._raise()
            yield state.results[item]

    def _as_done(self) -> Iterator[int]:
        state = self._state
        for place in itertools.count():
            if place >= len(state.arrived):
                self._wait(lambda: place < len(state.arrived) or state.is_over, None)  # noqa: B023
                if place >= len(state.arrived):
                    self._raise()
                    return
            yield from range(*state.arrived[place])

    def __getitem__(self, item: int | slice) -> Any:
        if isinstance(item, slice):
            return [self[each] for each in range(*item.indices(len(self)))]
        state = self._state
        item = range(len(self))[item]
        self._wait(lambda: state.results[item] is not PENDING or state.is_over, None)
        if state.results[item] is PENDING or item in state.failures:
            self._raise()
        return state.results[item]

    def _wait(self, is_so: Callable[[], bool], timeout_s: float | None) -> bool:
        try:
            return is_so() or self._wait_or_help(is_so, timeout_s)
        except KeyboardInterrupt:
            self._interrupt()
            raise MapInterrupted(self) from None
        finally:
            self._state.notes.warn()

    def _wait_or_help(self, is_so: Callable[[], bool], timeout_s: float | None) -> bool:
        state, client = self._state, self._client
        if state.own is None or state.is_over:
            return client._wait(_So(is_so), timeout_s)
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while not is_so():
            # An engine that waits for its own map is not idle: nobody else may be free to do it.
            if deadline_s is None and state.claims.has_work:
                help_with(state, state.own)
                continue
            left_s = None if deadline_s is None else deadline_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                break
            client._wait(_So(lambda: is_so() or state.claims.has_work), left_s)
        return is_so()

    def _interrupt(self) -> None:
        state = self._state
        self.stop()
        if state.tasks:
            request = {"do": "interrupt", "tasks": list(state.tasks)}
            self._client._link.request(json.dumps(request))
            self._client._wait(_So(lambda: not state.tasks), _INTERRUPTED_WAIT_S)

    def _raise(self) -> None:
        state = self._state
        if state.error is not None:
            raise state.error
        if state.is_over and state.missing:
            done = f"{len(self) - state.missing} of {len(self)} items are done"
            raise TaskAborted(f"the map was stopped: {done}", "`.partial()` are their results")

    # What is there.

    def partial(self, default: Any = None) -> list[Any]:
        """Return the results by item, and `default` for each that has not come."""
        return [default if result is PENDING else result for result in self._state.results]

    @property
    def progress(self) -> int:
        """Items that are done."""
        return self._state.done

    def successful(self) -> bool:
        """Return whether all items have results; only once it is `ready`.

        Raises
        ------
        ValueError
            While the map is under way.
        """
        if not self.ready():
            raise ValueError("the map is under way; hint: `wait` for it, or ask `ready` first")
        return self._state.error is None and not self._state.failures and not self._state.missing

    def exception(self, timeout_s: float | None = None) -> BaseException | None:
        """Wait for the end and return what would be raised."""
        self.wait(timeout_s)
        return self._state.error

    @property
    def failures(self) -> dict[int, BaseException]:
        """The exceptions so far, by item."""
        return dict(self._state.failures)

    @property
    def stdout(self) -> list[str]:
        """What each task has printed."""
        return self._printed(0)

    @property
    def stderr(self) -> list[str]:
        """What each task has printed to `sys.stderr`."""
        return self._printed(1)

    def _printed(self, stream: int) -> list[str]:
        printed = self._state.printed
        return [
            "".join(text for where, text in printed.get(item, ()) if where == stream)
            for item in range(len(self))
        ]

    # Times.

    @property
    def elapsed(self) -> float:
        """Seconds since it began, until its end."""
        ended_s = self._state.ended_s
        return (time.monotonic() if ended_s is None else ended_s) - self._state.began_s

    @property
    def wall_time(self) -> float:
        """Seconds from the beginning to the end."""
        return self.elapsed

    @property
    def serial_time(self) -> float:
        """Seconds that the tasks took, all engines together."""
        return self._state.busy_ns / 1e9

    @property
    def speedup(self) -> float:
        """How many times as long the tasks took together as the map did."""
        return self.serial_time / self.elapsed if self.elapsed else 0.0

    # What can be done.

    def add_done_callback(self, callback: Callable[[AsyncMapResult], object]) -> None:
        """Call `callback(result)` once it is ready, from a thread of the client's."""
        if not self._client._attend(self._state, lambda _: callback(self)):
            callback(self)

    def stop(self) -> None:
        """Let the engines end what they are at and begin no more of this map."""
        client = self._client
        with client._lock:
            if self._state.stop():
                client._ended(self._state)
        client._call_back()

    abort = cancel = stop

    def replay(self, item: int) -> Any:
        """Run one item here, in this process, on the same stream: under a debugger, say.

        Examples
        --------
        >>> import windfall
        >>> with windfall.Cluster(n=2) as rc:
        ...     result = rc.load_balanced_view().map(abs, [-1, -2, -3])
        ...     result.replay(1)
        2
        """
        work = self._state.work
        item = range(len(self))[item]
        arguments = [column[item] for column in work.columns]
        if work.starred:
            arguments = list(arguments[0])
        with randomness.task(work.seed, work.first + item):
            return work.function(*arguments)
