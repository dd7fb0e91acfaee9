"""The engines of a view as an executor of the standard library's `concurrent.futures`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

from .error import TaskAborted

if TYPE_CHECKING:
    from .results import AsyncResult
    from .views import View


class ViewExecutor(Executor):
    """Runs calls on the engines of a view; `shutdown` waits and leaves the engines alone."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._running: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call `fn(*args, **kwargs)` on the engines."""
        result = self.view.apply_async(fn, *args, **kwargs)
        future = _ViewFuture(result)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        result.add_done_callback(future.settle)
        return future

    def map(self, fn: Callable[..., Any], *iterables: Any, **how: Any) -> Any:
        """Call `fn` for each element of the iterables; yield the values in their order."""
        how.pop("timeout", None)
        how.pop("chunksize", None)
        imap: Any = self.view.imap  # type: ignore[attr-defined]
        return imap(fn, *iterables, **{"max_outstanding": None, **how})

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait until what was submitted has ended; the engines stay."""
        if cancel_futures:
            for future in list(self._running):
                future.cancel()
        if wait:
            self.view.wait()


class _ViewFuture(Future[Any]):
    def __init__(self, task: AsyncResult) -> None:
        super().__init__()
        self.task = task

    def cancel(self) -> bool:
        """Take the call back, if it has not begun."""
        if not self.done():
            self.task.abort()
        return self.cancelled()

    def settle(self, result: AsyncResult) -> None:
        """Pass on how the task has ended."""
        error = result.exception()
        if isinstance(error, TaskAborted):
            super().cancel()
            self.set_running_or_notify_cancel()
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(result.get())
