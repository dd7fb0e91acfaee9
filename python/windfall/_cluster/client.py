"""A client of a cluster: its engines, its tasks, its results."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import _core
from .connecting import connect, only_name
from .errors import ClusterError, TimeoutError, hinted
from .options import Options, Tasks, numbers
from .pack import EMPTY_CALL, Packed, pack_call
from .pump import Condition, Pump
from .results import AsyncResult
from .ship import Shipped, name_of, ship
from .waiting import FAILED, Ready, Replaced, Reply, Together

if TYPE_CHECKING:
    from .cluster import Cluster
    from .executor import ClusterExecutor
    from .views import BalancedView, DirectView

_REPLY_S = 30.0
"""How long the controller may take to answer, in seconds."""

_SENT_BYTES_MAX = 128 << 20
"""Functions sent, in bytes, after which they are sent again when they are needed."""


class Client(Pump):
    """A connection to a running cluster.

    Several clients may be connected at once. Index it to get views: `client[:]` is all engines,
    `client[0]` one, `client.load_balanced_view()` whichever is free.

    Parameters
    ----------
    name : str, optional
        The cluster; without it the default one, or the only one that runs.
    timeout_s : float
        How long to wait until it is there, in seconds.

    Raises
    ------
    ClusterError
        If there is no such cluster; the message lists those that run.
    """

    def __init__(self, name: str | None = None, *, timeout_s: float = 0.0) -> None:
        self.name = name if name is not None else only_name()
        super().__init__(connect(self.name, timeout_s))
        self._sent: set[bytes] = set()
        self._sent_bytes = 0
        self._cluster: Cluster | None = None
        self._has_ranks: bool | None = None
        self._drain()
        self._offer_magics()

    @classmethod
    def _of(cls, name: str, link: _core.ClientLink) -> Client:
        """Return the client over a link that is connected."""
        client = cls.__new__(cls)
        client.name = name
        Pump.__init__(client, link)
        client._sent, client._sent_bytes, client._cluster = set(), 0, None
        client._has_ranks = None
        client._drain()
        return client

    def _offer_magics(self) -> None:
        """Have `%px` run on the engines, if this is IPython and no other cluster has it."""
        if "IPython" in sys.modules:
            from .magics import activate_once

            activate_once(self)

    def __repr__(self) -> str:
        if self._lost is not None:
            return f"<Client of `{self.name}`: {self._lost}>"
        return f"<Client of `{self.name}`: {len(self._engines)} engines>"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; tasks run on, and other clients can fetch their results."""
        self._end("this client was closed")

    def _mapping(self) -> tuple[str, list[int] | None]:
        """Return where `on=` runs the shards of a job."""
        return self.name, None

    # Engines and views.

    @property
    def ids(self) -> list[int]:
        """The numbers of the engines."""
        self._drain()
        self._check()
        return [number for number, (_, state) in self._engines.items() if state != FAILED]

    @property
    def pids(self) -> dict[int, int]:
        """The process of each engine."""
        self._drain()
        return {number: pid for number, (pid, _) in self._engines.items()}

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[DirectView]:
        return (self[number] for number in self.ids)

    def __getitem__(self, key: int | slice | Sequence[int]) -> DirectView:
        return self.direct_view(key)

    def direct_view(self, targets: int | slice | Sequence[int] | None = None) -> DirectView:
        """Return a view of some engines, each of which does everything; of all without targets.

        A number stands for that engine and counts from the end if negative; the view's results
        are then single values. A slice selects from `ids`.
        """
        from .views import DirectView

        if isinstance(targets, int):
            return DirectView(self, self._chosen([targets]), single=True)
        return DirectView(self, self._chosen(targets), single=False)

    def load_balanced_view(self, targets: slice | Sequence[int] | None = None) -> BalancedView:
        """Return a view of which each task runs on one engine: whichever is free first."""
        from .views import BalancedView

        return BalancedView(self, None if targets is None else self._chosen(targets))

    def executor(self, targets: slice | Sequence[int] | None = None) -> ClusterExecutor:
        """Return a `concurrent.futures.Executor` over the engines."""
        from .executor import ClusterExecutor

        return ClusterExecutor(self.load_balanced_view(targets))

    def _chosen(self, targets: slice | Sequence[int] | None) -> list[int]:
        ids = self.ids
        if targets is None:
            return ids
        if isinstance(targets, slice):
            return ids[targets]
        chosen: list[int] = []
        for target in targets:
            number = ids[target] if -len(ids) <= target < 0 else target
            if number not in ids:
                raise IndexError(hinted(f"there is no engine `{target}`", f"there are {ids}"))
            chosen.append(number)
        return chosen

    def wait_for_engines(self, n: int | None = None, timeout_s: float | None = 60.0) -> None:
        """Wait until `n` engines are ready, or all that are there; raise if one cannot start."""
        self._drain()
        ready = Ready(self, n)
        in_time = self._wait(ready, timeout_s)
        self._check()
        if ready.has_failed():
            raise ClusterError("engines cannot be started; " + self._last_words())
        if not in_time:
            count = len(self._engines) if n is None else n
            there = ready.count()
            message = f"after {timeout_s} s {there} of {count} engines are ready; "
            raise TimeoutError(message + self._last_words())

    def _last_words(self) -> str:
        engines = self.status()["engines"]
        texts = [f"engine {e['engine']}: {e['text'].strip()}" for e in engines if e["text"].strip()]
        return "what they said:\n" + "\n".join(texts) if texts else "they said nothing"

    # Tasks.

    def _submit(
        self,
        function: Callable[..., Any] | Shipped,
        call: tuple[tuple[Any, ...], dict[str, Any]],
        options: Options,
        targets: list[int] | None,
        balanced: bool = False,
    ) -> AsyncResult:
        """Submit a call: one task on each target, or one on whichever is free first."""
        label = options.label
        if not isinstance(function, Shipped):
            label = label or name_of(function)
            function = ship(function)
        args, kwargs = call
        packed = pack_call(args, kwargs, label) if args or kwargs else (EMPTY_CALL, None)
        return self._submit_packed(function, packed, options, targets, (label, balanced))

    def _submit_packed(
        self,
        shipped: Shipped,
        packed: Packed,
        options: Options,
        targets: list[int] | None,
        how: tuple[str, bool],
    ) -> AsyncResult:
        """Submit a call whose arguments are packed; `how` is its label and whether balanced."""
        (body, segment), (label, balanced) = packed, how
        self._check()
        with self._lock:
            self._send_function(shipped)
            task = self._link.submit(
                targets,
                balanced,
                shipped.name,
                body,
                segment,
                label,
                options.retries,
                options.timeout_s,
                options.depends(),
            )
            if balanced:
                result = self._pending[task] = AsyncResult(self, label, range(task, task + 1))
                return result
            assert targets is not None
            return self._expect(range(task, task + len(targets)), label, targets)

    def _expect(self, tasks: range, label: str, targets: list[int]) -> AsyncResult:
        """Return the result to come of one task on each target. The lock is held."""
        result = AsyncResult(self, label, tasks)
        result._targets, result._single = targets, False
        result._submitted_us = time.time_ns() // 1000
        self._pending.update(dict.fromkeys(tasks, result))
        return result

    def _submit_each(
        self,
        function: Callable[..., Any] | Shipped,
        bodies: list[Packed],
        options: Options,
        targets: list[int],
    ) -> AsyncResult:
        """Submit one call on each target, with arguments of its own that are packed already."""
        shipped = function if isinstance(function, Shipped) else ship(function)
        label = options.label or ("" if isinstance(function, Shipped) else name_of(function))
        with self._submission() as link:
            self._send_function(shipped)
            first = 0
            for target, (body, segment) in zip(targets, bodies):
                task = link.submit(
                    [target], False, shipped.name, body, segment, label, 0, options.timeout_s
                )
                first = first or task
            return self._expect(range(first, first + len(targets)), label, targets)

    def _send_function(self, shipped: Shipped) -> None:
        """Send a function's bytes unless that was done. The lock is held."""
        if shipped.name not in self._sent:
            if self._sent_bytes > _SENT_BYTES_MAX:
                self._sent.clear()
                self._sent_bytes = 0
            self._link.blob(shipped.name, shipped.body)
            self._sent.add(shipped.name)
            self._sent_bytes += len(shipped.body)

    def _wait_for(
        self,
        until: Condition,
        results: AsyncResult | list[AsyncResult],
        timeout_s: float | None,
    ) -> bool:
        """Wait; Ctrl-C ends the tasks of the results that are waited for."""
        try:
            return self._wait(until, timeout_s)
        except KeyboardInterrupt:
            waited_for = _listed(results)
            self._cancel(*(each for each in waited_for if isinstance(each, AsyncResult)))
            for each in waited_for:
                if not isinstance(each, AsyncResult):
                    each.stop()
            raise

    def wait(
        self, results: AsyncResult | Iterable[AsyncResult], timeout_s: float | None = None
    ) -> bool:
        """Wait until all results are there; false if the time is up before."""
        chosen = _listed(results)
        return self._wait_for(Together(list(chosen)), chosen, timeout_s)

    def result(self, tasks: Tasks) -> AsyncResult:
        """Fetch the results of tasks by their numbers, for instance those of a client that died.

        The results of a client that is gone are kept for an hour, in memory up to 64 MiB and
        then on disk up to 4 GiB; so are the latest 16 MiB of those that it had received, unless it
        was closed. What is fetched is kept no longer.
        """
        chosen = numbers(tasks)
        if not chosen:
            raise ClusterError("there are no tasks to fetch")
        if chosen != list(range(chosen[0], chosen[0] + len(chosen))):
            raise ClusterError("the tasks of one result have consecutive numbers")
        result = AsyncResult(self, "result", range(chosen[0], chosen[-1] + 1))
        result._single = len(chosen) == 1
        with self._lock:
            self._pending.update(dict.fromkeys(chosen, result))
        told = self._ask({"do": "fetch", "tasks": chosen})
        if told["unknown"]:
            with self._lock:
                for task in chosen:
                    self._pending.pop(task, None)
            raise ClusterError(
                f"there is no result of the tasks {told['unknown']}",
                "a result is kept if its client is gone, for an hour, until it is fetched",
            )
        return result

    # Rare requests.

    def _ask(self, request: dict[str, Any], timeout_s: float = _REPLY_S) -> dict[str, Any]:
        """Ask the controller and return its answer."""
        with self._submission() as link:
            number = link.request(json.dumps(request))
            self._replies[number] = None
        try:
            if not self._wait(Reply(self._replies, number), timeout_s):
                self._check()
                raise TimeoutError(f"the controller has not answered for {timeout_s} s")
            answer: dict[str, Any] = json.loads(self._replies[number] or "{}")
        finally:
            del self._replies[number]
        if "error" in answer:
            raise ClusterError(answer["error"])
        return answer

    def _cancel(self, *results: AsyncResult) -> None:
        """Take back what has not begun and interrupt what runs, without waiting."""
        tasks = [task for each in results for task in each.tasks if task in self._pending]
        if tasks and self._lost is None:
            self._link.request(json.dumps({"do": "abort", "tasks": tasks}))
            self._link.request(json.dumps({"do": "interrupt", "tasks": tasks}))

    def abort(self, tasks: Tasks | None = None, engines: Sequence[int] | None = None) -> int:
        """Take back tasks that have not begun; return how many: those named, or all of them."""
        request: dict[str, Any] = {"do": "abort", "engines": engines}
        request["tasks"] = None if tasks is None else numbers(tasks)
        return int(self._ask(request)["aborted"])

    def interrupt(self, engines: Sequence[int] | None = None) -> list[int]:
        """Interrupt what engines run, as Ctrl-C would; return the engines."""
        return list(self._ask({"do": "interrupt", "engines": engines})["engines"])

    def signal(self, signal: int, engines: Sequence[int] | None = None) -> list[int]:
        """Send a signal to the processes of engines; return the engines."""
        told = self._ask({"do": "signal", "engines": engines, "signal": int(signal)})
        return list(told["engines"])

    def queue_status(self) -> dict[int | str, Any]:
        """Return for each engine how many tasks are queued, in its line, and completed."""
        told = self._ask({"do": "queue"})
        return {int(key) if key.isdigit() else key: value for key, value in told.items()}

    def status(self) -> dict[str, Any]:
        """Return what the controller knows: engines, clients, tasks."""
        return self._ask({"do": "status"})

    def _are_ranks(self) -> bool:
        """Return whether the engines are ranks of MPI, which share no memory with this client."""
        if self._has_ranks is None:
            self._has_ranks = bool(self.status()["ranks"])
        return self._has_ranks

    def purge(self) -> None:
        """Forget the results of clients that are gone."""
        self._ask({"do": "purge"})

    def restart(self, engines: Sequence[int] | None = None, timeout_s: float | None = 60.0) -> None:
        """Replace engines by fresh ones of the same numbers; what they run is lost."""
        pids = self.pids
        chosen = {engine: pids.get(engine, 0) for engine in engines or pids}
        for engine in chosen:
            self._ask({"do": "restart", "engine": engine})
        self._wait(Replaced(self, chosen), timeout_s)
        self.wait_for_engines(None, timeout_s)

    def add_engines(self, n: int, timeout_s: float | None = 60.0) -> list[int]:
        """Start `n` more engines and wait for them; return their numbers."""
        added = list(self._ask({"do": "add", "n": n})["engines"])
        self.wait_for_engines(None, timeout_s)
        return added

    def shutdown(self, engines: Sequence[int] | None = None) -> None:
        """Let engines end for good, after what they run; all of them: the cluster stops."""
        if engines is None:
            self._ask({"do": "stop"})
        else:
            self._ask({"do": "remove", "engines": list(engines)})


def _listed(results: Any) -> list[Any]:
    return [results] if hasattr(results, "_left") else list(results)
