"""Sequences cut into parts for engines, and put together again."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from itertools import chain
from typing import Any, TypeAlias

from .._errors import InputError
from . import remote
from .abreast import abreast
from .in_place import sent
from .pack import SEGMENT_BYTES_MIN, Packed, is_mapped, pack, pack_apart

ABREAST_BYTES_MIN = 8 << 20
"""Arrays of at least so many bytes are copied by several threads at once."""

_PIECE_BYTES = 8 << 20

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
    if not flatten and (there := sent(sequence)) is not None:
        calls = [pack(((name, there, place), {}), name) for place in where]
        return remote.keep_shared_part, calls
    if not flatten and _is_large_array(sequence):
        return _scattered_array(name, sequence, where)
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


def _scattered_array(
    name: str, array: Any, where: list[Place]
) -> tuple[Callable[..., Any], list[Packed]]:
    """Return what keeps a part of an array, which is copied once, or not if it need not be."""
    if array.flags.c_contiguous and not is_mapped(array) and where[0][2] is None:
        # Each engine's rows have memory of their own, which is given back when it lets them go.
        pushed: list[tuple[Any, str]] = [
            ((({name: array[slice(*place)]},), {}), f"the part of `{name}`") for place in where
        ]
        return remote.push, abreast([functools.partial(pack, *each) for each in pushed])
    # All map the same memory and see their own rows of it.
    no_names: dict[str, Any] = {}
    calls = [((name, array, place), no_names) for place in where]
    first = pack(calls[0], name)
    return remote.keep_part, [first, *(pack_apart(call, name, first) for call in calls[1:])]


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
    nbytes = sum(value.nbytes for value in values)
    if dist == "b" and (nbytes < ABREAST_BYTES_MIN or len({v.shape[1:] for v in values}) > 1):
        return numpy.concatenate(values)  # which says what does not fit together
    length = sum(map(len, values))
    joined = numpy.empty((length, *values[0].shape[1:]), numpy.result_type(*values))
    if dist == "r":
        for first, value in enumerate(values):
            joined[first :: len(values)] = value
        return joined
    abreast(_copies(joined, values))
    return joined


def _copies(joined: Any, values: list[Any]) -> list[Callable[[], None]]:
    """Return the copying of arrays into one, in pieces of some megabytes."""
    copies: list[Callable[[], None]] = []
    at = 0
    for value in values:
        rows = max(1, len(value) * _PIECE_BYTES // max(1, value.nbytes))
        for low in range(0, len(value), rows):
            piece = value[low : low + rows]
            into = joined[at + low : at + low + len(piece)]
            copies.append(functools.partial(_copy, into, piece))
        at += len(value)
    return copies


def _copy(into: Any, piece: Any) -> None:
    into[...] = piece
