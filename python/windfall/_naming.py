"""Name code by what it does: a digest of a function and of all that it reads.

Equal names mean the same code and data, in whatever process and file: bytecode, constants,
defaults, closures, globals, functions that it calls. What is installed counts by its name and
version; names of files, line numbers and addresses do not count. What code finds by a text while
it runs, as by `globals()[name]` or in a file, is not seen.
"""

from __future__ import annotations

import copyreg
import ctypes
import functools
import hashlib
import platform
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ._errors import InputError
from ._reads import at, globals_of, home_of, package_of, place_of

Node: TypeAlias = tuple[str, Iterable[bytes]]
"""What a value is, and the names of its parts."""


class Name(NamedTuple):
    """The name of code."""

    digest: str
    """64 hexadecimal digits."""
    language: str
    """The version of Python whose bytecode it is."""


def name_of(value: Any) -> Name:
    """Return the name of a function, or of anything that holds functions and data.

    Raises `InputError` where a part cannot be named, because it stands for something of this
    process alone: a lock, an open file, an address.

    >>> name_of(lambda x: x + 1) == name_of(lambda x: x + 1)
    True
    >>> name_of(lambda x: x + 1) == name_of(lambda x: x + 2)
    False
    """
    language = f"{platform.python_implementation()} {sys.version_info[0]}.{sys.version_info[1]}"
    namer = _Namer()
    try:
        return Name(namer.of(value).hex(), language)
    except RecursionError as error:
        raise namer.refusal(value, error) from error


