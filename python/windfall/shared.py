"""Memory that processes share, without races: numbers, arrays, locks, queues, barriers.

Each object lies in shared memory without a name. Engines, pools, forked and spawned processes
and threads all see the same one: it can be passed as an argument, put into a queue, pickled, or
inherited by a fork. Whatever is killed, nothing is left behind, a lock does not stay locked, and
threads that wait for one another are told so.

>>> from windfall import shared
>>> total = shared.Value("float64")
>>> total += 0.5
>>> total.value
0.5
"""

from __future__ import annotations

import _thread
import math
import operator
import os
import pickle
import queue as _queue
import sys
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import _core
from ._core import Barrier, Counter, Lock, Value
from ._errors import (
    BrokenBarrierError,
    DeadlockError,
    HolderDiedWarning,
    InputError,
    QueueClosedError,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = [
    "Array",
    "Barrier",
    "BrokenBarrierError",
    "Counter",
    "DeadlockError",
    "HolderDiedWarning",
    "Lock",
    "Queue",
    "QueueClosedError",
    "Value",
]

KEPT_S = 30.0
"""How long an object is kept after it was pickled, for whoever is to open it, in seconds."""

Place = tuple[int, int, int, int]
"""A process that has an object open, its descriptor there, and the object's identity."""

_here: weakref.WeakValueDictionary[tuple[int, int], Any] = weakref.WeakValueDictionary()
_queues: weakref.WeakSet[Queue] = weakref.WeakSet()
_kept: deque[tuple[float, Any]] = deque()
_is_kept = False


class Array:
    """An array in shared memory, which NumPy sees in place.

    Parameters
    ----------
    shape : int or tuple of int
        The shape.
    dtype : dtype, default float64
        Any type of NumPy but objects.
    name : str, optional
        What it is called in messages.

    Attributes
    ----------
    array : numpy.ndarray
        The numbers themselves, zero at first: what one process writes, all see. `a.array[i] += 1`
        reads and writes in two steps, so that of two workers who do so at once one may be lost;
        `add` and `slot` lose nothing.

    Examples
    --------
    >>> from windfall import shared
    >>> counts = shared.Array(3, "int64")
    >>> counts.add(1, 5)
    0
    >>> counts.array
    array([0, 5, 0])
    """

    def __init__(
        self, shape: int | tuple[int, ...], dtype: DTypeLike = "float64", *, name: str | None = None
    ) -> None:
        import numpy as np

        lengths = _lengths(shape)
        kind = np.dtype(dtype)
        if kind.hasobject:
            raise InputError(f"the type `{kind}` holds Python objects, which cannot be shared")
        nbytes = min(math.prod(lengths) * kind.itemsize, sys.maxsize // 2)
        self._view(_core.SharedArray(list(lengths), kind.name, nbytes, name), lengths, kind)

    def _view(self, core: _core.SharedArray, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        nbytes = math.prod(shape) * dtype.itemsize
        self._core = core
        self.array: NDArray[Any] = core.bytes()[:nbytes].view(dtype).reshape(shape)

    @classmethod
    def of(cls, array: ArrayLike, *, name: str | None = None) -> Array:
        """Return a shared copy of `array`; it is copied once."""
        import numpy as np

        values = np.asarray(array)
        made = cls(values.shape, values.dtype, name=name)
        made.array[...] = values
        return made

    def add(self, index: int | tuple[int, ...], x: float) -> Any:
        """Add `x` to one element in one step; return what was there before.

        Elements are int64, uint64 or float64. Costs some 0.3 us, whoever else adds.
        """
        return self._core.add(index, x)

    def slot(self) -> NDArray[Any]:
        """Return the row of the calling worker, a view of `array`.

        A worker is a thread of a process: the same one gets the same row at each call, and no two
        get one row. What a worker that has died wrote stays. The first dimension must be at least
        the number of workers, and counts for at most 4096 of them.
        """
        row: NDArray[Any] = self.array[self._core.slot(), ...]
        return row

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its elements."""
        return self.array.dtype

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return self.array.nbytes

    @property
    def name(self) -> str | None:
        """The name, if it was given one."""
        return self._core.name()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        import numpy as np

        if copy is None and dtype is None:
            return self.array
        return np.array(self.array, dtype=dtype, copy=bool(copy))

    def __getitem__(self, index: Any) -> Any:
        return self.array[index]

    def __len__(self) -> int:
        return len(self.array)

    def __repr__(self) -> str:
        return f"<windfall.shared.Array of {self.shape}, {self.dtype}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduce(self, self._core.send(), self.shape, self.dtype)

    @classmethod
    def _open(cls, place: Place, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        opened = cls.__new__(cls)
        opened._view(_core.SharedArray.open(place, list(shape), dtype.name), shape, dtype)
        return opened


def _lengths(shape: Any) -> tuple[int, ...]:
    try:
        one_or_more = shape if isinstance(shape, (tuple, list)) else (shape,)
        lengths = tuple(map(operator.index, one_or_more))
    except TypeError:
        raise InputError(
            f"`shape` is `{shape!r}`; it must be a whole number or several\n"
            'hint: as in `Array((4, 100), "int64")`'
        ) from None
    if any(length < 0 for length in lengths):
        raise InputError(f"`shape` is `{shape}`; no dimension may be negative")
    return lengths


class Queue:
    """A queue of Python objects, for any number of workers that put and get.

    Parameters
    ----------
    maxsize : int, default 0
        The most items; 0 has no such limit.
    bytes_max : int, default 16 MiB
        The most bytes of pickled items in it, each with at most 15 more. Memory is taken as it is
        used.
    name : str, optional
        What it is called in messages.

    Raises
    ------
    DeadlockError
        If all threads of all processes that have the queue wait, so that nothing can come any more
        (looked for after one second).

    Notes
    -----
    Items go in as copies, by pickle, and come out in the order in which they were put. What was put
    is not lost when any process is killed: one killed while it gets an item has either not taken
    it, or has it and dies with it, at the latest when `get` returns. Waiting workers sleep.

    Examples
    --------
    >>> from windfall import shared
    >>> work = shared.Queue()
    >>> for item in ("a", "b"):
    ...     work.put(item)
    >>> work.close()
    >>> list(work)
    ['a', 'b']
    """

    def __init__(
        self, maxsize: int = 0, *, bytes_max: int = 16 << 20, name: str | None = None
    ) -> None:
        items = maxsize if maxsize > 0 else None
        self._core = _core.SharedQueue(items, bytes_max, name)
        _queues.add(self)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put `item` at the end; wait while there is no room.

        Raises `queue.Full` if there is none in `timeout` seconds, QueueClosedError if closed.
        """
        try:
            self._core.put(pickle.dumps(item, 5), timeout if block else 0.0)
        except TimeoutError:
            raise _queue.Full from None

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the first item; wait while there is none.

        Raises `queue.Empty` if there is none in `timeout` seconds, QueueClosedError if the queue is
        closed and empty.
        """
        try:
            item = self._core.get(timeout if block else 0.0)
        except TimeoutError:
            raise _queue.Empty from None
        return pickle.loads(item)

    def put_nowait(self, item: Any) -> None:
        """Put `item` if there is room, else raise `queue.Full`."""
        self.put(item, block=False)

    def get_nowait(self) -> Any:
        """Take an item if there is one, else raise `queue.Empty`."""
        return self.get(block=False)

    def close(self) -> None:
        """Let nothing more be put; what is in the queue can still be got."""
        self._core.close()

    @property
    def closed(self) -> bool:
        """Whether nothing more can be put."""
        return self._core.closed()

    def qsize(self) -> int:
        """Return how many items are in it just now."""
        return self._core.size()

    def __len__(self) -> int:
        return self._core.size()

    def __bool__(self) -> bool:
        return True

    def empty(self) -> bool:
        """Return whether it is empty just now."""
        return self._core.size() == 0

    def full(self) -> bool:
        """Return whether it has as many items as it may just now."""
        most, _ = self._core.limits()
        return most is not None and self._core.size() >= most

    def __iter__(self) -> Iterator[Any]:
        """Take items until the queue is closed and empty."""
        while True:
            try:
                yield self.get()
            except QueueClosedError:
                return

    @property
    def name(self) -> str | None:
        """The name, if it was given one."""
        return self._core.name()

    def __repr__(self) -> str:
        state = ", closed" if self.closed else ""
        return f"<windfall.shared.Queue of {self.qsize()} items{state}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduce(self, self._core.send())

    @classmethod
    def _open(cls, place: Place) -> Queue:
        opened = cls.__new__(cls)
        opened._core = _core.SharedQueue.open(place)
        _queues.add(opened)
        return opened


_OPENERS: dict[str, Callable[..., Any]] = {
    "Array": Array._open,
    "Barrier": Barrier._open,
    "Counter": Counter._open,
    "Lock": Lock._open,
    "Queue": Queue._open,
    "Value": Value._open,
}


def _reduce(obj: Any, place: Place, *rest: Any) -> tuple[Any, ...]:
    """Return what pickle needs; keep `obj` for a while, for whoever is to open it."""
    _here[place[2:]] = obj
    keep_for_a_while(obj)
    return _open, (type(obj).__name__, place, *rest)


def keep_for_a_while(obj: Any) -> None:
    """Keep what is on its way to another process, which opens it here."""
    global _is_kept
    _sweep()
    _kept.append((time.monotonic() + KEPT_S, obj))
    if not _is_kept:
        _is_kept = True
        # No thread of `threading`: it is not one that could end anybody's wait.
        _thread.start_new_thread(_keep, ())


def _open(kind: str, place: Place, *rest: Any) -> Any:
    """Return this process's object of that identity, or open another process's."""
    found = _here.get(place[2:])
    if found is None:
        found = _here[place[2:]] = _OPENERS[kind](place, *rest)
    return found


def _sweep() -> None:
    now = time.monotonic()
    while _kept and _kept[0][0] <= now:
        _kept.popleft()


def _keep() -> None:
    global _is_kept
    while not sys.is_finalizing():
        try:
            due_s = _kept[0][0]  # and no reference to the object
        except IndexError:
            break
        time.sleep(max(0.01, due_s - time.monotonic()))
        _sweep()
    _is_kept = False


def _before_fork() -> None:
    for one in list(_queues):
        one._core.before_fork()


def _after_fork() -> None:
    global _is_kept
    _core.shared_forked()
    _kept.clear()
    _is_kept = False
    for one in list(_queues):
        one._core.after_fork()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
