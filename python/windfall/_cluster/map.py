"""A view's maps: items go to whichever engine is free, results come as they are done."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .._errors import InputError
from .map_dealt import DealtMap
from .map_items import columns
from .map_result import AsyncMapResult
from .map_state import Map, Work
from .nested import seed_within
from .ship import Shipped, name_of, ship

if TYPE_CHECKING:
    from .._rng import RngLike
    from .client import Client

# A window of a lazy map should take about as long, in seconds.
_WINDOW_S = 0.1
_WINDOW_ITEMS_MAX = 100_000
# Windows of a lazy map that are under way at once.
_WINDOWS = 2


class MapOptions(NamedTuple):
    """How a map goes."""

    ordered: bool = True
    on_error: Literal["raise", "return"] = "raise"
    chunk: int | None = None
    timeout_s: float | None = None
    rng: RngLike = None
    label: str = ""

    def checked(self) -> MapOptions:
        """Return the options, after a look at each."""
        if self.on_error not in ("raise", "return"):
            raise InputError(f'`on_error` is `{self.on_error!r}`; it is "raise" or "return"')
        if self.chunk is not None and self.chunk < 1:
            raise InputError(f"`chunk` is `{self.chunk}`; a chunk has at least one item")
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise InputError(f"`timeout_s` is `{self.timeout_s}`; it must be above 0")
        return self


def seed_of(rng: RngLike) -> str:
    """Return the seed that `rng` stands for, as text."""
    if rng is None and (seed := seed_within()) is not None:
        return seed
    if rng is None:
        import secrets

        return str(secrets.randbits(128))
    from .._rng import seed_from

    return str(seed_from(rng))


def start(
    client: Client,
    engines: Sequence[int],
    function: Callable[..., Any] | Shipped,
    iterables: Sequence[Iterable[Any]],
    options: MapOptions,
    starred: bool = False,
    first: int = 0,
) -> AsyncMapResult:
    """Start a map over `iterables` on `engines`; a function that is shipped needs a label."""
    options = options.checked()
    if not engines:
        raise InputError("the view has no engines\nhint: `client.ids` lists those there are")
    if not iterables:
        raise InputError("a map needs something to go over\nhint: map(function, items)")
    found, length = columns(iterables)
    if starred:
        found = [[tuple(arguments) for arguments in itertools.islice(found[0], length)]]
    if isinstance(function, Shipped):
        shipped, label = function, options.label
    else:
        shipped, label = ship(function), options.label or name_of(function)
    work = Work(
        function,
        shipped,
        label,
        found,
        length,
        starred,
        first,
        seed_of(options.rng),
        options.on_error == "raise",
        options.chunk or 0,
        options.timeout_s,
    )
    client._check()
    if client._are_ranks():
        if options.timeout_s is not None:
            raise InputError(
                f"`timeout_s` is `{options.timeout_s}`, and these engines are ranks of MPI, none of"
                " which can be killed alone\nhint: limit the time within the function"
            )
        state: Map = DealtMap(client, work, engines)
    else:
        state = Map(client, work, engines)
    with client._lock:
        state.begin()
    return AsyncMapResult(client, state, options.ordered)


def lazily(
    client: Client,
    engines: Sequence[int],
    function: Callable[..., Any],
    iterables: Sequence[Iterable[Any]],
    options: MapOptions,
    starred: bool = False,
) -> Iterator[Any]:
    """Yield results while items are taken from `iterables` a window ahead."""
    options = options.checked()
    # Items of all windows are numbered through, so that their streams do not depend on windows.
    options = options._replace(rng=int(seed_of(options.rng)))
    first = 0
    rows = zip(*iterables)
    size = 2 * len(engines)
    under_way: list[AsyncMapResult] = []
    try:
        while True:
            while len(under_way) < _WINDOWS:
                window = list(itertools.islice(rows, size))
                if not window:
                    break
                given = [[tuple(r[0]) for r in window]] if starred else list(zip(*window))
                under_way.append(start(client, engines, function, given, options, starred, first))
                first += len(window)
            if not under_way:
                return
            result = under_way.pop(0)
            yield from result
            if result.elapsed < _WINDOW_S:
                size = min(2 * size, _WINDOW_ITEMS_MAX)
    finally:
        for result in under_way:
            result.stop()
