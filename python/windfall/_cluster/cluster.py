"""A cluster of this machine: started, waited for, stopped."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import weakref
from typing import IO, Any

from .. import _core
from .._errors import InputError, WindfallError
from .client import Client
from .engine import SETTINGS
from .errors import ClusterError
from .ranks import check

_OWNER_WITHIN_S = 30.0
"""How long a controller waits for whoever started it, in seconds."""

_STOP_S = 5.0
"""How long a controller may take to end, in seconds; then it is killed, and engines with it."""

_count = itertools.count(1)


class Cluster:
    """Engines, which end with this object or its process: on this machine, or ranks of MPI.

    Parameters
    ----------
    n : int, optional
        How many engines; as many as there are cores without it.
    name : str, optional
        By what name `windfall.Client(name)` finds the cluster; one of its own without it.
    threads : int, optional
        How many threads the libraries of each engine may use (BLAS, OpenMP, …): cores ÷ engines
        without it. `client[:].limit_threads(n)` changes it later.
    environment : dict, optional
        Variables of the engines' environment, beside those of this process.
    timeout_s : float
        How long the engines may take to start, in seconds.
    launcher : {"local", "mpi", "slurm"}
        Who starts the engines: this machine; `mpirun`, as ranks of MPI; or `srun`, within an
        allocation of Slurm, of which this must be the first node. Ranks need `mpi4py`.
    mpirun : str, optional
        The launcher's command instead of the one that is found, for instance
        `"mpirun --hostfile hosts"`; `-n` and the program are added.

    Attributes
    ----------
    client : Client
        The client that owns the cluster.
    name : str
    threads : int

    Examples
    --------
    >>> with windfall.Cluster(n=2) as rc:
    ...     rc[:].apply(lambda x: x + 1, 41).get()
    [42, 42]
    """

    def __init__(
        self,
        n: int | None = None,
        name: str | None = None,
        *,
        threads: int | None = None,
        environment: dict[str, str] | None = None,
        timeout_s: float = 60.0,
        launcher: str = "local",
        mpirun: str | None = None,
    ) -> None:
        check(launcher, mpirun)
        self.launcher, self._mpirun = launcher, mpirun
        cores = _core.cores()
        self.n = cores if n is None else n
        if self.n < 1:
            raise InputError(f"`n` is `{n}`; a cluster has at least one engine")
        self.threads = max(1, cores // self.n) if threads is None else threads
        if self.threads < 1:
            raise InputError(f"`threads` is `{threads}`; an engine uses at least one")
        self.name = name or f"{os.getpid()}-{next(_count)}"
        self._environment = environment or {}
        if _is_taken(self.name):
            raise ClusterError(
                f"a cluster `{self.name}` runs already",
                f"`windfall.Client({self.name!r})` connects to it; or choose another name",
            )
        with tempfile.TemporaryFile() as text:
            self._process = self._start(text)
            try:
                link = self._connect(text, time.monotonic() + timeout_s)
            except BaseException:
                _end_process(self._process, launcher != "local")
                raise
        self.client = Client._of(self.name, link)
        self.client._cluster = self
        self._finalizer = weakref.finalize(self, _stop, self._process, link, os.getpid())
        try:
            self.client.wait_for_engines(self.n, timeout_s)
        except BaseException:
            self.stop()
            raise
        self.client._offer_magics()

    def _start(self, text: IO[bytes]) -> subprocess.Popen[bytes]:
        path = [os.path.abspath(entry) for entry in sys.path]
        options: dict[str, Any] = {
            "engines": self.n,
            "threads": self.threads,
            "owner_within_s": _OWNER_WITHIN_S,
        }
        if self.launcher == "local":
            settings = json.dumps({"path": path, "cluster": self.name})
            options["command"] = [sys.executable, "-m", "windfall._cluster.engine"]
            options["environment"] = {**self._environment, SETTINGS: settings}
            program = ["windfall._cluster.controller", self.name]
        else:
            asked = {"launcher": self.launcher, "mpirun": self._mpirun, "path": path}
            options |= {"name": self.name, "environment": self._environment, **asked}
            program = ["windfall._cluster.ranks.launch"]
        # A session of its own: Ctrl-C in the terminal is the client's, not the engines'.
        process = subprocess.Popen(
            [sys.executable, "-m", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=text,
            start_new_session=True,
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(json.dumps(options).encode())
        return process

    def _connect(self, text: IO[bytes], deadline: float) -> _core.ClientLink:
        """Connect as the owner as soon as the controller listens.

        Somebody else's, of a cluster that took the name in the same moment, is left alone.
        """
        controller = self._process.pid if self.launcher == "local" else None
        while True:
            ended = self._process.poll() is not None
            if not ended:
                with contextlib.suppress(WindfallError):
                    return _core.ClientLink(self.name, True, controller)
            if ended or time.monotonic() > deadline:
                text.seek(0)
                words = text.read().decode("utf-8", "replace").strip()
                if self.launcher != "local":
                    said = words or "the launcher said nothing"
                    raise ClusterError(f"the ranks of `{self.name}` did not start: {said}")
                said = words.splitlines()[-1] if words else "it said nothing"
                raise ClusterError(f"the controller of `{self.name}` did not start: {said}")
            time.sleep(0.002)

    def __repr__(self) -> str:
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''} each"
        state = f"{self.n} engines, {threads}" if self._finalizer.alive else "stopped"
        return f"<Cluster `{self.name}`: {state}>"

    def __enter__(self) -> Client:
        return self.client

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _mapping(self) -> tuple[str, list[int] | None]:
        """Return where `on=` runs the shards of a job."""
        return self.name, None

    def stop(self) -> None:
        """End the engines and the controller; return when they are gone."""
        self._finalizer()
        self.client._end("the cluster was stopped")

    @property
    def info(self) -> dict[str, Any]:
        """What there is: name, controller's process, engines' processes, threads of each."""
        return {
            "name": self.name,
            "controller": self._process.pid,
            "engines": self.client.pids,
            "cores": _core.cores(),
            "threads": self.threads,
        }


_DYING_S = 0.5
"""How long the name of a controller that was killed may still be seen."""


def _is_taken(name: str) -> bool:
    """Whether a cluster has that name; one that is just coming to its end is waited for."""
    until_s = time.monotonic() + _DYING_S
    while name in _core.clusters():
        if time.monotonic() > until_s:
            return True
        time.sleep(0.01)
    return False


def _stop(process: subprocess.Popen[bytes], link: _core.ClientLink, owner: int) -> None:
    if os.getpid() != owner:
        return  # a forked child, whose copy means nothing
    link.request('{"do": "stop"}')
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        _end_process(process)


def _end_process(process: subprocess.Popen[bytes], is_launcher: bool = False) -> None:
    if is_launcher:
        process.terminate()  # it ends the ranks
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_S)
    process.kill()
    process.wait()
