"""Functions as an engine receives them: what they name is found in what travelled, then here."""

from __future__ import annotations

import builtins
import functools
import pickle
import sys
import types
from collections.abc import Callable
from typing import Any, TypeAlias

from .pack import global_names
from .ship import BY_NAME, INTERACTIVE

_ABSENT: Any = object()

_Space: TypeAlias = tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]
"""The globals of functions, which of their names are lent to them, and which they write."""


def load(body: bytes, namespace: dict[str, Any]) -> Callable[..., Any]:
    """Return the function; names that did not travel with it are those of `namespace`."""
    function: Callable[..., Any] = pickle.loads(memoryview(body)[1:])
    kind = body[:1]
    if kind == BY_NAME:
        return function
    if kind == INTERACTIVE and isinstance(function, types.FunctionType):
        return _here(function, namespace)
    spaces = _open_names(function, namespace)
    return _bound(function, namespace, spaces) if spaces else function


def _here(function: types.FunctionType, namespace: dict[str, Any]) -> types.FunctionType:
    here = types.FunctionType(
        function.__code__,
        namespace,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    here.__kwdefaults__ = function.__kwdefaults__
    here.__qualname__, here.__doc__ = function.__qualname__, function.__doc__
    return here


def _open_names(function: Any, here: dict[str, Any]) -> list[_Space]:
    """Return the names that are to be lent, by the globals of all functions that travelled."""
    names: dict[int, tuple[dict[str, Any], set[str], set[str]]] = {}
    seen: set[int] = set()
    left: list[Any] = [function]
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, functools.partial):
            left += [value.func, *value.args, *value.keywords.values()]
        elif isinstance(value, types.MethodType):
            left.append(value.__func__)
        if not isinstance(value, types.FunctionType) or _is_imported(value):
            continue
        globals_ = value.__globals__
        _, read, written = names.setdefault(id(globals_), (globals_, set(), set()))
        reads, writes = global_names(value.__code__)
        read |= reads
        written |= writes
        left += [globals_[name] for name in reads if name in globals_]
        left += [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
    spaces = []
    for globals_, read, written in names.values():
        missing = {n for n in read if n not in globals_ and not hasattr(builtins, n)}
        if globals_ is not here and (missing or written):
            spaces.append((globals_, tuple(missing - written), tuple(written)))
    return spaces


def _is_imported(function: types.FunctionType) -> bool:
    """Whether the function is a module's own, which has all its names."""
    module = sys.modules.get(function.__globals__.get("__name__", ""))
    return module is not None and vars(module) is function.__globals__


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _bound(
    function: Callable[..., Any], namespace: dict[str, Any], spaces: list[_Space]
) -> Callable[..., Any]:
    """Return the function with its open names lent by `namespace`, call by call.

    So every look-up stays that of an ordinary function. Names that it writes are written back.
    """

    def bound(*args: Any, **kwargs: Any) -> Any:
        for globals_, missing, written in spaces:
            for name in missing:
                value = namespace.get(name, _ABSENT)
                if value is not _ABSENT:
                    globals_[name] = value
                elif name in globals_:
                    del globals_[name]
            for name in written:
                if name in namespace and name not in globals_:
                    globals_[name] = namespace[name]
        try:
            return function(*args, **kwargs)
        finally:
            for globals_, _, written in spaces:
                for name in written:
                    if name in globals_:
                        namespace[name] = globals_[name]
                    else:
                        namespace.pop(name, None)

    bound.__name__ = getattr(function, "__name__", "bound")
    bound.__doc__ = function.__doc__
    bound.__wrapped__ = function  # type: ignore[attr-defined]
    return bound
