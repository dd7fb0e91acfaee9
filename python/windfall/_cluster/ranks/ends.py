"""The socket of a controller or engine as a rank passes it on: whole frames, one segment each."""

from __future__ import annotations

import os
import socket
import struct
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from ... import _core

FRAME = struct.Struct("<IBB")
"""Before a frame's body: its length, its kind, and whether a descriptor comes with it."""

WELCOME, STOP, JOIN, SIGNAL = 1, 14, 15, 16
"""Kinds of frames that are looked at; all others are passed on unread."""

_READ_BYTES = 256 * 1024
_DESCRIPTORS_MAX = 16


class Batch(NamedTuple):
    """Frames as they came; the one at `place`, the last, has a segment beside it."""

    frames: bytes
    place: int = 0
    segment: int | None = None
    """The descriptor of it, which belongs to whoever has the batch."""


def frame(kind: int, body: bytes) -> bytes:
    """Return a frame without a segment."""
    return FRAME.pack(len(body), kind, 0) + body


class End:
    """A connected socket that never blocks."""

    def __init__(self, there: socket.socket) -> None:
        there.setblocking(False)
        self._socket = there
        self._bytes = bytearray()
        self._descriptors: deque[int] = deque()
        self._out: deque[tuple[memoryview, list[int]]] = deque()
        self.is_over = False
        """Whether the other side has closed it."""
        self.signals: list[int] = []
        """Signals that the controller has sent to the engine."""

    def fileno(self) -> int:
        """Return the socket's descriptor, for `poll`."""
        return self._socket.fileno()

    @property
    def has_unsent(self) -> bool:
        """Whether something waits for room in the socket."""
        return bool(self._out)

    def read(self) -> Iterator[Batch]:
        """Yield what is there, cut behind each frame with a segment."""
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            data, descriptors, _, _ = socket.recv_fds(
                self._socket, _READ_BYTES, _DESCRIPTORS_MAX, flags
            )
        except (BlockingIOError, InterruptedError):
            return
        except ConnectionError:
            data, descriptors = b"", []
        self.is_over |= not data
        self._bytes += data
        self._descriptors += descriptors
        yield from self._whole()

    def _whole(self) -> Iterator[Batch]:
        have, start, at = self._bytes, 0, 0
        kept: list[bytes] = []
        while len(have) - at >= FRAME.size:
            length, kind, has_segment = FRAME.unpack_from(have, at)
            end = at + FRAME.size + length
            if end > len(have):
                break
            if kind == SIGNAL:
                kept.append(bytes(have[start:at]))
                start = end
                self.signals.append(int.from_bytes(have[end - 4 : end], "little"))
            elif has_segment:
                kept.append(bytes(have[start:end]))
                frames = b"".join(kept)
                yield Batch(frames, len(frames) - (end - at), self._descriptors.popleft())
                kept, start = [], end
            at = end
        kept.append(bytes(have[start:at]))
        del have[:at]
        if rest := b"".join(kept):
            yield Batch(rest)

    def write(self, batch: Batch) -> None:
        """Send a batch, now or when there is room; its descriptor is closed then."""
        frames = memoryview(batch.frames)
        if batch.segment is None:
            self._out.append((frames, []))
        else:
            # A descriptor goes with the first byte of its frame.
            if batch.place:
                self._out.append((frames[: batch.place], []))
            self._out.append((frames[batch.place :], [batch.segment]))
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes."""
        while self._out:
            data, descriptors = self._out[0]
            try:
                count = socket.send_fds(self._socket, [data], descriptors)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self.is_over = True
                count = len(data)
            for descriptor in descriptors:
                os.close(descriptor)
            if count < len(data):
                self._out[0] = (data[count:], [])
            else:
                self._out.popleft()

    def close(self) -> None:
        """Let the other side see the end."""
        self._socket.close()
        self._out.clear()


def to_controller(name: str, engine: int, pid: int, host: str) -> End:
    """Connect an engine to the controller; `host` is empty if it is on this machine."""
    end = End(socket.socket(fileno=_core.dial(name)))
    who = struct.pack("<II", engine, pid) + host.encode()
    end.write(Batch(frame(JOIN, who)))
    return end
