"""Random numbers inside tasks: a stream for each, and an eye on the global generators."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import _core

if TYPE_CHECKING:
    import numpy as np

_STREAM = "map"
_MT19937_WORDS = 624
_FRESH = (623, 624)
"""Where the place in NumPy's words stands before the first draw."""


class GlobalRandomWarning(UserWarning):
    """Tasks drew from a global generator, so that their draws depend on where they ran."""


class _Here(threading.local):
    """The seed of the map that this thread is at, and its generator once it is asked for."""

    seed: str | None = None
    mapped: tuple[str, int] | None = None
    maps: int = 0
    at: tuple[str, int] | None = None
    bits: Any = None
    generator: Any = None


_here = _Here()


def rng() -> np.random.Generator:
    """Return the generator of the task that calls it, on a stream of that task's own.

    The seed is the map's (`rng=`), the stream is that of the item's number: the same draws
    whichever engine runs the task, however often, and none that another task has. Calling it
    again within a task goes on where the last draw was; the generator is the task's own and is
    of no use after it.

    In a task that is not of a map the stream is fresh: nobody gave it a seed.

    Raises
    ------
    RuntimeError
        Outside of tasks.

    Examples
    --------
    >>> import windfall
    >>> with windfall.Cluster(n=2) as rc:
    ...     view = rc.load_balanced_view()
    ...     once = view.map(lambda i: windfall.rng().normal(), range(4), rng=1).get()
    ...     again = view.map(lambda i: windfall.rng().normal(), range(4), rng=1).get()
    >>> once == again
    True
    """
    at = _task()
    if at is None:
        raise RuntimeError(
            "`windfall.rng()` is the generator of a task, and no task is running here;"
            " hint: elsewhere, use numpy.random.default_rng(seed)"
        )
    seed, item = at
    if _here.generator is None:
        import numpy as np

        _here.bits = _core.StreamBits(seed, _STREAM, item)
        _here.generator = np.random.Generator(_here.bits)
    elif _here.at != at:
        _here.bits.move_to(seed, _STREAM, item)
    _here.at = at
    generator: np.random.Generator = _here.generator
    return generator


def _task() -> tuple[str, int] | None:
    """Return the seed and number of the task that runs here."""
    item = _core.current_item()
    if item is not None and _here.seed is not None:
        return _here.seed, item
    from .engine import _engine

    if _engine is None or not _engine.running:
        return None
    # A task of its own: nobody gave it a seed.
    return _fresh_seed(), _engine.task


_fresh: list[str] = []


def _fresh_seed() -> str:
    """Return the seed of this process's tasks that nobody gave one."""
    if not _fresh:
        import secrets

        _fresh.append(str(secrets.randbits(128)))
    return _fresh[0]


def count_map() -> tuple[str, int, int] | None:
    """Return seed and number of the item that runs here, and how many maps it has begun."""
    item = _core.current_item()
    if item is None or _here.seed is None:
        return None
    at = (_here.seed, item)
    _here.maps = _here.maps + 1 if _here.mapped == at else 0
    _here.mapped = at
    return (*at, _here.maps)


@contextlib.contextmanager
def tasks_of(seed: str) -> Iterator[None]:
    """Let the tasks that run within draw from the streams of `seed`."""
    before = _here.__dict__.copy()
    # A task within a task must not move the outer one's generator.
    _here.__dict__.clear()
    _here.seed = seed
    try:
        yield
    finally:
        _here.__dict__.clear()
        _here.__dict__.update(before)


@contextlib.contextmanager
def task(seed: str, item: int) -> Iterator[None]:
    """Be task `item` of a map with that seed."""
    with tasks_of(seed):
        before = _core.set_current_item(item)
        try:
            yield
        finally:
            _core.set_current_item(before)


class Notes:
    """What is to be said of the draws of a map's tasks from global generators, each thing once."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._began: dict[str, dict[str, int]] = {}
        self._equal: set[tuple[str, int]] = set()

    def add(self, engine: int, moved: dict[str, str]) -> None:
        """Take what an engine's `Watch` has seen."""
        for name, began in moved.items():
            seen = self._began.setdefault(name, {})
            if not seen:
                self._waiting.append(
                    f"tasks drew from the global generator of `{name}`: their draws depend on"
                    " the engine that ran them and on what ran there before\nhint: draw from"
                    " `windfall.rng()`, which gives each task a stream of its own"
                )
            other = seen.setdefault(began, engine)
            if began and other != engine and (name, engine) not in self._equal:
                self._equal.add((name, engine))
                self._waiting.append(
                    f"`{name}` began in the same state on the engines {other} and {engine}: their"
                    " tasks drew the same numbers\nhint: draw from `windfall.rng()`"
                )

    def warn(self) -> None:
        """Say it, in the name of whoever called this package."""
        waiting, self._waiting = self._waiting, []
        level, frame = 1, sys._getframe()
        while frame.f_back and frame.f_globals.get("__name__", "").startswith("windfall."):
            level, frame = level + 1, frame.f_back
        for text in waiting:
            warnings.warn(text, GlobalRandomWarning, stacklevel=level)


class Watch:
    """Whether the global generators have moved since they were looked at, and where they began."""

    def __init__(self) -> None:
        self._marks = _marks()
        self._began = _states()

    def moved(self) -> dict[str, str]:
        """Return the names of those that moved, each with a digest of where it began, or ''."""
        now = _marks()
        moved = {}
        for name, mark in now.items():
            is_moved = mark != self._marks[name] if name in self._marks else _is_used(name, mark)
            if is_moved:
                began = self._began.get(name)
                moved[name] = "" if began is None else _digest(began)
        self._marks = now
        return moved


def _marks() -> dict[str, tuple[Any, ...]]:
    marks: dict[str, tuple[Any, ...]] = {}
    random = sys.modules.get("random")
    if random is not None:
        state = random.getstate()[1]
        marks["random"] = (state[-1], state[0])
    words = _numpy_words()
    if words is not None:
        marks["numpy.random"] = (words[_MT19937_WORDS], words[0])
    return marks


def _is_used(name: str, mark: tuple[Any, ...]) -> bool:
    return name == "numpy.random" and mark[0] not in _FRESH


def _numpy_words() -> Any:
    """Return the words of NumPy's global generator where they lie, its place behind them."""
    numpy = sys.modules.get("numpy.random")
    if numpy is None or not hasattr(numpy, "mtrand"):
        return None
    bits = numpy.mtrand._rand._bit_generator
    if type(bits).__name__ != "MT19937":
        return None
    import ctypes

    address = bits.ctypes.state_address
    return (ctypes.c_uint32 * (_MT19937_WORDS + 1)).from_address(address)


def _states() -> dict[str, Any]:
    states = {}
    random = sys.modules.get("random")
    if random is not None:
        states["random"] = random.getstate()[1]
    words = _numpy_words()
    if words is not None:
        states["numpy.random"] = bytes(words)
    return states


def _digest(state: Any) -> str:
    content = state if isinstance(state, bytes) else repr(state).encode()
    return hashlib.blake2b(content, digest_size=8).hexdigest()
