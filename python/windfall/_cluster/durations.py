"""How long the items of a function's last map took: the next one begins with the longest."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence

# What is remembered, at most: functions, and items of each.
_FUNCTIONS_MAX = 64
_ITEMS_MAX = 1_000_000
# Below this, on average, the order of items decides nothing, in microseconds.
_SLOW_FROM_US = 100

_remembered: OrderedDict[bytes, array[int]] = OrderedDict()


def remember(function: bytes, durations_us: array[int]) -> None:
    """Remember what each item took, in microseconds; of quick items nothing."""
    count = len(durations_us)
    if not 1 < count <= _ITEMS_MAX or sum(durations_us) < _SLOW_FROM_US * count:
        return
    _remembered[function] = durations_us
    _remembered.move_to_end(function)
    while len(_remembered) > _FUNCTIONS_MAX:
        _remembered.popitem(last=False)


def longest_first(function: bytes, count: int) -> Sequence[int] | None:
    """Return the numbers of `count` items, the longest first, if their durations are known."""
    known = _remembered.get(function)
    if known is None or len(known) != count:
        return None
    return sorted(range(count), key=known.__getitem__, reverse=True)


def forget() -> None:
    """Forget all of it."""
    _remembered.clear()
