"""Objects to bytes and back; large buffers lie in a segment that both sides map."""

from __future__ import annotations

import pickle
import struct
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from .._core import Segment, mapped_segment
from .errors import SerializationError

Packed: TypeAlias = tuple[bytes, "Segment | None"]

SEGMENT_BYTES_MIN = 64 * 1024
"""Data of at least so many bytes travels in a segment, less through the socket."""

INLINE_BYTES_MAX = 64 << 20
"""The most that travels through the socket where shared memory has no room for it."""

MAPPED_BYTES_MIN = 1 << 20
"""Data of at least so many bytes is looked for among what lies in a segment already."""

_ALIGN_BYTES = 64
_DEPTH_MAX = 20
"""How deep the search for what cannot be pickled goes."""

# The first byte of a packed object. A bare pickle begins with 0x80.
_BARE = 0x80
_INLINE = b"I"  # buffers follow the pickle
_SEGMENT = b"S"  # buffers lie in the segment
_WHOLE = b"W"  # the pickle lies in the segment too, as the first buffer
_MAPPED = b"L"  # buffers lie at places of their own in a segment that was there already

_dumps, _loads = pickle.dumps, pickle.loads

EMPTY_CALL = _dumps(((), {}), 5)
"""The packed arguments of a call that has none."""


def pack(value: Any, name: str = "the value") -> Packed:
    """Pickle `value`, whose large buffers go to a segment; `name` is for errors."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickled(value, name, buffers)
    if not buffers and len(body) < SEGMENT_BYTES_MIN:
        return body, None
    return bind(body, [buffer.raw() for buffer in buffers])


def pack_call(args: tuple[Any, ...], kwargs: dict[str, Any], label: str) -> Packed:
    """Pack the arguments of a call; an error names the argument at fault."""
    try:
        buffers: list[pickle.PickleBuffer] = []
        body = _dumps((args, kwargs), 5, buffer_callback=buffers.append)
        if not buffers and len(body) < SEGMENT_BYTES_MIN and b"__main__" not in body:
            return body, None
    except Exception:  # the slower way may do, or names what is at fault
        pass
    try:
        return pack((args, kwargs))
    except SerializationError:
        named: list[tuple[str, Any]] = [(f"argument {n}", arg) for n, arg in enumerate(args, 1)]
        named += [(f"argument `{key}`", value) for key, value in kwargs.items()]
        for name, value in named:
            if (fault := _fault(value)) is not None:
                raise unpicklable(value, f"{name} of `{label}`", fault) from fault
        raise


def pack_apart(value: Any, name: str, first: Packed) -> Packed:
    """Pack a value whose buffers are those of another, which was packed as `first`."""
    body, segment = first
    if segment is None:
        return pack(value, name)
    return body[: _head_bytes(body)] + pickled(value, name, []), segment


def pickled(value: Any, name: str, buffers: list[pickle.PickleBuffer]) -> bytes:
    """Pickle a value, by value what only this process can import; large buffers go beside it."""
    try:
        body = _dumps(value, 5, buffer_callback=buffers.append)
        if b"__main__" not in body:
            return body
    except Exception:  # whatever it is, the slower way may do, or names what is at fault
        pass
    return by_value(value, name, buffers)


def by_value(value: Any, name: str, buffers: list[pickle.PickleBuffer] | None = None) -> bytes:
    """Pickle with what no other process can import: functions, and classes of `__main__`."""
    dumps = cloudpickle().dumps
    callback = None
    if buffers is not None:
        buffers.clear()
        callback = buffers.append
    try:
        body: bytes = dumps(value, 5, callback)
    except Exception as error:
        raise unpicklable(value, name, error) from error
    return body


def bind(body: bytes, buffers: Sequence[memoryview]) -> Packed:
    """Put a pickle and its buffers together."""
    nbytes = sum(buffer.nbytes for buffer in buffers)
    try:
        return _bind(body, buffers, nbytes)
    except MemoryError:
        if len(body) + nbytes > INLINE_BYTES_MAX:
            raise
        # There is no room in shared memory: it goes through the socket.
        return _inline(body, buffers)


def _bind(body: bytes, buffers: Sequence[memoryview], nbytes: int) -> Packed:
    if len(body) >= SEGMENT_BYTES_MIN:
        buffers = [memoryview(body), *buffers]
        return _head(_WHOLE, buffers), Segment.of(buffers)
    if nbytes >= SEGMENT_BYTES_MIN:
        if nbytes >= MAPPED_BYTES_MIN and len(buffers) == 1:
            found = _mapped(buffers[0])
            if found is not None:
                segment, offset = found
                return struct.pack("<cIQQ", _MAPPED, 2, offset, nbytes) + body, segment
        return _head(_SEGMENT, buffers) + body, Segment.of(buffers)
    return _inline(body, buffers)


def _inline(body: bytes, buffers: Sequence[memoryview]) -> Packed:
    return b"".join([_head(_INLINE, buffers), *buffers, body]), None


def _head(kind: bytes, buffers: Sequence[memoryview]) -> bytes:
    sizes = [buffer.nbytes for buffer in buffers]
    return struct.pack(f"<cI{len(sizes)}Q", kind, len(sizes), *sizes)


def _head_bytes(body: bytes) -> int:
    return 5 + 8 * int.from_bytes(body[1:5], "little")


def is_mapped(array: Any) -> bool:
    """Whether an array lies in a segment already, unchanged, so that sending it copies nothing."""
    return (
        array.nbytes >= MAPPED_BYTES_MIN
        and _mapped(memoryview(array.reshape(-1).view("u1"))) is not None
    )


def _mapped(buffer: memoryview) -> tuple[Segment, int] | None:
    """Return the segment in which memory lies already, unchanged, and where in it."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    address: int = numpy.frombuffer(buffer, numpy.uint8).__array_interface__["data"][0]
    return mapped_segment(address, buffer.nbytes)


