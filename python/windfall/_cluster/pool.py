"""Engines as a pool: the interface of the standard library's `multiprocessing.Pool`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .._errors import InputError
from .cluster import Cluster
from .errors import RemoteError, TimeoutError
from .executor import original
from .map_result import AsyncMapResult
from .options import Options
from .results import AsyncResult, as_completed
from .ship import Shipped, name_of, ship
from .views import BalancedView

_AHEAD_PER_ENGINE = 4
"""Chunks that `imap` has under way, for each engine."""


def _for_chunks(function: Callable[..., Any], star: bool) -> Shipped:
    """Return what calls `function` for each item of a list, as it travels."""
    if not callable(function):
        raise TypeError(f"`{function!r}` is not a function")

    def each(items: list[Any]) -> list[Any]:
        return [function(item) for item in items]

    def each_star(items: list[Any]) -> list[Any]:
        return [function(*item) for item in items]

    return ship(each_star if star else each)


def _check_size(size: int) -> None:
    if size < 1:
        raise InputError(f"`chunksize` is `{size}`; a chunk has at least one item")


class PoolResult:
    """The result of a pool's call, as `multiprocessing.pool.AsyncResult`."""

    def __init__(self, parts: Sequence[AsyncResult | AsyncMapResult], is_list: bool) -> None:
        self._parts, self._is_list = parts, is_list

    def get(self, timeout: float | None = None) -> Any:
        """Wait for the result; raise the exception that the function raised."""
        if not self.wait(timeout):
            raise TimeoutError(f"the result is not there after {timeout} s")
        values = [_value(part) for part in self._parts]
        return list(itertools.chain.from_iterable(values)) if self._is_list else values[0]

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is there; false if the time is up before."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for part in self._parts:
            left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not part.wait(left_s):
                return False
        return True

    def ready(self) -> bool:
        """Whether it is there."""
        return all(part.ready() for part in self._parts)

    def successful(self) -> bool:
        """Whether nothing was raised; raises `ValueError` if it is not there."""
        if not self.ready():
            raise ValueError("the result is not there yet\nhint: `.wait()` waits for it")
        return all(part.successful() for part in self._parts)


def _value(part: AsyncResult | AsyncMapResult, timeout_s: float | None = None) -> Any:
    try:
        return part.get(timeout_s)
    except RemoteError as error:
        if error.__cause__ is None:
            raise
        raise original(error) from error


class _Items:
    """An iterator over results, with a time limit on request."""

    def __init__(self, values: Iterator[AsyncResult]) -> None:
        self._parts = values
        self._values: Iterator[Any] = iter(())

    def __iter__(self) -> _Items:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self, timeout: float | None = None) -> Any:
        """Return the next value; raise `TimeoutError` if the time is up."""
        for value in self._values:
            return value
        self._values = iter(_value(next(self._parts), timeout))
        return self.next(timeout)


