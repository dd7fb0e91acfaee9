"""What ranks send one another: frames, and segments by their content."""

from __future__ import annotations

import fcntl
import os
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ... import _core
from .ends import Batch

INLINE_BYTES_MAX = 64 * 1024
"""A segment up to this goes with its frames; a larger one goes by itself, without a copy."""

PIECE_BYTES = 1 << 28
"""A segment is sent in pieces of at most so many bytes: MPI counts by 32 bits."""

UNSENT_BYTES_MAX = 64 << 20
"""What may be under way to a rank before no more is read for it."""

FRAMES, END, SIGNAL = 0, 1, 2
"""What a packet is: frames for the engine or the controller, the end of them, a signal."""

NO_SEGMENT, INLINE, ALONE, TO_ALL = 0, 1, 2, 3
"""How its segment comes: not at all, behind the frames, by itself, by a broadcast."""

_HEAD = struct.Struct("<BBBIQ")
_TALK, _DATA = 1, 2
_LOOKS = 8
_SEAL_WRITE = 8


class Packet(NamedTuple):
    """What came from a rank."""

    rank: int
    kind: int
    batch: Batch
    signal: int


class _Arriving:
    """A packet whose segment is under way."""

    def __init__(self, packet: Packet, segment: Any, is_sealed: bool) -> None:
        self.packet, self.segment, self.is_sealed = packet, segment, is_sealed
        self.memory = segment.shared()
        self.requests: list[Any] = []

    def whole(self) -> Packet:
        """Return the packet, now that everything is there."""
        self.memory = None
        self.requests.clear()  # they keep the memory mapped, and what is mapped cannot be sealed
        if self.is_sealed:
            fcntl.fcntl(self.segment.fileno(), fcntl.F_ADD_SEALS, _SEAL_WRITE)
        batch = self.packet.batch._replace(segment=os.dup(self.segment.fileno()))
        return self.packet._replace(batch=batch)


