"""Results of tasks that may still run, as IPython Parallel has them."""

from __future__ import annotations

import contextlib
import datetime
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION
from typing import TYPE_CHECKING, Any

from .._cluster.errors import ControllerLostError
from .._cluster.show import Live, show
from .._cluster.waiting import Together
from . import waiting
from .error import CompositeError
from .record import KEYS, Metadata, Part

if TYPE_CHECKING:
    from .client import Client

_BAR_S = 0.1
"""How often a progress bar is drawn anew, in seconds."""


def limit(timeout: float | None) -> float | None:
    """Return a time limit in seconds; None and negative numbers mean that there is none."""
    return None if timeout is None or timeout < 0 else timeout


class AsyncResult:
    """The result of a task, or of several: a list."""

    def __init__(
        self,
        client: Client,
        parts: list[Part],
        fname: str = "unknown",
        single: bool = False,
        targets: Any = None,
    ) -> None:
        self._client, self._parts, self._fname = client, parts, fname
        self._single_result, self._targets = single, targets
        self._return_exceptions = False
        self.owner = True
        self._born_s = time.time()
        self.msg_ids = [part.msg_id for part in parts]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._fname}>"

    def __len__(self) -> int:
        return len(self._parts)

    # Waiting.

    def _cores(self) -> list[Any]:
        return list({id(part.core): part.core for part in self._parts}.values())

    def _wait(self, until: Any, timeout: float | None) -> bool:
        """Wait; Ctrl-C takes back what has not begun and interrupts what runs."""
        try:
            return self._client.core._wait(until, timeout)
        except KeyboardInterrupt:
            self.cancel()
            raise

    @property
    def _left(self) -> int:
        return sum(part._left for part in self._parts)

    def ready(self) -> bool:
        """Whether all tasks have ended."""
        if self._left:
            self._client.core._drain()
        return not self._left

    done = ready

    def wait(self, timeout: float | None = -1, return_when: str | None = None) -> Any:
        """Wait until the tasks have ended; return whether they have.

        With `return_when` wait for all, the first, or the first that failed, and return the
        results of those that have ended and of those that have not: two sets.
        """
        until: Any = Together(self._cores())
        if return_when in (FIRST_COMPLETED, FIRST_EXCEPTION):
            until = waiting.First(self._parts, return_when == FIRST_EXCEPTION)
        elif return_when not in (None, ALL_COMPLETED):
            raise ValueError(f"`return_when` is `{return_when}`; there are {waiting.CHOICES}")
        self._wait(until, limit(timeout))
        if return_when is None:
            return not self._left
        done: set[AsyncResult] = set()
        pending: set[AsyncResult] = set()
        for each in self._tasks():
            (pending if each._left else done).add(each)
        return done, pending

    def wait_for_output(self, timeout: float | None = -1) -> bool:
        """Wait until all that the tasks print is here: that is when they have ended."""
        return bool(self.wait(timeout))

    def wait_for_send(self, timeout: float | None = -1) -> None:
        """Return: what a task takes is copied before it is submitted."""

    sent = True
    """Whether what the tasks take may be changed: always."""

    def wait_interactive(
        self,
        interval: float | None = None,
        timeout: float | None = -1,
        widget: Any = None,
        return_when: str | None = ALL_COMPLETED,
    ) -> None:
        """Wait, and show how many of the tasks have ended."""
        deadline = limit(timeout)
        deadline = None if deadline is None else time.monotonic() + deadline
        with waiting.Bar(self._fname, len(self)) as bar:
            while True:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                step = interval or _BAR_S
                done, pending = self.wait(step if left is None else min(step, left), return_when)
                bar.show(self.progress)
                if not pending or left == 0.0:
                    return
                if return_when == FIRST_COMPLETED and done:
                    return
                if return_when == FIRST_EXCEPTION and any(p.failed for p in self._parts):
                    return

    def _check_ready(self) -> None:
        if not self.ready():
            raise TimeoutError("the result is not ready: wait for it by `.get()`")

    def get(
        self,
        timeout: float | None = None,
        return_exceptions: bool | None = None,
        return_when: str | None = None,
    ) -> Any:
        """Wait for the result and return it; raise what the tasks raised."""
        if self._left:
            self.wait(timeout, return_when)
            if return_when == FIRST_EXCEPTION:
                self._raise([part.outcome()[1] for part in self._parts if part.failed])
            if self._left:
                raise TimeoutError(f"{self!r} is not there after {timeout} s")
        if return_exceptions is None:
            return_exceptions = self._return_exceptions
        outcomes = [part.outcome() for part in self._parts]
        if not return_exceptions:
            self._raise([value for succeeded, value in outcomes if not succeeded])
        return self._whole(outcomes)

    result = get

    def _raise(self, errors: list[BaseException]) -> None:
        if not errors:
            return
        for error in errors:
            if self._single_result or isinstance(error, ControllerLostError):
                raise error
        raise CompositeError(f"one or more exceptions raised in: {self._fname}", errors)

    def _whole(self, outcomes: list[tuple[bool, Any]]) -> Any:
        values = [value for _, value in outcomes]
        return values[0] if self._single_result else values

    @property
    def r(self) -> Any:
        """The result, waited for."""
        return self.get()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait, and return the error that `get` would raise; None if there is none."""
        try:
            self.get(timeout, return_exceptions=False)
        except TimeoutError:
            if self._left:
                raise
        except Exception as error:
            return error
        return None

    def successful(self) -> bool:
        """Whether all tasks returned; they must have ended."""
        if not self.ready():
            raise ValueError(f"{self!r} is not ready")
        return not any(part.failed for part in self._parts)

    def get_dict(self, timeout: float | None = -1) -> dict[int | None, Any]:
        """Return the results by engine; `ValueError` if an engine has several."""
        values = self.get(limit(timeout))
        engines = [part.engine for part in self._parts]
        if len(set(engines)) < len(engines):
            raise ValueError("an engine has several results: they cannot be told by engine")
        return dict(zip(engines, [values] if self._single_result else values))

    @property
    def result_dict(self) -> dict[int | None, Any]:
        """The results by engine."""
        return self.get_dict()

    def __iter__(self) -> Iterator[Any]:
        for part in self._parts:
            yield self._next(part)

    def _next(self, part: Part) -> Any:
        self._wait(part, None)
        succeeded, value = part.outcome()
        if not succeeded and not self._return_exceptions:
            raise value
        return value

    def __await__(self) -> Generator[Any, None, Any]:
        import asyncio

        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def settle() -> None:
            if not future.done():
                future.set_result(None)

        def ended(_: AsyncResult) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle)

        self.add_done_callback(ended)
        yield from future.__await__()
        return self.get()

    def add_done_callback(self, fn: Callable[[AsyncResult], object]) -> None:
        """Call `fn(result)` once all tasks have ended."""
        waiting.call_back(self, self._cores(), fn)

    # Parts and wholes.

    def split(self) -> tuple[AsyncResult, ...]:
        """Return a result for each of the tasks."""
        if len(self._parts) == 1 and type(self) is AsyncResult:
            return (self,)
        return tuple(self._alone(part) for part in self._parts)

    def _tasks(self) -> tuple[AsyncResult, ...]:
        """Return a result for each of the tasks."""
        return self.split()

    def _alone(self, part: Part) -> AsyncResult:
        return AsyncResult(self._client, [part], self._fname, True, part.engine)

    @classmethod
    def join(cls, *results: AsyncResult) -> AsyncResult:
        """Return one result of the tasks of several."""
        parts = [part for result in results for part in result._parts]
        names = sorted({result._fname for result in results})
        return AsyncResult(results[0]._client, parts, ",".join(names))

    def abort(self) -> None:
        """Take back the tasks that have not begun."""
        self._client.abort(self)

    def cancel(self) -> bool:
        """Take back the tasks that have not begun and interrupt those that run."""
        self._client._cancel([part.task for part in self._parts if part._left])
        return True

    def cancelled(self) -> bool:
        """Whether a task was taken back."""
        return any(part.record.status == "aborted" for part in self._parts)

    def running(self) -> bool:
        """Whether tasks have not ended."""
        return not self.ready()

    # What is known of the tasks.

    @property
    def metadata(self) -> Metadata | list[Metadata]:
        """What is known of each task."""
        if self._left:
            self._client.core._drain()
        found = [part.metadata for part in self._parts]
        return found[0] if self._single_result else found

    def _known(self, key: str) -> Any:
        metadata = self.metadata
        if isinstance(metadata, list):
            return [each[key] for each in metadata]
        return metadata[key]

    def __getattr__(self, name: str) -> Any:
        if name not in KEYS:
            raise AttributeError(f"`{type(self).__name__}` has no attribute `{name}`")
        return self._known(name)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *KEYS]

    def __getitem__(self, key: int | slice | str) -> Any:
        if isinstance(key, str):
            if key not in KEYS:
                raise KeyError(key)
            return self._known(key)
        values = self.get()
        return [values][key] if self._single_result else values[key]

    @property
    def progress(self) -> int:
        """How many have ended."""
        if self._left:
            self._client.core._drain()
        return sum(part.size for part in self._parts if not part._left)

    def timedelta(self, start: Any, end: Any, start_key: Any = min, end_key: Any = max) -> float:
        """Return the seconds from the earliest of some times to the latest of others."""
        start = start if isinstance(start, datetime.datetime) else start_key(start)
        end = end if isinstance(end, datetime.datetime) else end_key(end)
        return float((end - start).total_seconds())

    def _times(self) -> list[tuple[int, int, int]]:
        events = [part.core._events[part.place] for part in self._parts]
        return [event[4:7] for event in events if event is not None]

    @property
    def elapsed(self) -> float:
        """Seconds since the tasks were submitted, until the last has ended."""
        if self.ready():
            return self.wall_time
        return time.time() - self._born_s

    @property
    def serial_time(self) -> float:
        """Seconds that the tasks took, added up; they must have ended."""
        self._check_ready()
        return sum(completed - started for _, started, completed in self._times()) / 1e6

    @property
    def wall_time(self) -> float:
        """Seconds from the submission to the end of the last task; they must have ended."""
        self._check_ready()
        times = self._times()
        if not times:
            return 0.0
        return (max(each[2] for each in times) - min(each[0] for each in times)) / 1e6

    @property
    def speedup(self) -> float:
        """How many times faster the tasks ran together than one after the other."""
        wall_s = self.wall_time
        return self.serial_time / wall_s if wall_s > 0 else 1.0

    # What was printed.

    def display_outputs(self, groupby: str = "type", result_only: bool = False) -> None:
        """Show what the tasks printed, displayed and came to; `type`, `engine` or `order`."""
        self.wait()
        shown = [part.shown(result_only) for part in self._parts]
        show(shown, groupby, labelled=not self._single_result)

    @contextlib.contextmanager
    def stream_output(self) -> Iterator[AsyncResult]:
        """Show what the tasks print as it comes."""
        with contextlib.ExitStack() as stack:
            for each in self._cores():
                live = Live(each, not self._single_result)

                def watch(*printed: Any, live: Live = live) -> None:
                    live.watch(*printed)
                    live.flush()

                stack.callback(live.flush)
                stack.enter_context(each.watch_output(watch))
            yield self
        sys.stdout.flush()


class AsyncHubResult(AsyncResult):
    """A result that belongs to another client, or to an earlier call."""
