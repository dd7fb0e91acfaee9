"""Sequences cut into parts for engines, and put together again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain
from typing import Any, TypeAlias

from .._errors import InputError
from . import remote
from .pack import SEGMENT_BYTES_MIN, Packed, pack, pack_apart

Place: TypeAlias = tuple[int, "int | None", "int | None"]
"""Start, end and step of a part, as those of a slice."""


def places(length: int, count: int, dist: str) -> list[Place]:
    """Return which elements go to each of `count` engines.

    >>> places(10, 4, "b")
    [(0, 3, None), (3, 6, None), (6, 8, None), (8, 10, None)]
    >>> places(10, 2, "r")
    [(0, None, 2), (1, None, 2)]
    """
    if dist == "r":
        return [(first, None, count) for first in range(count)]
    if dist != "b":
        raise InputError(f"`dist` is `{dist}`; it must be `b` for blocks or `r` for round robin")
    each, more = divmod(length, count)
    ends = [each * n + min(n, more) for n in range(count + 1)]
    return [(start, end, None) for start, end in zip(ends, ends[1:])]


def scattered(
    name: str, sequence: Any, count: int, how: tuple[str, bool]
) -> tuple[Callable[..., Any], list[Packed]]:
    """Return the function that keeps a part of `sequence`, and its packed arguments by engine."""
    dist, flatten = how
    if not hasattr(sequence, "__len__"):
        sequence = list(sequence)
    where = places(len(sequence), count, dist)
    if not flatten and _is_large_array(sequence):
        # All map the same memory and see their own rows of it.
        no_names: dict[str, Any] = {}
        calls = [((name, sequence, place), no_names) for place in where]
        first = pack(calls[0])
        rest = [pack_apart(call, name, first[1]) for call in calls[1:]]
        return remote.keep_part, [first, *rest]
    sliced = getattr(sequence, "iloc", sequence)
    if not hasattr(sliced, "__getitem__") or isinstance(sequence, dict):
        sliced = list(sequence)
    pushed = []
    for place in where:
        part = sliced[slice(*place)]
        if flatten and len(part) == 1:
            part = getattr(part, "iloc", part)[0]
        pushed.append(pack((({name: part},), {}), f"the part of `{name}`"))
    return remote.push, pushed


def _is_large_array(sequence: Any) -> bool:
    numpy = sys.modules.get("numpy")
    if numpy is None or type(sequence) is not numpy.ndarray or sequence.dtype.hasobject:
        return False
    return bool(sequence.nbytes >= SEGMENT_BYTES_MIN and sequence.ndim)


def join(values: list[Any], dist: str) -> Any:
    """Put the parts of a sequence together again."""
    places(0, 1, dist)
    if not values:
        return values
    kind = type(values[0])
    module = kind.__module__.partition(".")[0]
    if module == "numpy" and hasattr(values[0], "dtype"):
        return _joined_arrays(values, dist)
    if module == "pandas":
        import pandas

        joined = pandas.concat(values)
        return joined if dist == "b" else joined.sort_index(kind="stable")
    if module == "polars":
        import polars

        return polars.concat(values)
    if module == "pyarrow":
        import pyarrow

        return pyarrow.concat_tables(values)
    if all(isinstance(value, str) for value in values):
        return list(values)
    if not all(hasattr(value, "__iter__") for value in values):
        return list(values)  # what was scattered flat
    if dist == "b":
        return list(chain.from_iterable(values))
    length = sum(map(len, values))
    return [values[n % len(values)][n // len(values)] for n in range(length)]


def _joined_arrays(values: list[Any], dist: str) -> Any:
    import numpy

    if values[0].ndim == 0:
        return numpy.array(values)
    if len(values) == 1:
        return values[0]
    if dist == "b":
        return numpy.concatenate(values)
    length = sum(map(len, values))
    joined = numpy.empty((length, *values[0].shape[1:]), numpy.result_type(*values))
    for first, value in enumerate(values):
        joined[first :: len(values)] = value
    return joined