def unpack(body: bytes, segment: Segment | None) -> Any:
    """Return the object; its arrays are writable and belong to this process alone."""
    if body[0] == _BARE:
        return _loads(body)
    kind, count = struct.unpack_from("<cI", body)
    sizes = struct.unpack_from(f"<{count}Q", body, 5)
    at = 5 + 8 * count
    buffers: list[Any] = []
    if kind == _INLINE:
        for size in sizes:
            buffers.append(bytearray(body[at : at + size]))
            at += size
        return _loads(memoryview(body)[at:], buffers=buffers)
    assert segment is not None
    if kind == _MAPPED:
        buffers.append(segment.view(*sizes))
        return _loads(memoryview(body)[at:], buffers=buffers)
    whole, start = segment.view(0, segment.nbytes), 0
    for size in sizes:
        buffers.append(whole[start : start + size])
        start += -(-size // _ALIGN_BYTES) * _ALIGN_BYTES
    if kind == _WHOLE:
        return _loads(buffers[0], buffers=buffers[1:])
    return _loads(memoryview(body)[at:], buffers=buffers)


def cloudpickle() -> Any:
    """Return the package that pickles functions."""
    try:
        import cloudpickle
    except ImportError:
        raise SerializationError(
            "functions and classes of `__main__` travel by the package `cloudpickle`,"
            " which is not installed",
            "pip install 'windfall[cluster]'",
        ) from None
    return cloudpickle


# What is at fault.


def unpicklable(value: Any, name: str, error: BaseException) -> SerializationError:
    """Return an error that names the part of `value` that cannot be pickled."""
    path, part, error = _culprit(value, name, error, set())
    what = path if part is value else f"{path} (a `{type(part).__name__}`)"
    return SerializationError(
        f"{what} cannot be pickled: {error}",
        "make it inside the function, on the engine; or send what it is made from",
    )


def _culprit(
    value: Any, path: str, error: BaseException, seen: set[int]
) -> tuple[str, Any, BaseException]:
    seen.add(id(value))
    if len(seen) <= _DEPTH_MAX:
        for name, part in _parts(value, path):
            if id(part) not in seen and (fault := _fault(part)) is not None:
                return _culprit(part, name, fault, seen)
    return path, value, error


def _fault(value: Any) -> BaseException | None:
    try:
        cloudpickle().dumps(value, 5, lambda _: None)
    except Exception as error:
        return error
    return None


def _parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what `value` consists of, each with the way to it."""
    if isinstance(value, types.FunctionType):
        for name, part in captured(value):
            yield f"`{name}`, which {path} uses,", part
    elif isinstance(value, types.MethodType):
        yield f"{path}.__self__", value.__self__
    elif isinstance(value, dict):
        for key, part in value.items():
            yield f"{path}[{key!r}]", part
    elif isinstance(value, (list, tuple)):
        for place, part in enumerate(value):
            yield f"{path}[{place}]", part
    elif isinstance(value, (set, frozenset)):
        for part in value:
            yield f"an element of {path}", part
    elif isinstance(getattr(value, "__dict__", None), dict):
        for key, part in vars(value).items():
            yield f"{path}.{key}", part


def captured(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of what travels with a function."""
    if not isinstance(function, types.FunctionType):
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            yield name, cell.cell_contents
        except ValueError:  # an empty cell: a name that is assigned later
            continue
    for name in sorted(global_names(function.__code__)[0]):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    code = function.__code__
    defaults = function.__defaults__ or ()
    positional = code.co_varnames[: code.co_argcount]
    yield from zip(positional[len(positional) - len(defaults) :], defaults)
    yield from (function.__kwdefaults__ or {}).items()


def global_names(code: types.CodeType) -> tuple[set[str], set[str]]:
    """Return the global names that code reads, and those that it writes."""
    import dis

    reads, writes = set(), set()
    for step in dis.get_instructions(code):
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            reads.add(step.argval)
        elif step.opname in {"STORE_GLOBAL", "DELETE_GLOBAL"}:
            writes.add(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner = global_names(constant)
            reads |= inner[0]
            writes |= inner[1]
    return reads, writes
