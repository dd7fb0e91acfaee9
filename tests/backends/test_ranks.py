"""Interactive engines as ranks of a real MPI: the views' verbs, the ends of ranks, nothing left."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import engines
import numpy as np
import pytest
from engines import MPIS
from jobs import CODE, JOBS, told

import windfall
from windfall._cluster.map_dealt import chunks

ENGINES = 3
MARK = f"WINDFALL_RANKS={os.getpid()}"
COMMAND = Path(__file__).resolve().parents[2] / "target/release/windfall"


@pytest.fixture(scope="module", params=MPIS)
def mpi(request):
    """An MPI that mpi4py loads, in the environment of whatever is started."""
    with engines.mpi(request.param) as name:
        os.environ.update([MARK.split("=")])
        yield name


@pytest.fixture(scope="module")
def rc(mpi):
    with nothing_left(), windfall.Cluster(n=ENGINES, launcher="mpi") as client:
        yield client


@contextlib.contextmanager
def nothing_left():
    before = processes().keys()
    yield
    deadline = time.monotonic() + 10
    while left := processes().keys() - before:
        assert time.monotonic() < deadline, [processes().get(pid) for pid in left]
        time.sleep(0.02)


def processes():
    """The ranks, controllers and launchers that these tests have started."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            marks = (entry / "environ").read_bytes().split(b"\0")
            if "windfall._cluster." in words and MARK.encode() in marks:
                found[int(entry.name)] = words
    return found


def test_push_and_pull(rc):
    numbers = np.arange(2_000_000.0)
    rc[:].push({"a": 3, "large": numbers}).get(60)
    assert rc[:].pull("a").get(60) == [3] * ENGINES
    sums = rc[:].apply(lambda: float(large.sum()) + a)  # noqa: F821
    assert sums.get(60) == [numbers.sum() + 3] * ENGINES
    assert np.array_equal(rc[1].pull("large").get(60), numbers)
    rc[1].push({"large": 5}).get(60)
    assert rc[1].pull("large").get(60) == 5
    assert rc[0].apply(len, numbers).get(60) == len(numbers)


@pytest.mark.parametrize("jobs", [JOBS, CODE], ids=["formulas", "functions"])
def test_the_answers_of_jobs_are_those_of_threads(rc, jobs):
    for name, job in jobs.items():
        assert told(job(on=rc)) == told(job()), name


def test_scatter_and_gather(rc):
    numbers = np.arange(900_001.0)
    rc[:].scatter("part", numbers).get(60)
    assert sum(rc[:].apply(lambda: len(part)).get(60)) == len(numbers)  # noqa: F821
    assert np.array_equal(rc[:].gather("part").get(60), numbers)


def test_user_code_speaks_mpi_among_engines(rc):
    code = "from mpi4py import MPI\nranks = MPI.COMM_WORLD.allreduce(MPI.COMM_WORLD.rank + 1)"
    rc[:].execute(code).get(60)
    assert rc[:].pull("ranks").get(60) == [sum(range(1, ENGINES + 1))] * ENGINES


