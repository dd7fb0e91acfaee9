"""Runs jobs on an `MPIPoolExecutor`: `mpirun -n 3 python -m mpi4py.futures served.py`.

Reads `function` or the path of a job file, one a line, and writes each answer as a line of JSON;
`order` asks for the seconds that an order costs.
"""

import json
import sys

import costs
import work
from mpi4py.futures import MPIPoolExecutor


def main():
    with MPIPoolExecutor() as pool:
        for line in sys.stdin:
            word = line.strip()
            if word == "order":
                told = costs.order_s(pool)
            else:
                told = work.call(work.function if word == "function" else word, on=pool)
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
