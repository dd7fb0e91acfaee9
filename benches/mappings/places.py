"""Every mapping, started: each yields a function that takes a job and returns its answer."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import ROOT
from work import call, function

import windfall

sys.path.insert(0, str(ROOT / "tests/backends"))
import engines  # noqa: E402

# Workers of every engine find the functions by the name of their module.
HERE = str(Path(__file__).parent)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")]))

WORKERS = engines.WORKERS
WINDFALL = os.environ.get("WINDFALL", str(ROOT / "target/release/windfall"))
NAME = f"bench-{os.getpid()}"
START_S = 60


class Refused(Exception):
    """A mapping does not carry a job; the message says why."""


def run(*command, **more):
    """Run a command; return what it prints."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
    return done.stdout


def answer(*command):
    """Run a command of Windfall that prints an answer."""
    return json.loads(run(*command, "--json", "--quiet"))


def only_files(job, instead):
    """Refuse a job that is no file."""
    if job is function:
        raise Refused(f"it runs job files, which hold no functions; {instead}")


@contextlib.contextmanager
def here(workers):
    """The command on threads of this machine; what has code runs in this process."""

    def solve(job):
        if job is function:
            return call(job, workers=workers)
        return answer(WINDFALL, "run", job, "--workers", workers)

    yield solve


@contextlib.contextmanager
def native_engines():
    run(WINDFALL, "start", "--native", "-n", WORKERS, "--name", NAME)

    def solve(job):
        if job is not function:
            return answer(WINDFALL, "run", job, "--on", NAME)
        try:
            return call(job, on=NAME)
        except windfall.WindfallError as error:
            raise Refused(str(error).splitlines()[0]) from error

    try:
        yield solve
    finally:
        run(WINDFALL, "stop", "--name", NAME)


@contextlib.contextmanager
def python_engines():
    with windfall.Cluster(n=WORKERS) as client:
        yield lambda job: call(job, on=client)


