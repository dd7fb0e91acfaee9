"""Run under `mpirun … python -m mpi4py.futures`: every job on ranks beside the same on threads."""

import sys

from jobs import CODE, JOBS, told
from mpi4py.futures import MPIPoolExecutor

import windfall


def breaks(x):
    raise ArithmeticError("too near the edge")


def main():
    with MPIPoolExecutor() as pool:
        for name, job in [*JOBS.items(), *CODE.items()]:
            assert told(job(on=pool)) == told(job()), name
        workers = windfall.pi(1000, rng=1, on=pool).run["workers"]
        try:
            windfall.integrate(breaks, [(0, 1)], n=5000, rng=9, on=pool)
        except windfall.TaskError as error:
            assert error.seed == 9 and "in breaks" in error.trace
        else:
            raise AssertionError("a task that raises must be an error")
    print(f"{len(JOBS) + len(CODE)} jobs on {workers} ranks")


if __name__ == "__main__":
    main()
    sys.exit(0)
