"""MPI from Python: an `MPIPoolExecutor` whose workers are ranks of a real MPI, of each in turn."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import engines
import psutil
import pytest
from engines import MPIS
from jobs import CODE, JOBS

PROGRAM = Path(__file__).with_name("mpi_program.py")
RANKS = 3
TIMEOUT_S = 240
END_S = 30
"""How long the others may live after a rank was killed."""


@pytest.fixture(scope="module", params=MPIS)
def mpi(request):
    with engines.mpi(request.param) as name:
        yield name


def command(mpi, what):
    program = [sys.executable, "-m", "mpi4py.futures", str(PROGRAM), what]
    return [f"mpirun.{mpi}", "-n", str(RANKS), *program]


def test_jobs_on_ranks_are_those_of_threads(mpi):
    run = subprocess.run(command(mpi, "jobs"), capture_output=True, text=True, timeout=TIMEOUT_S)
    assert run.returncode == 0, run.stderr
    assert f"{len(JOBS) + len(CODE)} jobs on {RANKS - 1} ranks" in run.stdout


def test_with_a_killed_rank_all_end(mpi):
    with subprocess.Popen(
        command(mpi, "endless"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as launcher:
        try:
            words = launcher.stdout.readline().split()
            assert words[:1] == ["running"], launcher.stderr.read()
            ranks = [process for process in everybody(launcher) if process.is_running()]
            os.kill(int(words[1]), signal.SIGKILL)
            killed = time.monotonic()
            said = launcher.communicate(timeout=END_S)
        finally:
            launcher.kill()
    assert launcher.returncode != 0, said
    gone, alive = psutil.wait_procs(ranks, timeout=END_S - (time.monotonic() - killed))
    assert len(gone) >= RANKS and not alive


def everybody(launcher):
    """The ranks and what else the launcher has started."""
    return psutil.Process(launcher.pid).children(recursive=True)
