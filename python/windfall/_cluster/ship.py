"""Functions for engines: pickled once while nothing that they refer to can change."""

from __future__ import annotations

import functools
import hashlib
import pickle
import sys
import types
import warnings
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from .errors import CaptureWarning, SerializationError
from .pack import by_value, captured, cloudpickle, global_names, unpicklable

LARGE_BYTES = 8 << 20
"""A function with more than this draws a warning that names its largest variable."""

FUNCTION_BYTES_MAX = 256 << 20
"""A function with more than this is refused."""

# The first byte of a function's bytes.
BY_NAME = b"n"  # a pickle that only names it
BY_VALUE = b"v"  # a pickle of its code and what it refers to
INTERACTIVE = b"i"  # its code alone; every global name is the engine's

_IMMUTABLE: tuple[type, ...] = (
    int,
    float,
    complex,
    str,
    bytes,
    bool,
    type(None),
    range,
    type(...),
    slice,
)
_BUILTIN: tuple[type, ...] = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
)


class Shipped(NamedTuple):
    """A function as it travels."""

    name: bytes
    """The 128-bit BLAKE2b hash of its bytes."""
    body: bytes


class _Entry(NamedTuple):
    function: Callable[[], Any]
    """The function, weakly held."""
    shipped: Shipped
    holds: tuple[Callable[[Any], bool], ...]
    """What must still be true of the function for its bytes to be right."""


_known: dict[int, _Entry] = {}


def ship(function: Callable[..., Any]) -> Shipped:
    """Return a function's name and bytes.

    They are kept while the function lives, if all that it refers to is immutable, a module or
    such a function, and they are made anew once one of its global names means something else.
    """
    entry = _known.get(id(function))
    if entry is not None and entry.function() is function:
        for holds in entry.holds:
            if not holds(function):
                break
        else:
            return entry.shipped
    shipped = _shipped(function)
    checks = _checks(function)
    if checks is not None:
        key = id(function)
        try:
            alive = weakref.ref(function, functools.partial(_forget, key))
        except TypeError:
            return shipped
        _known[key] = _Entry(alive, shipped, tuple(checks))
    return shipped


