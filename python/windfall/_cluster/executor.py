"""The engines as an executor of the standard library's `concurrent.futures`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from typing import Any, TypeVar

from .errors import RemoteError, TaskAborted
from .results import AsyncResult
from .views import BalancedView

Value = TypeVar("Value")

_ANSWER_S = 0.2
"""How long an engine may take to give a task back, in seconds."""


class ClusterExecutor(Executor):
    """Runs calls on whichever engine is free first; made by `client.executor()`.

    A future raises the exception that the call raised, as other executors do, with the engine's
    traceback as its cause. `shutdown` leaves the engines alone.
    """

    def __init__(self, view: BalancedView) -> None:
        self.view = view
        self._is_shut = False
        self._running: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Value], /, *args: Any, **kwargs: Any) -> Future[Value]:
        """Call `fn(*args, **kwargs)` on an engine."""
        if self._is_shut:
            raise RuntimeError("the executor was shut down")
        result = self.view.apply(fn, *args, **kwargs)
        future = _ClusterFuture(result)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        result.add_done_callback(future.settle)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; wait for those that run, or take back what has not begun."""
        self._is_shut = True
        running = list(self._running)
        if cancel_futures:
            for future in running:
                future.cancel()
        if wait:
            for future in running:
                with contextlib.suppress(CancelledError):
                    future.exception()


class _ClusterFuture(Future[Any]):
    def __init__(self, task: AsyncResult) -> None:
        super().__init__()
        self.task = task

    def cancel(self) -> bool:
        """Take the call back, if it has not begun."""
        if self.done():
            return self.cancelled()
        if self.task.abort():
            # An engine that has it in line answers within milliseconds.
            self.task.wait(_ANSWER_S)
        return self.cancelled()

    def settle(self, result: AsyncResult) -> None:
        """Pass on how the task has ended."""
        error = result.exception()
        if isinstance(error, TaskAborted):
            super().cancel()
        if not self.set_running_or_notify_cancel():
            return
        if error is None:
            self.set_result(result.get())
        elif isinstance(error, RemoteError) and error.__cause__ is not None:
            self.set_exception(original(error))
        else:
            self.set_exception(error)


def original(error: RemoteError) -> BaseException:
    """Return the exception that the task raised, caused by the engine's account of it."""
    found = error.__cause__
    assert found is not None
    error.__cause__ = found.__cause__
    found.__cause__ = error
    return found
