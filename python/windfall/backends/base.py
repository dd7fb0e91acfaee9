"""What every backend has in common: orders of the right size, replies as they come."""

from __future__ import annotations

import queue
import re
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from .. import __version__
from .._core import order_s
from .._errors import InputError, UnsupportedError
from .worker import LACKING, OTHER_VERSION, Parcel, Reply, version

if TYPE_CHECKING:
    from .._core import Round

TICK_S = 0.05
"""The longest time without a look at signals and progress."""

OVERHEAD_SHARE = 0.016
"""The share of a worker's time that orders may cost, where there is work enough.

What the workers' machine does for orders meanwhile, and the small orders at the end of a round,
are as much again and more: with all of it, 5 % is the most that scheduling is to take.
"""

ORDER_S = 0.25
"""How long an order runs at least, where there is work enough: what a stop waits for."""

WORTH = 6
"""How many times its cost an order should last at least, towards the end of a round."""

ORDERS_A_WORKER = 4
"""How many orders a worker gets at least, where there are shards enough: all end together."""

IN_FLIGHT = 2
"""Orders under way for each worker: one that runs, one that waits."""

LOSSES_MAX = 3
"""How often a run may lose workers before it is an error."""

REPLY_BYTES_MAX = 64 << 20
"""How large a reply is to get at most, by the largest shards so far; one shard may be larger."""

GAPS = 8
"""Of how many orders the time between them is looked at."""

CAUSES_MAX = 5
"""How many causes of causes are looked at."""

Told: TypeAlias = tuple[int, bytes, str]
"""How an order ended, its bytes, and the worker."""


class Future(Protocol):
    """What engines give for an order; those of `concurrent.futures`, Dask and Ray agree on it."""

    def add_done_callback(self, fn: Any, /) -> Any: ...
    def cancel(self) -> Any: ...
    def result(self) -> Any: ...


