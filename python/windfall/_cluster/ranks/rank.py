"""A rank of MPI: rank 0 has the controller beside it, every other one is an engine.

`mpirun -n 9 python -m windfall._cluster.ranks.rank 8`: eight engines. What rank 0 must know lies
in the environment, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any

from ... import _core
from ..._errors import WindfallError
from .. import engine
from .ends import End, to_controller
from .post import Post
from .relay import Follow, Lead

FINALIZE_S = 10
"""How long MPI may take to end, in seconds; then the rank is killed by an alarm."""

_CONTROLLER_S = 20.0
"""How long the controller may take to listen, in seconds."""


def main() -> None:
    """Be the rank that MPI says."""
    try:
        mpi = load()
        world = mpi.COMM_WORLD
        _check(mpi, world, int(sys.argv[1]) + 1)
        _live(mpi, world)
    finally:
        # Whatever keeps this process or MPI from ending: it ends.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(FINALIZE_S)


def load() -> Any:
    """Return mpi4py's MPI."""
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise SystemExit(
            f"engines as ranks of MPI need the package `mpi4py`: {error}"
            "\nhint: pip install mpi4py, for the Python that engines run on, and an MPI it finds"
        ) from None
    return MPI


def _check(mpi: Any, world: Any, size: int) -> None:
    if world.size != size:
        vendor = " ".join([mpi.get_vendor()[0], *map(str, mpi.get_vendor()[1][:2])])
        raise SystemExit(
            f"{size} ranks were to be started, and MPI sees {world.size}; mpi4py has loaded"
            f" {vendor}"
            "\nhint: the launcher must be that of the same MPI: --mpirun names it"
        )
    if mpi.Query_thread() < mpi.THREAD_MULTIPLE:
        raise SystemExit(
            "this MPI lets only one thread speak, and an engine has two (MPI_THREAD_MULTIPLE)"
            "\nhint: leave `mpi4py.rc.thread_level` as it is, or use an MPI that was built with it"
        )


def _live(mpi: Any, world: Any) -> None:
    post = Post(mpi, world)
    engines = world.Split(0 if world.rank else mpi.UNDEFINED, world.rank)
    given = os.environ.pop(engine.SETTINGS, "{}")
    settings = json.loads(world.bcast(given if world.rank == 0 else None))
    here = (_machine(), socket.gethostname(), os.getpid(), _core.__version__)
    ranks = world.gather(here)
    if settings["threads"]:
        os.environ.update(dict.fromkeys(_core.thread_variables(), str(settings["threads"])))
    os.environ.update(settings["environment"])
    if world.rank == 0:
        ends = _begin(settings, ranks) if _are_alike(ranks) else None
        world.bcast(ends is not None)
        if ends is None:
            raise SystemExit(1)
        Lead(post, ends, world).run()
    elif world.bcast(None):
        # User code speaks to engines: rank 0 would never answer.
        mpi.COMM_WORLD = engines
        _be_engine(post, world, {**settings, "rank": world.rank})


def _are_alike(ranks: list[tuple[Any, ...]]) -> bool:
    for rank, (_, host, _, version) in enumerate(ranks):
        if version != ranks[0][3]:
            print(
                f"rank {rank} on {host} has Windfall {version}, rank 0 has {ranks[0][3]}"
                "\nhint: install the same version on every machine",
                file=sys.stderr,
            )
            return False
    return True


def _machine() -> tuple[str, ...]:
    """Return what two processes have in common if they see one another's memory."""
    found = []
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        found.append(file.read().strip())
    with contextlib.suppress(OSError):
        found.append(os.readlink("/proc/self/ns/pid"))
    return tuple(found) or (socket.gethostname(),)


def _begin(settings: dict[str, Any], ranks: list[tuple[Any, ...]]) -> list[End] | None:
    """Start the controller and connect every engine to it; None if that cannot be."""
    name = settings["cluster"]
    options = {"engines": len(ranks) - 1, "owner_within_s": settings["owner_within_s"]}
    with tempfile.TemporaryFile() as text:
        # A session of its own: when MPI kills the ranks, it lives to tell its clients why.
        controller = subprocess.Popen(
            [sys.executable, "-m", "windfall._cluster.controller", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=text,
            start_new_session=True,
        )
        assert controller.stdin is not None
        with contextlib.suppress(BrokenPipeError), controller.stdin as pipe:
            pipe.write(json.dumps(options).encode())
        until_s = time.monotonic() + _CONTROLLER_S
        while controller.poll() is None and time.monotonic() < until_s:
            try:
                return [
                    to_controller(name, i, pid, "" if machine == ranks[0][0] else host)
                    for i, (machine, host, pid, _) in enumerate(ranks[1:])
                ]
            except (OSError, WindfallError):
                time.sleep(0.002)
        text.seek(0)
        words = text.read().decode("utf-8", "replace").strip() or "it said nothing"
        print(f"the controller of `{name}` did not start: {words}", file=sys.stderr)
        return None


def _be_engine(post: Post, world: Any, settings: dict[str, Any]) -> None:
    here, there = socket.socketpair()
    relay = Follow(post, End(here), world)
    os.dup2(there.fileno(), 0)
    there.close()
    relay.start()
    try:
        engine.live(settings)
    finally:
        relay.end()


if __name__ == "__main__":
    from windfall._cluster.ranks import rank as this

    this.main()
