"""Run under `mpirun … python -m mpi4py.futures`: jobs on ranks beside the same on threads."""

import os
import signal
import sys
import threading
import time
import warnings

from jobs import BOX, CODE, JOBS, told
from mpi4py.futures import MPIPoolExecutor

import windfall


def breaks(x):
    raise ArithmeticError("too near the edge")


def slow(x):
    time.sleep(0.02)
    return x[0]


def jobs(pool):
    """Do every job; then one that fails, and one that is stopped in the middle."""
    for name, job in [*JOBS.items(), *CODE.items()]:
        assert told(job(on=pool)) == told(job()), name
    workers = windfall.pi(1000, rng=1, on=pool).run["workers"]
    try:
        windfall.integrate(breaks, [(0, 1)], n=5000, rng=9, on=pool)
    except windfall.TaskError as error:
        assert error.seed == 9 and "in breaks" in error.trace
    else:
        raise AssertionError("a task that raises must be an error")
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result = windfall.integrate(slow, [(0, 1)], n=40_000_000, rng=1, on=pool)
    assert any(each.category is windfall.IncompleteWarning for each in warned)
    assert 0 < result.draws < 40_000_000
    print(f"{len(JOBS) + len(CODE)} jobs on {workers} ranks")


def endless(pool):
    """Say once which process is a worker, and go on."""
    worker = pool.submit(os.getpid).result()
    said = []

    def running(done, *_):
        if done and not said:
            said.append(done)
            print("running", worker, flush=True)

    windfall.integrate(slow, BOX, n=4_000_000_000, rng=1, on=pool, progress=running)


def main():
    with MPIPoolExecutor() as pool:
        {"jobs": jobs, "endless": endless}[sys.argv[1]](pool)


if __name__ == "__main__":
    main()
    sys.exit(0)