class Pool:
    """A pool of engines, with the methods of `multiprocessing.Pool`.

    No `__main__` guard is needed; a map without `chunksize` balances itself; an engine that dies
    is replaced, and a call that it ran raises `windfall.EngineError` instead of hanging.

    Parameters
    ----------
    processes : int, optional
        How many engines; as many as there are cores without it.
    initializer : callable, optional
        Called on each engine, with `initargs`, before anything else.
    initargs : tuple
    cluster : Cluster, optional
        Engines that are there already, which the pool leaves running.

    Examples
    --------
    >>> with windfall.Pool(2) as pool:
    ...     pool.map(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        *,
        cluster: Cluster | None = None,
    ) -> None:
        self._owned = None if cluster else Cluster(processes)
        self.client = (cluster or self._owned).client  # type: ignore[union-attr]
        self._view: BalancedView | None = self.client.load_balanced_view()
        self._running: list[PoolResult] = []
        if initializer is not None:
            self.client[:].apply(initializer, *initargs).get()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()

    def __repr__(self) -> str:
        state = "closed" if self._view is None else f"{len(self.client)} engines"
        return f"<Pool: {state}>"

    def apply(
        self, func: Callable[..., Any], args: Iterable[Any] = (), kwds: dict[str, Any] | None = None
    ) -> Any:
        """Call `func(*args, **kwds)` on an engine and wait for the result."""
        return self.apply_async(func, args, kwds).get()

    def apply_async(
        self,
        func: Callable[..., Any],
        args: Iterable[Any] = (),
        kwds: dict[str, Any] | None = None,
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> PoolResult:
        """Call `func(*args, **kwds)` on an engine."""
        part = self._open().apply(func, *args, **(kwds or {}))
        return self._noted(PoolResult([part], is_list=False), callback, error_callback)

    def map(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = None
    ) -> list[Any]:
        """Return `func(item)` of every item, in their order."""
        return list(self.map_async(func, iterable, chunksize).get())

    def starmap(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
    ) -> list[Any]:
        """Return `func(*item)` of every item, in their order."""
        return list(self.starmap_async(func, iterable, chunksize).get())

    def map_async(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> PoolResult:
        """Begin to compute `func(item)` of every item."""
        result = self._map(func, iterable, (chunksize, False))
        return self._noted(result, callback, error_callback)

    def starmap_async(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> PoolResult:
        """Begin to compute `func(*item)` of every item."""
        result = self._map(func, iterable, (chunksize, True))
        return self._noted(result, callback, error_callback)

    def imap(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int = 1
    ) -> _Items:
        """Yield `func(item)` in the order of the items, taking items as engines get free."""
        return _Items(self._lazily(func, iterable, chunksize))

    def imap_unordered(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int = 1
    ) -> _Items:
        """Yield `func(item)` in the order in which they are there."""
        return _Items(self._as_they_come(func, iterable, chunksize))

    def close(self) -> None:
        """Take no more calls."""
        self._view = None

    def join(self) -> None:
        """Wait for what runs, and end the engines; `close` comes first."""
        if self._view is not None:
            raise ValueError("the pool still takes calls\nhint: `pool.close()` first")
        for result in self._running:
            result.wait()
        self.terminate()

    def terminate(self) -> None:
        """End the engines at once."""
        self._view = None
        if self._owned is not None:
            self._owned.stop()

    def _open(self) -> BalancedView:
        if self._view is None:
            raise ValueError("the pool is closed")
        return self._view

    def _map(
        self, func: Callable[..., Any], iterable: Iterable[Any], how: tuple[int | None, bool]
    ) -> PoolResult:
        size, star = how
        items: Sequence[Any] = iterable if isinstance(iterable, (list, range)) else list(iterable)
        if size is None:
            view = self._open()
            result = view.starmap(func, items) if star else view.map(func, items)
            return PoolResult([result], is_list=True)
        _check_size(size)
        chunks = [items[start : start + size] for start in range(0, len(items), size)]
        run = self._runner(func, star)
        parts = [run(chunk) for chunk in chunks]
        return PoolResult(parts, is_list=True)

    def _runner(
        self, func: Callable[..., Any], star: bool
    ) -> Callable[[Sequence[Any]], AsyncResult]:
        """Return what submits a chunk."""
        shipped, options = _for_chunks(func, star), Options(label=name_of(func))
        self._open()
        return lambda chunk: self.client._submit(shipped, ((chunk,), {}), options, None, True)

    def _noted(
        self,
        result: PoolResult,
        callback: Callable[[Any], object] | None,
        error_callback: Callable[[BaseException], object] | None,
    ) -> PoolResult:
        """Call back once all parts are there; keep those that run for `join`."""
        self._running = [each for each in self._running if any(p._left for p in each._parts)]
        self._running.append(result)
        if callback is None and error_callback is None:
            return result

        def tell(_: object) -> None:
            if any(part._left for part in result._parts) or told:
                return
            told.append(True)
            try:
                value = result.get()
            except Exception as error:
                if error_callback is not None:
                    error_callback(error)
                return
            if callback is not None:
                callback(value)

        told: list[bool] = []
        for part in result._parts:
            part.add_done_callback(tell)
        if not result._parts:
            tell(None)
        return result

    def _submitted(
        self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: int
    ) -> Iterator[AsyncResult]:
        _check_size(chunksize)
        run, items = self._runner(func, False), iter(iterable)
        while chunk := list(itertools.islice(items, chunksize)):
            yield run(chunk)

    def _lazily(
        self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: int
    ) -> Iterator[AsyncResult]:
        submitted = self._submitted(func, iterable, chunksize)
        ahead = list(itertools.islice(submitted, self._ahead()))
        while ahead:
            yield ahead.pop(0)
            ahead += itertools.islice(submitted, 1)

    def _as_they_come(
        self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: int
    ) -> Iterator[AsyncResult]:
        submitted = self._submitted(func, iterable, chunksize)
        ahead = list(itertools.islice(submitted, self._ahead()))
        while ahead:
            first = next(as_completed(ahead))
            ahead = [each for each in ahead if each is not first]
            yield first
            ahead += itertools.islice(submitted, 1)

    def _ahead(self) -> int:
        return _AHEAD_PER_ENGINE * max(1, len(self.client))
