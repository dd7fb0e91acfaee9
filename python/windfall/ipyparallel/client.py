"""A client of a cluster, as IPython Parallel has it."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from .. import _core
from .._cluster import client as core
from .._cluster.errors import ClusterError
from .._cluster.errors import TimeoutError as CoreTimeoutError
from .._cluster.waiting import FAILED, STARTING, Together
from .balanced import LoadBalancedView
from .direct import BroadcastView, DirectView
from .error import EngineError, NoEnginesRegistered
from .executor import ViewExecutor
from .functions import ids_of
from .memory import Memory
from .results import AsyncResult, limit

if TYPE_CHECKING:
    from .cluster import Cluster

_POLL_S = 0.02


class Client(Memory):
    """A connection to a running cluster; index it to get views.

    Parameters
    ----------
    cluster_id, profile : str
        Which cluster: its name. Without either the default one, or the only one that runs.
    timeout : float
        How long to wait until it is there, in seconds.
    **other
        Ports, keys, files and tunnels have no meaning here and are not looked at.

    Attributes
    ----------
    core : windfall.Client
        Windfall's own client.
    history : list of str
        The numbers of the tasks submitted.
    """

    def __init__(
        self,
        connection_info: Any = None,
        *,
        cluster_id: str | None = None,
        profile: str | None = None,
        timeout: float = 10.0,
        cluster: Cluster | None = None,
        **other: Any,
    ) -> None:
        name = cluster_id or profile or connection_info
        running = cluster._started() if cluster is not None else None
        if running is not None:
            self.core = core.Client(running)
        else:
            self.core = core.Client(name, timeout_s=timeout if name else 0.0)
        self.cluster, self.profile = cluster, profile or "default"
        self.block = False
        self._set_up_memory()
        self._activate_once()

    def __repr__(self) -> str:
        return f"<Client of `{self.core.name}`>"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, linger: Any = None) -> None:
        """End the connection; tasks run on."""
        self.core.close()

    # Engines and views.

    @property
    def ids(self) -> list[int]:
        """The numbers of the engines."""
        return self.core.ids

    @property
    def _ids(self) -> list[int]:
        return [n for n, (_, state) in self.core._engines.items() if state != FAILED]

    @property
    def _engines(self) -> dict[int, str]:
        """A name for each engine's process."""
        self.core._drain()
        name = self.core.name
        return {n: f"{name}-{n}-{pid}" for n, (pid, _) in self.core._engines.items()}

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[DirectView]:
        return (self.direct_view(engine) for engine in self.ids)

    def __getitem__(self, key: Any) -> DirectView:
        if not isinstance(key, (int, slice, tuple, list)):
            raise TypeError(f"a client is indexed by numbers, slices or lists, not `{key!r}`")
        return self.direct_view(key)

    def _build_targets(self, targets: Any) -> tuple[list[bytes], list[int]]:
        """Return the names and the numbers of the engines that are meant."""
        ids = self.ids
        if not ids:
            raise NoEnginesRegistered("there are no engines")
        if targets is None or (isinstance(targets, str) and targets == "all"):
            chosen = ids
        elif isinstance(targets, int):
            chosen = [self._engine(targets, ids)]
        elif isinstance(targets, slice):
            chosen = ids[targets]
        elif isinstance(targets, (list, tuple, range)):
            chosen = [self._engine(target, ids) for target in targets]
        else:
            raise TypeError(f"`{targets!r}` is neither a number, a list, a slice nor 'all'")
        names = self._engines
        return [names[engine].encode() for engine in chosen], list(chosen)

    @staticmethod
    def _engine(target: int, ids: list[int]) -> int:
        number = ids[target] if -len(ids) <= target < 0 else target
        if number not in ids:
            raise IndexError(f"there is no engine {target}; there are {ids}")
        return number

    def direct_view(self, targets: Any = "all", **flags: Any) -> DirectView:
        """Return a view of engines, each of which does everything."""
        return DirectView(self, self._targets(targets), **flags)

    def _targets(self, targets: Any) -> Any:
        """Return targets as a view holds them."""
        if targets is None or (isinstance(targets, str) and targets == "all"):
            return "all"
        chosen = self._build_targets(targets)[1]
        return chosen[0] if isinstance(targets, int) else chosen

    def broadcast_view(
        self, targets: Any = "all", is_coalescing: bool = False, **flags: Any
    ) -> BroadcastView:
        """Return a view of engines, each of which does everything."""
        return BroadcastView(self, self._targets(targets), **flags)

    def load_balanced_view(self, targets: Any = None, **flags: Any) -> LoadBalancedView:
        """Return a view of which each task runs on whichever engine is free first."""
        if targets is not None and targets != "all":
            return LoadBalancedView(self, self._build_targets(targets)[1], **flags)
        return LoadBalancedView(self, None, **flags)

    def executor(self, targets: Any = None) -> ViewExecutor:
        """Return a `concurrent.futures.Executor` over the engines."""
        return ViewExecutor(self.load_balanced_view(targets))

    def activate(self, targets: Any = "all", suffix: str = "") -> DirectView:
        """Let `%px` and its kin, with a suffix, run on these engines; return the view."""
        view = self.direct_view(targets)
        view.block = True
        view.activate(suffix)
        return view

    def _activate_once(self) -> None:
        """Have `%px` run here, unless it runs on another cluster that is there."""
        if "IPython" not in sys.modules:
            return
        from .._cluster.magics import is_free

        if is_free(self.core):
            self.activate()

    def wait_for_engines(
        self,
        n: int | None = None,
        *,
        timeout: float | None = -1,
        block: bool = True,
        interactive: bool | None = None,
        widget: Any = None,
    ) -> Any:
        """Wait until so many engines are ready; `TimeoutError` if the time is up."""
        if not block:
            return _in_background(self.wait_for_engines, n, timeout=timeout)
        timeout_s = limit(timeout)
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            try:
                self.core.wait_for_engines(None, timeout_s)
            except CoreTimeoutError:
                raise
            except ClusterError as error:
                raise EngineError("EngineError", str(error)) from error
            ready = [s for _, s in self.core._engines.values() if s not in (STARTING, FAILED)]
            if n is None or len(ready) >= n:
                return None
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"after {timeout} s {len(ready)} of {n} engines are ready")
            time.sleep(_POLL_S)
            self.core._drain()

    # Waiting.

    def wait(self, jobs: Any = None, timeout: float | None = -1) -> bool:
        """Wait for results, or for all; return whether they are there."""
        timeout_s = limit(timeout)
        if jobs is None:
            until: Any = _Idle(self.core)
        else:
            if isinstance(jobs, (AsyncResult, str, int, Future)):
                jobs = [jobs]
            jobs = [self.history[j] if isinstance(j, int) else j for j in jobs]
            futures = [job for job in jobs if isinstance(job, Future)]
            if futures:
                from concurrent.futures import wait

                if wait(futures, timeout_s).not_done:
                    return False
            until = Together(self._cores([j for j in jobs if not isinstance(j, Future)]))
        return self.core._wait(until, timeout_s)

    def _cores(self, jobs: list[Any]) -> list[Any]:
        found: dict[int, Any] = {}
        for job in jobs:
            known = [self._known.get(number) for number in ids_of(job)]
            parts = job._parts if isinstance(job, AsyncResult) else known
            for part in parts:
                if part is not None:
                    found[id(part.core)] = part.core
        return list(found.values())

    def wait_interactive(
        self, jobs: Any = None, interval: float | None = None, timeout: float | None = -1
    ) -> bool:
        """Wait for results, or for all, and show how many are there."""
        numbers = list(self.outstanding) if jobs is None else ids_of(jobs)
        parts = [part for n in numbers if (part := self._known.get(n)) is not None]
        if parts:
            AsyncResult(self, parts, "tasks").wait_interactive(interval, timeout)
        return self.wait(jobs, timeout)

    # Taking back and asking.

    def abort(self, jobs: Any = None, targets: Any = None, block: bool | None = None) -> None:
        """Take back tasks that have not begun: those named, or all of the engines."""
        if jobs is None:
            engines = None if targets is None else self._build_targets(targets)[1]
            self.core.abort(None, engines)
            return
        tasks = [int(n) for n in ids_of(jobs)]
        if tasks:
            self.core.abort(tasks)

    def _cancel(self, tasks: list[int]) -> None:
        """Take back what has not begun and interrupt what runs, without waiting."""
        if tasks and self.core._lost is None:
            self.core._link.request(json.dumps({"do": "abort", "tasks": tasks}))
            self.core._link.request(json.dumps({"do": "interrupt", "tasks": tasks}))

    def send_signal(self, sig: int | str, targets: Any = None, block: bool | None = None) -> None:
        """Send a signal, by number or name, to engines."""
        number = signal.Signals[sig] if isinstance(sig, str) else sig
        if int(number):
            self.core.signal(int(number), self._build_targets(targets)[1])

    def queue_status(self, targets: Any = None, verbose: bool = False) -> dict[Any, Any]:
        """Return how many tasks each engine has in its line, and has completed."""
        told = self.core.queue_status()
        if isinstance(targets, int):
            found: dict[Any, Any] = told[self._build_targets(targets)[1][0]]
            return found
        wanted = {*self._build_targets(targets)[1], "unassigned"} if len(self) else {"unassigned"}
        return {key: value for key, value in told.items() if key in wanted}

    def clear(self, targets: Any = None, block: bool | None = None) -> Any:
        """Forget all names on engines."""
        view = self.direct_view("all" if targets is None else targets)
        return view.clear(block=self.block if block is None else block)

    def shutdown(
        self, targets: Any = None, restart: bool = False, hub: bool = False, block: Any = None
    ) -> None:
        """End engines for good, or have them replaced; with `hub` the whole cluster."""
        if hub:
            self.core.shutdown()
            return
        engines = self._build_targets(targets)[1]
        if restart:
            self.core.restart(engines)
        else:
            self.core.shutdown(engines)

    def spin(self) -> None:
        """Take what has come; it is taken without this, too."""
        self.core._drain()


class _Idle:
    """Waits until no task is under way."""

    def __init__(self, client: core.Client) -> None:
        self._client = client

    @property
    def _left(self) -> int:
        return len(self._client._pending)


def _in_background(function: Any, *args: Any, **kwargs: Any) -> Future[None]:
    """Return a future of what a function returns."""
    import threading

    future: Future[None] = Future()

    def settle() -> None:
        try:
            future.set_result(function(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)

    try:
        function(*args, **{**kwargs, "timeout": 0})
    except Exception:
        threading.Thread(target=settle, daemon=True).start()
    else:
        future.set_result(None)
    return future


def running_clusters() -> list[str]:
    """Return the names of the clusters that run."""
    return list(_core.clusters())
