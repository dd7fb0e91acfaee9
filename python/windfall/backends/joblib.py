"""joblib: orders are calls of a `Parallel`, on whatever backend that has."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import InputError
from .base import (
    IN_FLIGHT,
    LOSSES_MAX,
    TICK_S,
    Backend,
    Session,
    Sizes,
    Told,
    other_version,
    refuse_lacking,
)
from .executor import is_small
from .worker import LACKING, OTHER_VERSION, Parcel, Reply, run, version

if TYPE_CHECKING:
    from .._core import Round


class Joblib(Backend):
    """The workers of joblib.

    Parameters
    ----------
    parallel : joblib.Parallel, joblib.parallel_config, backend, name or the module joblib
        A `Parallel` or a `parallel_config`, of which the number of jobs and the backend are used,
        the rest is not; a backend itself or its name, as "threading"; or the module, for what is
        configured where this is called.
    workers : int, optional
        Of a backend or a name, the number of jobs; all cores if left out.
    shared_storage : bool
        See `Backend`.
    """

    def __init__(
        self, parallel: Any, *, workers: int | None = None, shared_storage: bool = False
    ) -> None:
        import joblib

        self.parallel = parallel = _parallel(parallel, workers)
        kind = type(parallel._backend).__name__
        with joblib.parallel_config(backend=parallel._backend):
            self.workers = max(1, joblib.effective_n_jobs(parallel.n_jobs))
        if self.workers > 1 and not parallel._backend.supports_return_generator:
            raise InputError.with_hint(
                f"joblib's {kind} hands out no result before the last is there",
                'on=joblib.Parallel(n_jobs=4, backend="loky"), or a ProcessPoolExecutor',
            )
        is_here = getattr(parallel._backend, "supports_sharedmem", False)
        self.mapping = "thread-pool" if is_here else "joblib"
        self.name = f"joblib ({kind})"
        self.shared_storage = shared_storage

    def open(self) -> Session:
        return _Calls(self)


class _Calls(Session):
    """A run on a `Parallel`, which asks for orders and hands out replies as it likes."""

    backend: Joblib

    def replies(self, round: Round) -> Iterator[Told | None]:
        before = self.shared
        self.share(round)
        sizes = Sizes(round, self.backend)
        with_parcel = 0 if self.shared is before else IN_FLIGHT * self.workers
        orders = _Orders(round, sizes, self.shared, with_parcel)
        while orders.left:
            found: queue.SimpleQueue[Any] = queue.SimpleQueue()
            caller = threading.Thread(target=self._call, args=(orders, found), daemon=True)
            caller.start()
            try:
                yield from self._drain(round, sizes, orders, found)
            finally:
                orders.is_over = True
                caller.join()
                orders.is_over = False

    def _call(self, orders: _Orders, found: queue.SimpleQueue[Any]) -> None:
        from joblib import Parallel

        ours = self.backend.parallel
        try:
            parallel = Parallel(
                n_jobs=ours.n_jobs,
                backend=ours._backend,
                return_as="generator_unordered",
                pre_dispatch=IN_FLIGHT * self.workers,
                batch_size=1,
                max_nbytes=None,  # joblib would write tables to files that outlive the run
            )
            for numbered in parallel(orders.calls()):
                found.put(numbered)
            found.put(None)
        except BaseException as error:
            found.put(error)

    def _drain(
        self, round: Round, sizes: Sizes, orders: _Orders, found: queue.SimpleQueue[Any]
    ) -> Iterator[Told | None]:
        while True:
            try:
                item = found.get(timeout=TICK_S)
            except queue.Empty:
                yield None
                continue
            except KeyboardInterrupt:
                if round.is_stopped:
                    raise
                round.stop()
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                refuse_lacking(self.name, item)
            if isinstance(item, BrokenExecutor):
                self.lost(item)
                orders.put_all_back()
                return
            if isinstance(item, BaseException):
                raise item
            place, reply = item
            if reply.status == LACKING:
                orders.put_back(place)
                continue
            shards = orders.answered(place)
            if reply.status == OTHER_VERSION:
                raise other_version(self.name, reply.body.decode())
            sizes.saw(shards, reply)
            yield reply.status, reply.body, f"{self.name}, {reply.worker}"

    def lost(self, error: BaseException) -> None:
        """Go on: the next call starts new workers."""
        self._losses += 1
        if self._losses > LOSSES_MAX:
            raise error


class _Order(NamedTuple):
    body: bytes
    shards: int
    is_lacking: bool = False


class _Orders:
    """What a `Parallel` is given, one order after the other, on whatever thread it asks."""

    def __init__(self, round: Round, sizes: Sizes, shared: Parcel | None, with_parcel: int) -> None:
        self.round, self.sizes, self.shared = round, sizes, shared
        self.with_parcel = with_parcel
        """How many of the first orders carry what the job reads, be it large."""
        self.is_over = False
        self.again: deque[_Order] = deque()
        self._flying: dict[int, _Order] = {}
        self._count = 0
        self._lock = threading.Lock()

    @property
    def left(self) -> bool:
        """Whether there is something to do."""
        return not self.round.is_stopped and bool(self.round.left or self.again)

    def calls(self) -> Iterator[Any]:
        from joblib import delayed

        while self.left and not self.is_over:
            with self._lock:
                order = self.again.popleft() if self.again else self._take()
                place, self._count = self._count, self._count + 1
                self._flying[place] = order
            is_with = order.is_lacking or place < self.with_parcel or is_small(self.shared)
            sent = self.shared if is_with else None
            yield delayed(_numbered)(place, order.body, sent, version())

    def _take(self) -> _Order:
        return _Order(*self.round.take(self.sizes.next()))

    def answered(self, place: int) -> int:
        """Take down that an order has come back; return its number of shards."""
        with self._lock:
            return self._flying.pop(place).shards

    def put_back(self, place: int) -> None:
        """Do an order again whose worker lacks what it is to read."""
        with self._lock:
            self.again.append(self._flying.pop(place)._replace(is_lacking=True))

    def put_all_back(self) -> None:
        """Do again what has not come back."""
        with self._lock:
            self.again.extend(self._flying.values())
            self._flying.clear()


def _numbered(place: int, order: bytes, parcel: Parcel | None, needed: str) -> tuple[int, Reply]:
    reply = run(order, parcel, needed)
    if reply.status == LACKING:
        # joblib would send one order after the other here before the first is sent anew.
        time.sleep(TICK_S)
    return place, reply


def _parallel(given: Any, workers: int | None) -> Any:
    """Return the `Parallel` that something of joblib's stands for."""
    import joblib
    from joblib.parallel import ParallelBackendBase

    is_backend = isinstance(given, (str, ParallelBackendBase))
    if workers is not None and not is_backend:
        raise InputError.with_hint(
            f"`workers` is `{workers}`, and `{given!r}` says its own number of jobs",
            "leave it out",
        )
    if isinstance(given, joblib.Parallel):
        return given
    told: dict[str, Any] = {}
    if is_backend:
        told = {"backend": given, "n_jobs": -1 if workers is None else workers}
    elif isinstance(given, joblib.parallel_config):
        told = {key: given.parallel_config[key] for key in ("backend", "n_jobs")}
    elif given is not joblib:
        raise _no_joblib(given)
    try:
        return joblib.Parallel(**told)
    except ValueError as error:
        raise _no_joblib(given) from error


def _no_joblib(given: Any) -> InputError:
    return InputError.with_hint(
        f"`{given!r}` is no joblib.Parallel, nor a backend of joblib",
        'on=joblib.Parallel(n_jobs=-1), or windfall.backends.Joblib("loky", workers=4)',
    )
