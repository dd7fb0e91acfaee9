"""What another engine costs: its start, an order for one shard, and the efficiency on real jobs.

    python benches/mappings/engines.py [engine ...]

Prints one row an engine, as docs/mappings.md has them. The job is the bootstrap of a real table
with 100,000 resamples and one with a function of Python; both sides have as many workers.
"""

import contextlib
import importlib
import os
import sys
import time
from pathlib import Path

import numpy as np

import windfall
from windfall.backends import base

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/backends"))
import engines  # noqa: E402

LAW = Path(__file__).resolve().parents[2] / "examples/law_school.csv"
SINGLES = 200
REPEATS = 3


def ratio(x, axis=-1):
    return np.median(x, axis=axis)


class Single(base.Sizes):
    """Orders of one shard each: what is left is what an order costs."""

    def next(self):
        return 1


def seconds(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@contextlib.contextmanager
def single_orders():
    modules = [base, importlib.import_module("windfall.backends.joblib")]
    usual = base.Sizes
    for module in modules:
        module.Sizes = Single
    try:
        yield
    finally:
        for module in modules:
            module.Sizes = usual


def order_s(on):
    """The seconds that each order adds, all workers busy: of shards that take some 20 µs."""
    job = dict(bounds=[(0, 1)], n=SINGLES * 512, rng=1)

    def call(**more):
        return windfall.integrate(identity, job["bounds"], n=job["n"], rng=1, **more)

    call(on=on)
    with single_orders():
        there = min(seconds(lambda: call(on=on)) for _ in range(REPEATS))
    here = min(seconds(lambda: call(workers=1)) for _ in range(REPEATS))
    return (there - here / engines.WORKERS) / SINGLES


def identity(x):
    return x[0]


def efficiency(job, on):
    """Seconds of threads over seconds there, each the best of a few in turn."""
    there, here = [], []
    job(on=on)
    for _ in range(REPEATS):
        there.append(seconds(lambda: job(on=on)))
        here.append(seconds(lambda: job(workers=engines.WORKERS)))
    return min(here) / min(there), min(there)


def jobs():
    x = np.random.default_rng(1).normal(size=2000)
    return {
        "formula": lambda **on: windfall.bootstrap(
            {"x": x}, "trimmed_mean(x, 0.1)", n_resamples=100_000, rng=1, **on
        ),
        "function": lambda **on: windfall.bootstrap(
            {"x": x}, ratio, n_resamples=40_000, rng=1, method="percentile", **on
        ),
    }


def row(name):
    began = time.perf_counter()
    with engines.ENGINES[name]() as engine:
        windfall.pi(1000, rng=1, on=engine.on)
        started = time.perf_counter() - began
        cost = order_s(engine.on)
        cells = [f"{started:.1f} s", f"{1e3 * cost:.2f} ms"]
        for job in jobs().values():
            share, spent = efficiency(job, engine.on)
            cells.append(f"{share:.2f} ({spent:.2f} s)")
    return f"| {name} | " + " | ".join(cells) + " |"


def main():
    print(f"{os.cpu_count()} cores, {engines.WORKERS} workers")
    print("| engine | start and first answer | an order | formula | function |")
    print("|---|---|---|---|---|")
    for name in sys.argv[1:] or engines.ENGINES:
        try:
            print(row(name), flush=True)
        except BaseException as error:
            if type(error).__name__ != "Skipped":
                raise
            print(f"| {name} | skipped: {error} |")


if __name__ == "__main__":
    main()