class _Namer:
    """A walk through all that a value holds."""

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}
        self._held: list[Any] = []  # what is known stays alive, and its address its own
        self._open: dict[int, int] = {}
        self._path: list[str] = []

    def of(self, value: Any, what: str = "") -> bytes:
        """Return the name of `value`; `what` says to people what it is."""
        key = id(value)
        if key in self._known:
            return self._known[key]
        depth = len(self._open)
        if key in self._open:
            return _hash("cycle", [b"%d" % (depth - self._open[key])])
        self._open[key] = depth
        self._path.append(what)
        tag, parts = self._node(value)
        name = _hash(tag, parts)
        self._path.pop()
        del self._open[key]
        self._held.append(value)
        self._known[key] = name
        return name

    def refusal(self, value: Any, error: object) -> InputError:
        """Return the error that `value`, where the walk stands, has no name."""
        labels: list[str] = []
        for label in filter(None, reversed(self._path)):
            labels.append(label)
            if not label.startswith("the entry") or len(labels) == _LABELS_MAX:
                break
        where = " of ".join(labels) or "it"
        return InputError.with_hint(
            f"`checkpoint` names the function by what it holds, and {where}, of type"
            f" `{type(value).__name__}`, has no name that another process would find: {error}",
            "make it inside the function, hold plain data, or leave `checkpoint` out",
        )

    def _node(self, value: Any) -> Node:
        kind = type(value)
        plain = _PLAIN.get(kind)
        if plain is not None:
            return kind.__name__, [plain(value)]
        walk = _WALKS.get(kind)
        if walk is not None:
            return walk(self, value)
        if isinstance(value, type):
            return self._class(value)
        place = place_of(value)
        if place is not None:
            return "installed", [place.encode()]
        if package_of(kind.__module__).startswith("numba "):
            return self._numba(value)
        return self._object(value)

    def _all(self, values: Iterable[Any]) -> list[bytes]:
        return [self.of(value) for value in values]

    def _row(self, value: Any) -> Node:
        return type(value).__name__, self._all(value)

    def _set(self, value: Any) -> Node:
        return type(value).__name__, sorted(self._all(value))

    def _mapping(self, value: Any) -> Node:
        label = "the entry `{!r:.40}`".format
        pairs = ((self.of(key), self.of(item, label(key))) for key, item in value.items())
        return "dict", [part for pair in pairs for part in pair]

    def _array(self, value: np.ndarray[Any, Any]) -> Node:
        layout = repr((value.shape, value.flags.c_contiguous, value.flags.f_contiguous))
        if value.dtype.hasobject:
            return "array", [layout.encode(), self.of(value.tolist())]
        return "array", [layout.encode(), self.of(value.dtype), value.tobytes()]

    def _cell(self, value: types.CellType) -> Node:
        try:
            held = [value.cell_contents]
        except ValueError:  # nothing was put into it yet
            held = []
        return "cell", self._all(held)

    def _code(self, code: types.CodeType) -> Node:
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        handlers = getattr(code, "co_exceptiontable", b"")
        spelled = [repr(counts).encode(), repr(names).encode()]
        return "code", [code.co_code, handlers, *spelled, *self._all(code.co_consts)]

    def _function(self, function: types.FunctionType) -> Node:
        # What it says of its module may be another's, as `functools.wraps` has it.
        home, place = function.__globals__.get("__name__"), function.__qualname__
        package = package_of(home)
        for module in (home, function.__module__) if package else ():
            if package_of(module) and at(module, place) is function:
                return "installed", [package.encode(), f"{home}.{place}".encode()]
        label = f"`{function.__name__}`"
        # `__wrapped__` and its like: what was put on a function can change what it does.
        parts = [self.of(function.__code__), self.of(function.__dict__, f"an attribute of {label}")]
        for name, value in _defaults(function):
            parts += [name.encode(), self.of(value, f"the default `{name}` of {label}")]
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            parts.append(self.of(cell, f"the closure variable `{name}` of {label}"))
        if package:
            return "function", [package.encode(), *parts]
        for name, value in sorted(globals_of(function.__code__, function.__globals__).items()):
            parts += [name.encode(), self.of(value, f"the global `{name}` of {label}")]
        return "function", parts

    def _module(self, module: types.ModuleType) -> Node:
        package = package_of(module.__name__)
        if package:
            return "installed", [package.encode(), module.__name__.encode()]
        file = getattr(module, "__file__", None)
        if file is None:
            if hasattr(module, "__path__"):
                return "namespace", [module.__name__.encode()]
            raise self.refusal(module, "it has no source")
        parts = [module.__name__.encode(), Path(file).read_bytes()]
        for name, value in sorted(vars(module).items()):
            home = value if isinstance(value, types.ModuleType) else home_of(value)
            if home is not None and home is not module:
                parts += [name.encode(), self.of(home, f"the module `{home.__name__}`")]
        return "module", parts

    def _class(self, kind: type) -> Node:
        package = package_of(kind.__module__)
        place = f"{kind.__module__}.{kind.__qualname__}"
        is_built_in = not kind.__flags__ & _MADE_BY_CLASS
        if is_built_in or (package and at(kind.__module__, kind.__qualname__) is kind):
            return "installed", [package.encode(), place.encode()]
        parts = [kind.__name__.encode(), package.encode(), self.of(type(kind))]
        parts += self._all(kind.__bases__)
        for name, value in vars(kind).items():
            if name not in _OF_EVERY_CLASS and not isinstance(value, _SLOTS):
                label = f"`{name}` of the class `{kind.__name__}`"
                parts += [name.encode(), self.of(value, label)]
        return "class", parts

    def _numba(self, value: Any) -> Node:
        package = package_of(type(value).__module__).encode()
        kind = [package, type(value).__name__.encode()]
        options = getattr(value, "targetoptions", None)
        if hasattr(value, "py_func") and options is not None:
            return "compiled", [*kind, self.of(value.py_func), self.of(dict(options))]
        if hasattr(value, "_pyfunc") and hasattr(value, "_sig"):
            options = getattr(value._compiler, "targetoptions", {})
            parts = [value._pyfunc, value._sig, dict(options)]
            return "compiled", [*kind, *self._all(parts)]
        if type(value).__module__.startswith(("numba.core.types", "numba.core.typing")):
            return "numba type", [*kind, str(value).encode()]
        return self._object(value)

    def _object(self, value: Any) -> Node:
        """Take a value apart as pickle does; what pickle refuses is refused."""
        if isinstance(value, ctypes.CDLL):
            raise self.refusal(value, "it is an address in this process")
        reduce = copyreg.dispatch_table.get(type(value))
        try:
            made: Any = value.__reduce_ex__(4) if reduce is None else reduce(value)
        except Exception as error:
            if callable(getattr(value, "__wrapped__", None)):
                return "wrapped", self._all([type(value), value.__wrapped__])
            raise self.refusal(value, error) from error
        if isinstance(made, str):
            return self._named(value, made)
        function, args, state, items, pairs, setter = (*made, None, None, None, None)[:6]
        rows = [list(each) if isinstance(each, Iterator) else each for each in (items, pairs)]
        return "object", self._all([function, args, state, *rows, setter])

    def _named(self, value: Any, name: str) -> Node:
        """Name what pickle takes for a global of a module."""
        module = getattr(value, "__module__", None) or type(value).__module__
        package = package_of(module)
        if package and at(module, name) is value:
            return "installed", [package.encode(), f"{module}.{name}".encode()]
        if callable(getattr(value, "__wrapped__", None)):
            size: Any = getattr(value, "cache_parameters", tuple)()
            return "wrapped", self._all([type(value), value.__wrapped__, size])
        if not package and at(module, name) is value:
            return "global", [self.of(sys.modules[module]), name.encode()]
        raise self.refusal(value, f"there is no `{name}` in `{module}`")