@contextlib.contextmanager
def xargs():
    """A fresh command for some shards each, as any scheduler of commands would start them."""

    def solve(job):
        only_files(job, "pools and engines carry them")
        shards = int(run(WINDFALL, "shard", job, "--count"))
        each = max(1, -(-shards // (4 * WORKERS)))
        pieces = [f"{at}..{min(at + each, shards)}" for at in range(0, shards, each)]
        shard = [WINDFALL, "shard", job, "--text", "--workers", "1"]
        with tempfile.NamedTemporaryFile() as lines:
            command = ["xargs", "-P", str(WORKERS), "-n", "1", *map(str, shard)]
            subprocess.run(command, input="\n".join(pieces).encode(), stdout=lines, check=True)
            return answer(WINDFALL, "merge", job, lines.name)

    yield solve


@contextlib.contextmanager
def checkpoint():
    """Threads, with every partial kept in a folder that is new for each run."""

    def solve(job):
        with tempfile.TemporaryDirectory() as folder:
            kept = f"{folder}/kept"
            if job is function:
                return call(job, workers=WORKERS, checkpoint=kept)
            return answer(WINDFALL, "run", job, "--workers", WORKERS, "--checkpoint", kept)

    yield solve


@contextlib.contextmanager
def ranks(name):
    """`windfall-mpi`."""
    command = ROOT / f"target/mpi/{name}/windfall-mpi"
    with engines.mpi(name):
        if not command.exists():
            raise Refused("windfall-mpi is not built: tests/mpi/run build")

        def solve(job):
            only_files(job, "engines as ranks carry them, and MPIPoolExecutor")
            return answer(f"mpirun.{name}", "-n", WORKERS, command, "run", job)

        yield solve


@contextlib.contextmanager
def rank_engines(name):
    with engines.mpi(name), windfall.Cluster(n=WORKERS, launcher="mpi") as client:
        yield lambda job: call(job, on=client)


@contextlib.contextmanager
def mpi_pool(name):
    with engines.mpi(name):
        program = [
            sys.executable,
            "-m",
            "mpi4py.futures",
            str(Path(__file__).with_name("served.py")),
        ]
        child = subprocess.Popen(
            [f"mpirun.{name}", "-n", str(WORKERS + 1), *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        def solve(job):
            print("function" if job is function else job, file=child.stdin, flush=True)
            return json.loads(child.stdout.readline())

        try:
            yield solve
        finally:
            child.stdin.close()
            child.wait(timeout=START_S)


def need_slurm():
    if shutil.which("sbatch") is None or "SLURM_CONF" not in os.environ:
        raise Refused("no Slurm here; `tests/slurm/node COMMAND` starts one for a command")


@contextlib.contextmanager
def slurm():
    """`windfall submit`, an array of as many tasks as there are cores, and `fetch`."""
    need_slurm()

    def solve(job):
        only_files(job, "engines as ranks carry them")
        with tempfile.TemporaryDirectory() as folder:
            there = ["--dir", f"{folder}/there"]
            run(WINDFALL, "submit", job, "--slurm", "--tasks", WORKERS, *there)
            return answer(WINDFALL, "fetch", there[1], "--wait")

    yield solve


@contextlib.contextmanager
def slurm_engines(name):
    """Engines as ranks of a batch job."""
    need_slurm()
    with engines.mpi(name):
        start = ["start", "--launcher", "slurm", "-n", WORKERS, "--name", NAME]
        run(WINDFALL, *start, "--python", sys.executable, "--sbatch=--output=/dev/null")
        client = connected(NAME)
        try:
            yield lambda job: call(job, on=client)
        finally:
            run(WINDFALL, "stop", "--name", NAME)


def connected(name):
    """Return a client of a cluster as soon as all its engines are there."""
    until = time.monotonic() + START_S
    while True:
        try:
            client = windfall.Client(name)
            client.wait_for_engines(WORKERS, START_S)
            return client
        except windfall.WindfallError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


@contextlib.contextmanager
def outer(name, *settings):
    """An engine of others, or a pool."""
    with engines.ENGINES[name](*settings) as engine:
        yield lambda job: call(job, on=engine.on)


PLACES = {
    "threads": (here, WORKERS),
    "serial": (here, 1),
    "native engines": (native_engines,),
    "Python engines": (python_engines,),
    "shards by xargs": (xargs,),
    "checkpoint": (checkpoint,),
    "ranks, Open MPI": (ranks, "openmpi"),
    "ranks, MPICH": (ranks, "mpich"),
    "MPIPoolExecutor, Open MPI": (mpi_pool, "openmpi"),
    "MPIPoolExecutor, MPICH": (mpi_pool, "mpich"),
    "engines as ranks, Open MPI": (rank_engines, "openmpi"),
    "engines as ranks, MPICH": (rank_engines, "mpich"),
    "Slurm, array": (slurm,),
    "Slurm, engines as ranks of Open MPI": (slurm_engines, "openmpi"),
    "Slurm, engines as ranks of MPICH": (slurm_engines, "mpich"),
    "ThreadPoolExecutor": (outer, "threads"),
    "ProcessPoolExecutor": (outer, "processes"),
    "loky": (outer, "loky"),
    "joblib": (outer, "joblib"),
    "Dask": (outer, "dask"),
    "Ray": (outer, "ray"),
    "Spark": (outer, "spark", "1g"),  # as much comes to its driver as by default
}
"""What starts each mapping, and with what; the first is what all others are compared with."""


@contextlib.contextmanager
def place(name):
    """Start a mapping and yield what solves jobs there; raise `Refused` where it cannot be had."""
    start, *arguments = PLACES[name]
    with refusing(), start(*arguments) as solve:
        yield solve


@contextlib.contextmanager
def refusing():
    """Raise `Refused` for what the suite of the engines would skip."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "Skipped":  # pytest's, which is no Exception
            raise
        raise Refused(str(error)) from None