def test_output_and_exceptions(rc):
    said = rc[:].execute("print('rank here')")
    said.get(60)
    assert said.stdout == ["rank here\n"] * ENGINES
    with pytest.raises(windfall.RemoteError, match="ZeroDivisionError"):
        rc[1].apply(lambda: 1 // 0).get(60)


def test_balanced_view_spreads_uneven_tasks(rc):
    def task(i):
        time.sleep(0.05 if i % 10 == 0 else 0.002)
        return i * i

    results = [rc.load_balanced_view().apply(task, i) for i in range(60)]
    assert [result.get(60) for result in results] == [i * i for i in range(60)]
    assert len({result.engines[0] for result in results}) == ENGINES


def test_maps_have_their_values_and_streams(rc):
    def draw(i, x):
        return i + float(x.sum()) + float(windfall.rng().normal())

    rows = np.arange(4000.0).reshape(400, 10)
    view = rc.load_balanced_view()
    there = list(view.map(draw, range(400), rows, rng=7))
    with windfall.Cluster(n=2) as here:
        assert there == list(here.load_balanced_view().map(draw, range(400), rows, rng=7))

    def fails(i):
        return 1 // (77 - i)

    with pytest.raises(windfall.RemoteError, match="item 77 of the map"):
        list(view.map(fails, range(200)))
    assert list(view.map(abs, range(-50, 0))) == list(range(50, 0, -1))


@pytest.mark.parametrize("chunk", [0, 7])
@pytest.mark.parametrize("longest_first", [False, True])
def test_chunks_cover_all_items(chunk, longest_first):
    for length in (0, 1, 100, 1003):
        dealt = [item for each in chunks(length, 3, chunk, longest_first) for item in each]
        assert dealt == list(range(length))


def test_interrupt_reaches_one_rank(rc):
    def spin():
        while True:
            time.sleep(0.01)

    spinning, counting = rc[1].apply(spin), rc[2].apply(time.sleep, 0.5)
    time.sleep(0.3)
    rc.interrupt([1])
    with pytest.raises(windfall.RemoteError, match="KeyboardInterrupt"):
        spinning.get(30)
    counting.get(30)


def test_what_ranks_cannot_do_is_refused(rc):
    for ask in (lambda: rc.restart([1]), lambda: rc.add_engines(1), lambda: rc.shutdown([0])):
        with pytest.raises(windfall.WindfallError, match="ranks of MPI"):
            ask()
    with pytest.raises(windfall.WindfallError, match="`timeout_s` is `1.0`"):
        rc.load_balanced_view().map(abs, range(5), timeout_s=1.0)
    assert rc[:].apply(abs, -1).get(60) == [1] * ENGINES


def test_with_a_killed_rank_all_end(mpi):
    with nothing_left():
        cluster = windfall.Cluster(n=ENGINES, launcher="mpi")
        client = cluster.client
        waiting = [client[i].apply(time.sleep, 60) for i in range(ENGINES)]
        time.sleep(0.3)
        os.kill(client.pids[1], signal.SIGKILL)
        for result in waiting:
            with pytest.raises(windfall.EngineError) as raised:
                result.get(30)
            # MPICH ends the others so soon that one of them may be seen to die first.
            assert raised.value.rank in ((2,) if mpi == "openmpi" else range(ENGINES + 1))
            assert f"rank {raised.value.rank}" in str(raised.value)
        cluster.stop()


def test_the_command_starts_shows_and_stops_ranks(mpi):
    if not COMMAND.exists():
        pytest.skip("the command is not built: cargo build --release")
    name = f"ranks-{os.getpid()}"

    def windfall_command(*words):
        done = subprocess.run(
            [COMMAND, *words, "--name", name], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    with nothing_left():
        start = ["start", "--launcher", "mpi", "-n", "2", "--python", sys.executable]
        assert "2 engines in" in windfall_command(*start)
        assert len(json.loads(windfall_command("status", "--json"))["engines"]) == 2
        assert windfall.Client(name)[:].apply(abs, -2).get(60) == [2, 2]
        windfall_command("stop")


def test_outside_of_an_allocation_a_batch_job_is_submitted(mpi, tmp_path, monkeypatch):
    said = tmp_path / "said"
    for program, text in (("sbatch", f'echo "$@" >{said}; cat >>{said}; echo 42'), ("srun", "")):
        (tmp_path / program).write_text(f"#!/bin/sh\n{text or 'echo pmix pmi2'}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    options = {"name": "far", "engines": 4, "launcher": "slurm", "sbatch": ["--time=5"]}
    command = [sys.executable, "-m", "windfall._cluster.ranks.launch"]
    done = subprocess.run(command, input=json.dumps(options), capture_output=True, text=True)
    assert "submitted as job 42: 5 ranks" in done.stdout, done.stderr
    script = said.read_text()
    assert "--ntasks=4" in script and "--time=5" in script
    assert f"exec srun --mpi={'pmix' if mpi == 'openmpi' else 'pmi2'}" in script


def test_without_mpi4py_the_error_names_it(tmp_path, monkeypatch):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    with pytest.raises(windfall.WindfallError, match="need the package `mpi4py`"):
        windfall.Cluster(n=2, launcher="mpi")
    with pytest.raises(windfall.InputError, match="`launcher` is `ssh`"):
        windfall.Cluster(n=2, launcher="ssh")
