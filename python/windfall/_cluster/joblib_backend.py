"""What joblib asks of whoever runs its batches, asked of engines."""

from __future__ import annotations

import contextlib
from abc import ABCMeta
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from joblib.parallel import AutoBatchingMixin, ParallelBackendBase, SequentialBackend

from .. import _core
from .client import Client
from .errors import ClusterError, RemoteError

if TYPE_CHECKING:
    from .cluster import Cluster


class Backend(AutoBatchingMixin, ParallelBackendBase, metaclass=ABCMeta):  # type: ignore[misc]
    """Runs joblib's batches on whichever engine is free first."""

    uses_threads = False
    supports_sharedmem = False
    supports_retrieve_callback = True
    default_n_jobs = -1

    def __init__(self, view: Any = None, **options: Any) -> None:
        super().__init__(**options)
        if callable(view):
            with contextlib.suppress(ClusterError):
                view = view()
        self._given = self._view = None if callable(view) else view
        self._cluster: Cluster | None = None

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return how many batches run at once: negative numbers count from all engines."""
        engines = len(self._view) if self._view is not None else _core.cores()
        if n_jobs == 0:
            raise ValueError("`n_jobs` is 0; it must not be")
        if n_jobs is None or n_jobs < 0:
            return max(1, engines + 1 + (n_jobs or -1))
        return min(n_jobs, engines) if self._view is not None else n_jobs

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
        """Find a cluster, or start one."""
        self.parallel = parallel
        if self._view is None:
            self._view = self._found(n_jobs)
        return self.effective_n_jobs(n_jobs)

    def _found(self, n_jobs: int) -> Any:
        try:
            return Client().load_balanced_view()
        except ClusterError:
            from .cluster import Cluster

            self._cluster = Cluster(n=self.effective_n_jobs(n_jobs))
            return self._cluster.client.load_balanced_view()

    def submit(self, func: Callable[[], Any], callback: Any = None) -> Any:
        """Run a batch on an engine."""
        view: Any = self._view
        result = view.apply_async(_run, func) if _is_theirs(view) else view.apply(_run, func)
        if callback is not None:
            result.add_done_callback(callback)
        return result

    def retrieve_result_callback(self, out: Any) -> Any:
        """Return what a batch came to."""
        return _got(out)

    def retrieve_result(self, out: Any, timeout: float | None = None) -> Any:
        """Wait for a batch and return what it came to."""
        return _got(out, timeout)

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Take back what has not begun."""
        if self._view is not None:
            self._view.abort()

    def terminate(self) -> None:
        """Stop the cluster, if it was started for this."""
        self._view = self._given
        if self._cluster is not None:
            self._cluster.stop()
            self._cluster = None

    def get_nested_backend(self) -> tuple[Any, int | None]:
        """Run what is parallel within a batch in its own process."""
        return SequentialBackend(nesting_level=(self.nesting_level or 0) + 1), None


def _run(batch: Callable[[], Any]) -> Any:
    return batch()


def _is_theirs(view: Any) -> bool:
    return hasattr(view, "apply_async")


def _got(result: Any, timeout: float | None = None) -> Any:
    """Return a result; raise what the batch raised, as other backends do."""
    try:
        return result.get(timeout)
    except Exception as error:
        cause = error.__cause__
        if cause is None or not (isinstance(error, RemoteError) or hasattr(error, "ename")):
            raise
        raise cause from error