class Post:
    """This rank's sending and receiving; only one thread may use it."""

    def __init__(self, mpi: Any, world: Any) -> None:
        self._mpi = mpi
        self._one, self._all = world.Dup(), world.Dup()
        self._sent: list[tuple[Any, Any, int, int]] = []
        """Requests, what they keep alive, the rank, and bytes."""
        self._unsent_bytes: dict[int, int] = {}
        self._arriving: dict[int, deque[_Arriving | Packet]] = {}
        self._status = mpi.Status()

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way, so that MPI had better be called soon."""
        return bool(self._sent or self._arriving)

    def has_room(self, rank: int) -> bool:
        """Whether more should be sent to that rank now."""
        return self._unsent_bytes.get(rank, 0) < UNSENT_BYTES_MAX

    # Out.

    def send(self, rank: int, batch: Batch, kind: int = FRAMES, signal: int = 0) -> None:
        """Send a batch, whose descriptor is closed."""
        fd = batch.segment
        if fd is None:
            self._talk(rank, (kind, NO_SEGMENT, signal, 0, 0), batch.frames)
            return
        nbytes, is_sealed = os.fstat(fd).st_size, _is_sealed(fd)
        if nbytes <= INLINE_BYTES_MAX:
            content = os.pread(fd, nbytes, 0)
            head = (kind, INLINE, is_sealed, batch.place, nbytes)
            self._talk(rank, head, batch.frames + content)
            os.close(fd)
            return
        self._talk(rank, (kind, ALONE, is_sealed, batch.place, nbytes), batch.frames)
        for piece in _pieces(_mapped(fd, nbytes)):
            request = self._one.Isend([piece, self._mpi.BYTE], rank, _DATA)
            self._keep(request, piece, rank, len(piece))

    def broadcast(self, batches: Sequence[tuple[int, Batch]]) -> None:
        """Send every other rank a batch; the segment is the same for all and goes once."""
        fds = [batch.segment for _, batch in batches if batch.segment is not None]
        nbytes, is_sealed = os.fstat(fds[0]).st_size, _is_sealed(fds[0])
        for rank, batch in batches:
            self._talk(rank, (FRAMES, TO_ALL, is_sealed, batch.place, nbytes), batch.frames)
        for piece in _pieces(_mapped(fds[0], nbytes)):
            request = self._all.Ibcast([piece, self._mpi.BYTE], 0)
            self._keep(request, piece, batches[0][0], len(piece))
        for fd in fds[1:]:
            os.close(fd)

    def _talk(self, rank: int, head: tuple[int, ...], body: bytes) -> None:
        data = _HEAD.pack(*head) + body
        request = self._one.Isend([data, self._mpi.BYTE], rank, _TALK)
        self._keep(request, data, rank, len(data))

    def _keep(self, request: Any, data: Any, rank: int, nbytes: int) -> None:
        self._sent.append((request, data, rank, nbytes))
        self._unsent_bytes[rank] = self._unsent_bytes.get(rank, 0) + nbytes

    # In.

    def receive(self) -> Iterator[Packet]:
        """Bring on what is under way and yield what has come whole, of each rank in order."""
        if self._sent:
            self._sent = [each for each in self._sent if not self._is_sent(*each)]
        while self._is_there():
            rank = self._status.Get_source()
            data = bytearray(self._status.Get_count(self._mpi.BYTE))
            self._one.Recv([data, self._mpi.BYTE], rank, _TALK)
            packet = self._open(rank, data)
            if packet.kind == SIGNAL:  # it overtakes what is under way
                yield packet
        for rank in list(self._arriving):
            line = self._arriving[rank]
            while line:
                first = line[0]
                if isinstance(first, _Arriving):
                    if not self._mpi.Request.Testall(first.requests):
                        break
                    first = first.whole()
                line.popleft()
                yield first
            if not line:
                del self._arriving[rank]

    def _is_there(self) -> bool:
        """Look for a packet; more than once, as MPI does not bring on everything at each call."""
        probe, source = self._one.Iprobe, self._mpi.ANY_SOURCE
        return any(probe(source, _TALK, self._status) for _ in range(_LOOKS))

    def _is_sent(self, request: Any, data: Any, rank: int, nbytes: int) -> bool:
        if not request.Test():
            return False
        self._unsent_bytes[rank] -= nbytes
        return True

    def _open(self, rank: int, data: bytearray) -> Packet:
        """Note a packet that has come, and where its segment will lie."""
        kind, how, flag, place, nbytes = _HEAD.unpack_from(data)
        body = bytes(memoryview(data)[_HEAD.size :])
        if how == INLINE:
            frames, content = body[: len(body) - nbytes], body[len(body) - nbytes :]
        else:
            frames, content = body, b""
        packet = Packet(rank, kind, Batch(frames, place), flag)
        if kind == SIGNAL:
            return packet
        line = self._arriving.setdefault(rank, deque())
        if how == NO_SEGMENT:
            line.append(packet)
            return packet
        segment = _core.Segment.zeros(nbytes)
        arriving = _Arriving(packet, segment, bool(flag))
        if how == INLINE:
            arriving.memory[:] = content
        for piece in _pieces(arriving.memory) if how != INLINE else ():
            to = [piece, self._mpi.BYTE]
            if how == ALONE:
                arriving.requests.append(self._one.Irecv(to, rank, _DATA))
            else:
                arriving.requests.append(self._all.Ibcast(to, rank))
        line.append(arriving)
        return packet


def _is_sealed(fd: int) -> bool:
    return bool(fcntl.fcntl(fd, fcntl.F_GET_SEALS) & _SEAL_WRITE)


def _mapped(fd: int, nbytes: int) -> memoryview:
    """Return the memory behind a descriptor, which is closed."""
    import mmap

    try:
        return memoryview(mmap.mmap(fd, nbytes, mmap.MAP_PRIVATE, mmap.PROT_READ))
    finally:
        os.close(fd)


def _pieces(memory: memoryview) -> list[memoryview]:
    starts = range(0, len(memory), PIECE_BYTES)
    return [memory[start : start + PIECE_BYTES] for start in starts]
