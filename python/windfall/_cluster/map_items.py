"""How the sequences of a map travel: a range as itself, an array mapped, the rest in blocks."""

from __future__ import annotations

import itertools
import pickle
import sys
from collections.abc import Iterable, Sequence, Sized
from typing import Any, NamedTuple, TypeAlias

from .errors import SerializationError
from .pack import pickled

Buffer: TypeAlias = Any  # bytes, memoryview, or anything with the buffer protocol

ALIGN_BYTES = 64
_BLOCK_ITEMS_MAX = 8192
# Blocks for each engine, so that one that steals unpickles little more than it needs.
_BLOCKS_PER_ENGINE = 16


class Blocks(NamedTuple):
    """Items by position: where each block's pickle and its large buffers lie, in bytes."""

    length: int
    places: list[tuple[int, int, list[tuple[int, int]]]]


class Array(NamedTuple):
    """An array by item: where it lies, and what it is."""

    offset: int
    nbytes: int
    dtype: Any
    shape: tuple[int, ...]


Packed: TypeAlias = range | Blocks | Array


class Room:
    """Buffers that will lie one after the other in one segment."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self._end = 0

    def add(self, buffer: Buffer, nbytes: int) -> int:
        """Return the offset at which `buffer` will lie."""
        offset = self._end
        self.buffers.append(buffer)
        self._end += -(-nbytes // ALIGN_BYTES) * ALIGN_BYTES
        return offset


def _pickled(block: list[Any], first: int, buffers: list[Any]) -> bytes:
    """Pickle a block; an error names the item at fault."""
    try:
        return pickled(block, "the items", buffers)
    except SerializationError:
        for item, value in enumerate(block, first):
            pickled([value], f"item {item} of the map", [])
        raise


def hold(segment: Any) -> None:
    """Have this process be known as the owner of a map's segment, for as long as it lives."""
    import fcntl

    fcntl.lockf(segment.fileno(), fcntl.LOCK_EX)


def is_held(segment: Any) -> bool:
    """Return whether the owner of a map's segment, another process, lives."""
    import fcntl

    try:
        fcntl.lockf(segment.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.lockf(segment.fileno(), fcntl.LOCK_UN)
    return False


def columns(iterables: Sequence[Iterable[Any]]) -> tuple[list[Any], int]:
    """Return indexable sequences as long as the shortest one, and that length."""
    sized = [each for each in iterables if isinstance(each, Sized)]
    if not sized:
        rows = list(zip(*iterables))
        return ([list(column) for column in zip(*rows)] if rows else [[]], len(rows))
    length = min(len(each) for each in sized)
    found: list[Any] = []
    for each in iterables:
        if isinstance(each, (list, tuple, range)) or _is_array(each):
            found.append(each)
        else:
            found.append(list(itertools.islice(each, length)))
            length = min(length, len(found[-1]))
    return found, length


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return (
        numpy is not None
        and type(value) is numpy.ndarray
        and value.ndim > 0
        and not value.dtype.hasobject
    )


def pack(column: Any, length: int, order: Sequence[int] | None, engines: int, room: Room) -> Packed:
    """Put the first `length` items of `column` into `room`, as `open_items` will find them."""
    if isinstance(column, range):
        return column[:length]
    if _is_array(column):
        array = column[:length]
        if not array.flags.c_contiguous:
            array = array.copy()
        offset = room.add(array.data if array.nbytes else b"", array.nbytes)
        return Array(offset, array.nbytes, array.dtype, array.shape)
    size = min(_BLOCK_ITEMS_MAX, -(-length // (_BLOCKS_PER_ENGINE * engines)) or 1)
    if order is not None:
        column = [column[item] for item in order]
    places = []
    for first in range(0, length, size):
        buffers: list[pickle.PickleBuffer] = []
        block = column[first : min(first + size, length)]
        if type(block) is not list:
            block = list(block)
        body = _pickled(block, first, buffers)
        offset = room.add(body, len(body))
        raw = [buffer.raw() for buffer in buffers]
        beside = [(room.add(buffer, buffer.nbytes), buffer.nbytes) for buffer in raw]
        places.append((offset, len(body), beside))
    return Blocks(size, places)


def open_items(packed: Packed, memory: memoryview) -> tuple[str, Any, int]:
    """Return what the loop of an engine needs for one sequence, given the segment's memory."""
    if isinstance(packed, range):
        if -(2**63) <= packed.start < 2**63 and -(2**62) < packed.stop < 2**62:
            return "range", packed.start, packed.step
        return "object", packed, 0
    if isinstance(packed, Array):
        return "object", _array(packed, memory), 0
    places = packed.places

    def load(number: int) -> list[Any]:
        offset, nbytes, beside = places[number]
        buffers = [memory[start : start + size] for start, size in beside]
        items: list[Any] = pickle.loads(memory[offset : offset + nbytes], buffers=buffers)
        return items

    return "blocks", load, packed.length


def _array(packed: Array, memory: memoryview) -> Any:
    import numpy

    bytes_ = memory[packed.offset : packed.offset + packed.nbytes]
    return numpy.ndarray(packed.shape, packed.dtype, bytes_)