class Backend:
    """An engine that runs orders.

    Attributes
    ----------
    name : str
        What users call it.
    workers : int
        How many orders it runs at once.
    mapping : str
        What the planner calls it: a row of its table of costs.
    cost_s : float
        The seconds of a worker that an order costs beside its shards while all workers are busy:
        it sizes orders, until a run has seen that they cost more. That of the planner's row,
        unless it is set.
    reply_bytes_max : int
        How large a reply may be; a single shard is sent whatever it gives.
    shared_storage : bool
        Whether workers read the same files by the same absolute paths; a table that came from a
        file is then read there, and known by its content hash.
    """

    name: str = "backend"
    workers: int = 1
    mapping: str = "pool"
    reply_bytes_max: int = REPLY_BYTES_MAX
    shared_storage: bool = False

    @cached_property
    def cost_s(self) -> float:
        return order_s(self.mapping)

    def open(self) -> Session:
        """Return the backend for one run; it is to be closed."""
        return Session(self)

    def share(self, parcel: Parcel) -> Any:
        """Bring a parcel to the workers, or as near as the engine can; return what names it."""
        return parcel

    def unshare(self, shared: Any) -> None:
        """Forget what `share` has brought."""

    def submit(self, order: bytes, shared: Any, *, is_lacking: bool) -> Future:
        """Let a worker do what an order asks for: a future of a `Reply`.

        `is_lacking` says that a worker has had the order without what it needs to read.
        """
        raise NotImplementedError

    def losses(self) -> tuple[type[BaseException], ...]:
        """Return the exceptions that say that workers were lost."""
        return (BrokenExecutor,)

    def revive(self, error: BaseException) -> bool:
        """Make the engine fit for use after `error`; false if that cannot be."""
        return False

    def close(self) -> None:
        """End what this object has started itself."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, workers={self.workers})"


class Sizes:
    """How many shards the next order takes, from what the orders before have cost."""

    def __init__(
        self, round: Round, backend: Backend, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._round = round
        self._workers = backend.workers
        self._cost_s = backend.cost_s
        self._clock = clock
        self._bytes_max = backend.reply_bytes_max
        self._shard_bytes = 1.0
        self._most = max(1, round.left // (ORDERS_A_WORKER * backend.workers))
        self._shard_s: float | None = None
        self._is_rough = True
        self._ended: dict[str, float] = {}
        """When each worker's last reply came."""
        self._gaps: deque[float] = deque(maxlen=GAPS)

    def next(self) -> int:
        """Return how many shards to take."""
        if self._shard_s is None or self._round.is_long:
            return 1
        cost_s = self._cost_s
        if len(self._gaps) == GAPS:
            cost_s = max(cost_s, statistics.median(self._gaps))
        fit = int(max(ORDER_S, cost_s / OVERHEAD_SHARE) / max(self._shard_s, 1e-9))
        # Less towards the end, so that no worker waits long for another, but worth its cost.
        fair = -(-self._round.left // (2 * self._workers))
        worth = int(WORTH * cost_s / max(self._shard_s, 1e-9))
        whole = int(self._bytes_max / self._shard_bytes)
        return max(1, min(fit, whole, self._most, max(fair, worth), self._round.left))

    def saw(self, shards: int, reply: Reply) -> None:
        """Learn from an order. A worker's first builds the problem: it counts till others come."""
        each = reply.seconds / max(shards, 1)
        self._shard_bytes = max(self._shard_bytes, len(reply.body) / max(shards, 1))
        now = self._clock()
        before = self._ended.get(reply.worker)
        self._ended[reply.worker] = now
        if before is not None:
            # Another order was waiting already, so that what a worker does not fill is a cost.
            self._gaps.append(max(0.0, now - before - reply.seconds))
        if self._shard_s is None or (before is None and each < self._shard_s):
            self._shard_s = each
        elif before is not None:
            self._shard_s = each if self._is_rough else 0.5 * (self._shard_s + each)
            self._is_rough = False


class _Order(NamedTuple):
    body: bytes
    shards: int


class Session:
    """A backend during one run: what `_core.Problem.solve` is given."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.name, self.workers = backend.name, backend.workers
        self.shared_storage = backend.shared_storage
        self._parcel: Parcel | None = None
        self.shared: Any = None
        """The parcel as the workers get it."""
        self._losses = 0

    def share(self, round: Round) -> None:
        """Share the round's parcel, once for all rounds that read the same."""
        parcel = None if round.parcel is None else Parcel(*round.parcel)
        if parcel is None or (self._parcel is not None and parcel.name == self._parcel.name):
            return
        self._unshare()
        self._parcel, self.shared = parcel, self.backend.share(parcel)

    def close(self) -> None:
        """Take back what was shared."""
        self._unshare()
        self.backend.close()

    def _unshare(self) -> None:
        if self.shared is not None:
            self.backend.unshare(self.shared)
            self.shared = None

    def replies(self, round: Round) -> Iterator[Told | None]:
        """Send the orders of a round; yield replies as they come, and now and then nothing."""
        return _Flight(self, round).replies()

    def lost(self, error: BaseException) -> None:
        """Go on after workers were lost, or raise."""
        self._losses += 1
        if self._losses > LOSSES_MAX or not self.backend.revive(error):
            raise error
        if self._parcel is not None:
            self.shared = self.backend.share(self._parcel)


class _Flight:
    """The orders of one round that are under way."""

    def __init__(self, session: Session, round: Round) -> None:
        self.session, self.round = session, round
        self.backend = session.backend
        self.sizes = Sizes(round, self.backend)
        self.done: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self.flying: dict[Future, tuple[_Order, int]] = {}
        self.again: deque[_Order] = deque()
        self.is_cancelled = False
        self.generation = 0
        """How often the engine was revived."""

    def replies(self) -> Iterator[Told | None]:
        self.session.share(self.round)
        try:
            while True:
                try:
                    if not self._fill():
                        return
                    told = self._next()
                except KeyboardInterrupt:
                    if self.round.is_stopped:
                        raise
                    self.round.stop()
                    continue
                finally:
                    if self.round.is_stopped:
                        self._cancel()
                yield told
        finally:
            self._cancel()

    def _next(self) -> Told | None:
        """Return the next reply, or nothing after a while or if there is none to tell."""
        try:
            return self._take(self.done.get(timeout=TICK_S))
        except queue.Empty:
            return None

    def _fill(self) -> bool:
        """Send orders until all workers have enough; whether any are under way."""
        room = IN_FLIGHT * self.backend.workers
        while len(self.flying) < room:
            if self.round.is_stopped:
                break
            if self.again:
                self._send(self.again.popleft())
            elif self.round.left:
                self._send(_Order(*self.round.take(self.sizes.next())))
            else:
                break
        return bool(self.flying)

    def _send(self, order: _Order, *, is_lacking: bool = False) -> None:
        shared = self.session.shared
        try:
            future = self.backend.submit(order.body, shared, is_lacking=is_lacking)
        except self.backend.losses() as error:
            self._lost(error, self.generation, order)
            return
        self.flying[future] = (order, self.generation)
        future.add_done_callback(self.done.put)

    def _take(self, future: Future) -> Told | None:
        order, generation = self.flying.pop(future)
        losses: tuple[type[BaseException], ...] = (CancelledError, *self.backend.losses())
        try:
            reply = Reply(*future.result())
        except BaseException as error:
            refuse_lacking(self.backend.name, error)
            if not isinstance(error, losses):
                raise
            if not self.round.is_stopped:
                self._lost(error, generation, order)
            return None
        if reply.status == LACKING:
            self._send(order, is_lacking=True)
            return None
        if reply.status == OTHER_VERSION:
            raise other_version(self.backend.name, reply.body.decode())
        self.sizes.saw(order.shards, reply)
        return reply.status, reply.body, f"{self.backend.name}, {reply.worker}"

    def _lost(self, error: BaseException, generation: int, order: _Order) -> None:
        # All that were under way come back so; the engine is revived for the first.
        if generation == self.generation:
            self.session.lost(error)
            self.generation += 1
        self.again.append(order)

    def _cancel(self) -> None:
        """Take back what has not begun; once."""
        flying = [] if self.is_cancelled else list(self.flying)
        self.is_cancelled = True
        for future in flying:
            future.cancel()


NONE_THERE = "no such module"
"""What stands for the version of workers that have no Windfall."""


def other_version(name: str, there: str) -> UnsupportedError:
    """Return the error for workers that have another Windfall, or none."""
    return UnsupportedError.with_hint(
        f"a worker of {name} has windfall {there}, this process {version()}: the same job could"
        " give other bytes there",
        f"pip install windfall=={__version__} where the workers of {name} start",
    )


def refuse_lacking(name: str, error: BaseException) -> None:
    """Raise if `error`, or what caused it, says that a worker cannot import Windfall.

    Engines tell of it by the exception, by one of their own, or by a remote traceback as text.
    """
    link: BaseException | None = error
    for _ in range(CAUSES_MAX):
        if link is None:
            return
        if re.search(r"No module named 'windfall['.]", str(link)):
            raise other_version(name, NONE_THERE) from error
        link = link.__cause__


def count_of(workers: int | None, found: Any, name: str) -> int:
    """Return how many workers there are: as was said, or as was found."""
    count = found if workers is None else workers
    if not isinstance(count, int) or count < 1:
        raise InputError(f"{name} has `{count}` workers; say how many: workers=4")
    return count