def interactive(function: types.FunctionType) -> Shipped:
    """Ship the code alone: on an engine every global name is looked up in its namespace."""
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"`{function!r}` is not a function written in Python")
    bare = types.FunctionType(
        function.__code__,
        {"__name__": "__main__"},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    bare.__kwdefaults__ = function.__kwdefaults__
    bare.__module__, bare.__qualname__ = "__main__", function.__qualname__
    bare.__doc__ = function.__doc__
    return _named(INTERACTIVE + by_value(bare, _title(function)))


def _forget(key: int, _: object) -> None:
    _known.pop(key, None)


def _title(function: Callable[..., Any]) -> str:
    return f"`{name_of(function)}`"


def name_of(function: Callable[..., Any]) -> str:
    """Return what people call the function."""
    return getattr(function, "__name__", None) or type(function).__name__


def _named(body: bytes) -> Shipped:
    return Shipped(hashlib.blake2b(body, digest_size=16).digest(), body)


def _shipped(function: Callable[..., Any]) -> Shipped:
    if not callable(function):
        raise TypeError(f"`{function!r}` is not a function")
    if _is_importable(function):
        return _named(BY_NAME + pickle.dumps(function, 5))
    body = by_value(function, _title(function))
    if len(body) > LARGE_BYTES:
        _mind_size(function, len(body))
    return _named(BY_VALUE + body)


def _mind_size(function: Callable[..., Any], nbytes: int) -> None:
    """Say which variable makes the function so large."""
    name, size = "", 0
    for candidate, value in captured(function):
        try:
            length = len(cloudpickle().dumps(value, 5))
        except Exception as error:
            raise unpicklable(value, f"`{candidate}`", error) from error
        if length > size:
            name, size = candidate, length
    what = f"`{name}`, {size / 1e6:.0f} MB," if name else f"{nbytes / 1e6:.0f} MB of data"
    hint = "pass it as an argument (arrays are mapped, not copied), or push it once"
    if nbytes > FUNCTION_BYTES_MAX:
        raise SerializationError(
            f"{what} would travel inside the function {_title(function)}, which may have"
            f" {FUNCTION_BYTES_MAX / 1e6:.0f} MB",
            hint,
        )
    message = f"{what} travels inside the function {_title(function)}\nhint: {hint}"
    warnings.warn(message, CaptureWarning, stacklevel=_stack_level())


def _stack_level() -> int:
    """Return how far up the first frame outside of this package is."""
    level, frame = 2, sys._getframe(2)
    while frame.f_back is not None and ".windfall." in f".{frame.f_globals.get('__name__')}.":
        level, frame = level + 1, frame.f_back
    return level - 1


# What may be kept.


def _is_importable(function: Any) -> bool:
    """Whether an engine finds the function by its name."""
    module = getattr(function, "__module__", None)
    if module is None and isinstance(function, _BUILTIN):
        module = "builtins"
    name = getattr(function, "__qualname__", None)
    if not isinstance(module, str) or module == "__main__" or not isinstance(name, str):
        return False
    package = sys.modules.get("cloudpickle")
    if package is not None and module in package.list_registry_pickle_by_value():
        return False
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is function


def _checks(function: Any) -> list[Callable[[Any], bool]] | None:
    """Return what must stay true for the bytes to be right; None if that cannot be told."""
    if _is_importable(function):
        return []
    if not isinstance(function, types.FunctionType) or function.__dict__:
        return None
    checks: list[Callable[[Any], bool]] = []
    return checks if _look(function, function.__globals__, checks, {id(function)}) else None


def _look(
    function: types.FunctionType,
    namespace: dict[str, Any],
    checks: list[Callable[[Any], bool]],
    seen: set[int],
) -> bool:
    """Add what a function's bytes depend on; false if some of it may change unseen."""
    if function.__globals__ is not namespace:
        return False
    if function.__closure__ and len(seen) > 1:
        return False
    if function.__kwdefaults__ or not all(map(_is_immutable, function.__defaults__ or ())):
        return False
    values: list[Any] = []
    for place, cell in enumerate(function.__closure__ or ()):
        try:
            value = cell.cell_contents
        except ValueError:
            return False
        values.append(value)
        checks.append(_cell_holds(place, value))
    reads, _ = global_names(function.__code__)
    for name in reads:
        if name in namespace:
            values.append(namespace[name])
            checks.append(_global_holds(name, namespace[name]))
        else:
            checks.append(_global_is_absent(name))
    return all(_may_be_kept(value, namespace, checks, seen) for value in values)


def _may_be_kept(
    value: Any,
    namespace: dict[str, Any],
    checks: list[Callable[[Any], bool]],
    seen: set[int],
) -> bool:
    if id(value) in seen or isinstance(value, types.ModuleType) or _is_immutable(value):
        return True
    if callable(value) and _is_importable(value):
        return True
    if isinstance(value, types.FunctionType) and not value.__dict__:
        seen.add(id(value))
        return _look(value, namespace, checks, seen)
    return False


def _is_immutable(value: Any) -> bool:
    if type(value) in _IMMUTABLE:
        return True
    if type(value) in (tuple, frozenset):
        return all(map(_is_immutable, value))
    if isinstance(value, _BUILTIN):
        owner = getattr(value, "__self__", None)
        return owner is None or isinstance(owner, types.ModuleType)
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return False
    return isinstance(value, (numpy.number, numpy.bool_, numpy.ufunc, numpy.dtype))


def _held(value: Any) -> Callable[[], Any]:
    """Hold a function weakly, so that one that refers to itself can go; anything else firmly."""
    if isinstance(value, types.FunctionType):
        return weakref.ref(value)
    return lambda: value


def _global_holds(name: str, value: Any) -> Callable[[Any], bool]:
    held = _held(value)
    return lambda function: function.__globals__.get(name) is held()


def _global_is_absent(name: str) -> Callable[[Any], bool]:
    return lambda function: name not in function.__globals__


def _cell_holds(place: int, value: Any) -> Callable[[Any], bool]:
    held = _held(value)

    def holds(function: Any) -> bool:
        try:
            return function.__closure__[place].cell_contents is held()
        except ValueError:
            return False

    return holds
