"""What tasks print: tagged with the task, sent while it runs, bounded."""

from __future__ import annotations

import _thread
import contextlib
import io
import time
from collections.abc import Iterable
from typing import Any

STDOUT, STDERR, DISPLAY, DATA = range(4)
"""The streams of a task."""

OUTPUT_BYTES_MAX = 4 << 20
"""What one task may print, in bytes; the rest is dropped, with a note."""

SEND_EVERY_S = 0.05
"""How long printed text may wait for more."""


class Output:
    """Collects what a task prints, both streams in their order, and sends it."""

    def __init__(self, link: Any) -> None:
        self._link = link
        self._task = 0
        self._parts: list[tuple[int, bytes]] = []
        self._room_bytes = OUTPUT_BYTES_MAX
        self._sent_s = 0.0
        self._lock = _thread.allocate_lock()
        self._bell: _thread.LockType | None = None

    def begin(self, task: int) -> None:
        """Say whose text follows."""
        self._task = task

    def end(self) -> None:
        """Hand over what the task has printed."""
        if self._parts or self._room_bytes != OUTPUT_BYTES_MAX:
            with self._lock:
                self._send()
                self._room_bytes = OUTPUT_BYTES_MAX

    def flush(self) -> None:
        """Send what was printed now."""
        with self._lock:
            if self._parts:
                self._send()
                self._link.flush()
                self._sent_s = time.monotonic()

    def write(self, stream: int, data: bytes) -> None:
        """Take text; it is sent at its next end of line or soon."""
        with self._lock:
            if self._room_bytes <= 0:
                return
            if len(data) > self._room_bytes:
                note = f"\n[cut off: a task may print {OUTPUT_BYTES_MAX} bytes]\n"
                data = data[: self._room_bytes] + note.encode()
                self._room_bytes = 0
            self._room_bytes -= len(data)
            self._parts.append((stream, data))
            if b"\n" in data and time.monotonic() - self._sent_s >= SEND_EVERY_S:
                self._send()
                self._link.flush()
                self._sent_s = time.monotonic()
                return
        self._ring()

    def show(self, stream: int, body: bytes) -> None:
        """Send something richer than text, after the text so far."""
        with self._lock:
            self._send()
            self._link.output(self._task, stream, body)
            self._link.flush()

    def _send(self) -> None:
        parts, self._parts = self._parts, []
        at = 0
        while at < len(parts):
            stream = parts[at][0]
            end = at
            while end < len(parts) and parts[end][0] == stream:
                end += 1
            self._link.output(self._task, stream, b"".join(data for _, data in parts[at:end]))
            at = end

    def _ring(self) -> None:
        """Have a thread send in a moment what was printed."""
        if self._bell is None:
            self._bell = _thread.allocate_lock()
            self._bell.acquire()
            _thread.start_new_thread(self._mind, (self._bell,))
        if self._bell.locked():
            with contextlib.suppress(RuntimeError):  # another thread was quicker
                self._bell.release()

    def _mind(self, bell: _thread.LockType) -> None:
        while True:
            bell.acquire()
            time.sleep(SEND_EVERY_S)
            self.flush()


class Writer(io.TextIOBase):
    """An engine's `sys.stdout` or `sys.stderr`."""

    def __init__(self, output: Output, stream: int) -> None:
        self._output, self._stream = output, stream
        self.buffer = _Bytes(output, stream)

    encoding = "utf-8"
    errors = "backslashreplace"

    @property
    def name(self) -> str:
        """What Python calls the stream."""
        return "<stderr>" if self._stream else "<stdout>"

    def write(self, text: str) -> int:
        """Print text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._output.write(self._stream, text.encode("utf-8", "backslashreplace"))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        """Print lines."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Send what was printed."""
        self._output.flush()

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def isatty(self) -> bool:
        """Say that it is no terminal."""
        return False

    def fileno(self) -> int:
        """Return the process's own stream, for programs that a task starts."""
        return 1 + self._stream


class _Bytes(io.RawIOBase):
    def __init__(self, output: Output, stream: int) -> None:
        self._output, self._stream = output, stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        data = bytes(data)
        self._output.write(self._stream, data)
        return len(data)

    def flush(self) -> None:
        # Also called when the object goes: nothing of it is lost then.
        self._output.flush()
