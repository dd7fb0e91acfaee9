"""Maps within tasks: an engine that waits for a map does the items that nobody else has begun."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import InputError
from . import randomness
from .failure import describe
from .map_engine import Failure, Report
from .map_items import open_items

if TYPE_CHECKING:
    from .client import Client
    from .map_state import Map
    from .views import BalancedView

_client: Client | None = None


def here() -> BalancedView:
    """Return a view of the cluster on one of whose engines this task runs.

    Its maps may be waited for within a task: an engine that waits does itself what no other has
    begun, so that tasks that start tasks that start tasks come to an end on a single engine too.

    Raises
    ------
    InputError
        Outside of an engine.

    Examples
    --------
    >>> def total(numbers):
    ...     if len(numbers) <= 2:
    ...         return sum(numbers)
    ...     middle = len(numbers) // 2
    ...     return sum(windfall.here().map(total, [numbers[:middle], numbers[middle:]]))
    >>> with windfall.Cluster(n=2) as rc:
    ...     rc[0].apply(total, list(range(10))).get()
    45
    """
    global _client
    engine = own_engine()
    if engine is None:
        raise InputError(
            "`windfall.here()` is for tasks, and this process is not an engine"
            "\nhint: elsewhere, `windfall.Client().load_balanced_view()`"
        )
    if engine.rank is not None:
        raise InputError(
            "`windfall.here()` is for engines of one machine, and this one is a rank of MPI"
            "\nhint: start tasks from the client; ranks speak to one another by mpi4py"
        )
    if _client is None:
        from .client import Client

        _client = Client(engine.cluster)
    return _client.load_balanced_view()


def own_engine() -> Any:
    """Return the engine that this process is, or None."""
    from . import engine

    return engine._engine


def own_slot(client: Client, engines: list[int]) -> int | None:
    """Return the place among `engines` of the one that this process is, if it is its client's."""
    if client is not _client:
        return None
    number = own_engine().id
    return engines.index(number) if number in engines else None


def seed_within() -> str | None:
    """Return a seed for a map within a task: always the same one for the same task."""
    at = randomness.count_map()
    if at is None:
        return None
    digest = hashlib.blake2b(repr(at).encode(), digest_size=16).digest()
    return str(int.from_bytes(digest, "little"))


def help_with(state: Map, slot: int) -> None:
    """Do what can be claimed of a map here, in the thread that waits for it."""
    spec, memory = state.spec, state.memory

    def failed(_: int, error: BaseException) -> Failure:
        failed_here.append(True)
        return Failure(describe(error, 0))

    def report(
        ranges: list[tuple[int, int]], values: list[Any], durations: bytes | None, busy_ns: int
    ) -> None:
        told = Report(ranges, durations, busy_ns, bool(failed_here), [], {})
        with state.client._lock:
            if state.take(state.engines[slot], told, values):
                state.client._ended(state)
        state.client._call_back()

    failed_here: list[bool] = []
    loop = _core.MapLoop(
        state.work.function,
        [open_items(each, memory) for each in spec.sequences],
        failed,
        order=state.order_bytes(),
        first=spec.first,
        starred=spec.starred,
        stops_at_error=spec.stops_at_error,
    )
    with randomness.tasks_of(spec.seed):
        report(*loop.run(state.claims, slot, time.monotonic_ns(), report))