def _hash(tag: str, parts: Iterable[bytes]) -> bytes:
    hasher = hashlib.blake2b(tag.encode(), digest_size=32)
    for part in parts:
        hasher.update(b"%d:" % len(part))
        hasher.update(part)
    return hasher.digest()


_PLAIN: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"",
    type(...): lambda _: b"",
    bool: lambda value: b"%d" % value,
    int: lambda value: hex(value).encode(),
    float: lambda value: value.hex().encode(),
    complex: lambda value: f"{value.real.hex()} {value.imag.hex()}".encode(),
    str: lambda value: value.encode("utf-8", "surrogatepass"),
    bytes: bytes,
    bytearray: bytes,
}
"""Values that are their own names."""

_WALKS: dict[type, Callable[[_Namer, Any], Node]] = {
    tuple: _Namer._row,
    list: _Namer._row,
    set: _Namer._set,
    frozenset: _Namer._set,
    dict: _Namer._mapping,
    types.MappingProxyType: _Namer._mapping,
    types.MethodType: lambda namer, value: (
        "method",
        namer._all([value.__func__, value.__self__]),
    ),
    types.CellType: _Namer._cell,
    types.CodeType: _Namer._code,
    types.FunctionType: _Namer._function,
    types.ModuleType: _Namer._module,
    np.ndarray: _Namer._array,
    staticmethod: lambda namer, value: ("static", [namer.of(value.__func__)]),
    classmethod: lambda namer, value: ("class method", [namer.of(value.__func__)]),
    property: lambda namer, value: (
        "property",
        namer._all([value.fget, value.fset, value.fdel]),
    ),
    functools.cached_property: lambda namer, value: ("cached", [namer.of(value.func)]),
}
"""Values that pickle cannot take apart, or not the same way each time."""

_MADE_BY_CLASS = 1 << 9
"""The flag of classes that a statement or a call has made (`Py_TPFLAGS_HEAPTYPE`)."""

_OF_EVERY_CLASS = {
    *("__dict__", "__weakref__", "__module__", "__qualname__", "__doc__", "__annotations__"),
    *("__annotations_cache__", "__annotate__", "__annotate_func__", "__firstlineno__"),
    *("__static_attributes__", "__orig_bases__", "__parameters__", "_abc_impl"),
}
"""What says where a class stands, or for what type checkers take it."""

_LABELS_MAX = 4
"""How many steps of the way to what has no name are told."""

_SLOTS: tuple[type, ...] = (types.MemberDescriptorType, types.GetSetDescriptorType)


def _defaults(function: types.FunctionType) -> list[tuple[str, Any]]:
    """Return the defaults of arguments, by name."""
    code, given = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(given) : code.co_argcount]
    return [*zip(names, given), *sorted((function.__kwdefaults__ or {}).items())]
