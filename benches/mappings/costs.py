"""What mappings cost beside the work: their start, an order or a shard, and how efficient they are.

    python benches/mappings/costs.py [--write] [ranks|clusters|others|slurm ...]

`ranks`: windfall-mpi, after `tests/mpi/run build`; `clusters`: interactive engines; `others`: Dask,
Ray, Spark, joblib and pools; `slurm`: arrays, under `tests/slurm/node`, and plain commands. Both
sides have as many workers and are timed in turn.
"""

import contextlib
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from places import WINDFALL, WORKERS, Refused, answer, engines, need_slurm, place, refusing, run
from results import ROOT, keep
from work import NOTHING

import windfall
from windfall.backends import base

REPEATS = 3
SHARE_MAX = 0.05
EFFICIENCY_MIN = 0.95


def seconds(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def goal(value, reached):
    return f"{value} ({'reached' if reached else 'MISSED'})"


def or_reason(cells, row, name, *more):
    """Return a row, or why there is none."""
    try:
        with refusing():
            return row(name, *more)
    except Refused as refused:
        return f"| {name} | not here: {refused} |" + " |" * (cells - 1)


# The ranks of MPI: what the command says of its own run.

PAIRS = 3
RESAMPLES, ROWS = 1_600_000, 20_000
SHARDS = 20_000
SMALL = ["integrate", "x0", "--bounds", "0:1", "-n", 512 * SHARDS, "--seed", 1]
"""Shards of some 20 µs, so many that what each costs beside its work shows."""


def told_s(*command):
    return answer(*command)["run"]["seconds"]


def in_turn(there, here):
    """Return the least seconds of each of two commands, and the median of here over there."""
    pairs = [(told_s(*there), told_s(*here)) for _ in range(PAIRS)]
    ratio = statistics.median(alone / found for found, alone in pairs)
    return *(min(each) for each in zip(*pairs, strict=True)), ratio


def rank_row(name, count, data):
    """Start, a shard, and the efficiency beside as many threads."""
    with engines.mpi(name):
        there = [f"mpirun.{name}", "-n", count, ROOT / f"target/mpi/{name}/windfall-mpi"]
        tiny = ["pi", "-n", 1000, "--seed", 1]
        start = min(seconds(lambda: answer(*there, *tiny)) for _ in range(REPEATS))
        on_ranks, alone, _ = in_turn([*there, *SMALL], [WINDFALL, *SMALL, "--workers", 1])
        cells = [f"{start:.2f} s", f"{1e6 * (on_ranks * WORKERS - alone) / SHARDS:.2f} µs"]
        job = ["bootstrap", data, "--statistic", "trimmed_mean(x, 0.1)", "--seed", 1]
        job += ["--resamples", RESAMPLES]
        for schedule in ["dynamic", "static"]:
            _, threads, efficiency = in_turn(
                [*there, *job, "--schedule", schedule], [WINDFALL, *job, "--workers", count]
            )
            cells.append(goal(f"{efficiency:.3f} of {threads:.2f} s", efficiency >= EFFICIENCY_MIN))
    return f"| {name} × {count} | {' | '.join(cells)} |"


def ranks():
    lines = [
        f"{os.cpu_count()} cores; medians of {PAIRS} pairs in turn; goal {EFFICIENCY_MIN} of as"
        f" many threads, on a bootstrap of the trimmed mean, {RESAMPLES:,} resamples of {ROWS:,}"
        " rows. A shard: what each adds to the time of a core.",
        "",
        "| launcher | start, job and end | a shard | dynamic / threads | static / threads |",
        "|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.csv"
        values = [(k * 7919 % 20011) / 20011 for k in range(ROWS)]
        data.write_text("x\n" + "\n".join(map(repr, values)) + "\n")
        for name in engines.MPIS:
            for count in (WORKERS, 2 * WORKERS):
                lines.append(or_reason(4, rank_row, name, count, data))
    keep("What ranks of MPI cost", "\n".join(lines))


# Clusters of engines.

CLUSTERS = [
    "native engines",
    "Python engines",
    "engines as ranks, Open MPI",
    "engines as ranks, MPICH",
    "Slurm, engines as ranks of Open MPI",
    "Slurm, engines as ranks of MPICH",
]
ORDERS_AN_ENGINE = 8
CALLS = 200
TRIES = 60
PAUSE_S = 1.5


def replicates(count):
    """A job of so many shards that have next to no work."""
    return {
        "problem": "simulate",
        "seed": 1,
        "replicates": count,
        "generate": ["x = normal(0, 1)"],
        "method": ["mean(x)"],
        "truth": "0",
        "grid": ["n = 2"],
    }


def cluster_row(name):
    """Start, a call, a round and an order; the costs of `calibrate_engines`, seen from Python."""
    began = time.perf_counter()
    with place(name) as solve:
        solve(NOTHING)
        start = time.perf_counter() - began
        # All names here hold the number of this process.
        (cluster,) = [one for one in windfall._core.clusters() if str(os.getpid()) in one]

        def cost(count):
            job = replicates(count)
            there = min(seconds(lambda: windfall.run(job, on=cluster)) for _ in range(TRIES))
            return there - min(seconds(lambda: windfall.run(job, workers=1)) for _ in range(TRIES))

        one, all_ = cost(1), cost(ORDERS_AN_ENGINE * WORKERS)
        order = (all_ - one) / ORDERS_AN_ENGINE
        quick, paused = ("–", "–") if name == "native engines" else calls(cluster)
    cells = [f"{start:.2f} s", quick, paused, f"{1e3 * (one - order):.2f} ms"]
    return f"| {name} | {' | '.join(cells)} | {1e3 * order:.3f} ms |"


def calls(cluster):
    """The median of calls that do nothing: one after the other, and after a pause."""
    with windfall.Client(cluster) as client:
        view = client[0]

        def call():
            return seconds(lambda: view.apply(abs, 1).get(60))

        call()
        quick = statistics.median(call() for _ in range(CALLS))
        paused = []
        for _ in range(15):
            time.sleep(PAUSE_S)
            paused.append(call())
    return f"{1e3 * quick:.2f} ms", f"{1e3 * statistics.median(paused):.1f} ms"


def clusters():
    lines = [
        f"{WORKERS} engines. A call: `client[0].apply(abs, 1).get()`, median of {CALLS} in a row,"
        f" and of 15 after a pause of {PAUSE_S} s. A round and an order of a job with `on=`:"
        f" the least of {TRIES} runs.",
        "",
        "| engines | start and first answer | a call | after a pause | a round | an order |",
        "|---|---|---|---|---|---|",
    ]
    for name in CLUSTERS:
        lines.append(or_reason(5, cluster_row, name))
    keep("What engines of clusters cost", "\n".join(lines))


# The engines of others.

SINGLES = 200
JOB_ORDERS, JOB_S = 500, 4.0
"""A job lasts `JOB_S` seconds or more, and `JOB_ORDERS` times what an order costs or more."""
POOLS = ["MPIPoolExecutor, Open MPI", "MPIPoolExecutor, MPICH"]


class Single(base.Sizes):
    """Orders of one shard each: what is left is what an order costs."""

    def next(self):
        return 1


class Counting(base.Sizes):
    """Orders as ever, counted with the time that their workers took."""

    orders, busy_s = 0, 0.0

    def saw(self, shards, reply):
        super().saw(shards, reply)
        Counting.orders += 1
        Counting.busy_s += reply.seconds


@contextlib.contextmanager
def sizes(kind):
    modules = [base, importlib.import_module("windfall.backends.joblib")]
    usual = base.Sizes
    for module in modules:
        module.Sizes = kind
    try:
        yield
    finally:
        for module in modules:
            module.Sizes = usual


def identity(x):
    return x[0]


def order_s(on):
    """The seconds that each order adds, all workers busy: of shards that take some 20 µs."""
    job = dict(bounds=[(0, 1)], n=SINGLES * 512, rng=1)

    def call(**more):
        return windfall.integrate(identity, job["bounds"], n=job["n"], rng=1, **more)

    call(on=on)
    with sizes(Single):
        there = min(seconds(lambda: call(on=on)) for _ in range(REPEATS))
    here = min(seconds(lambda: call(workers=1)) for _ in range(REPEATS))
    return (there - here / WORKERS) / SINGLES


def middle(x, axis=-1):
    return np.median(x, axis=axis)


def jobs(cost):
    """Return what solves each job, large enough for an engine whose orders cost so much."""
    times = max(1, round(JOB_ORDERS * cost / JOB_S))
    x = np.random.default_rng(1).normal(size=20_000)
    return {
        "formula": lambda **on: windfall.bootstrap(
            {"x": x}, "trimmed_mean(x, 0.1)", n_resamples=800_000 * times, rng=1, **on
        ),
        "function": lambda **on: windfall.bootstrap(
            {"x": x[:2000]}, middle, n_resamples=250_000 * times, rng=1, method="percentile", **on
        ),
    }


def other_row(name):
    """Start, an order, efficiency, and what of the workers' time orders did not fill."""
    began = time.perf_counter()
    with engines.ENGINES[name]() as engine:
        windfall.pi(1000, rng=1, on=engine.on)
        start = time.perf_counter() - began
        cost = order_s(engine.on)
        cells = [f"{start:.1f} s", f"{1e3 * cost:.2f} ms"]
        for job in jobs(cost).values():
            here = seconds(lambda job=job: job(workers=WORKERS))
            Counting.orders, Counting.busy_s = 0, 0.0
            with sizes(Counting):
                there = seconds(lambda job=job: job(on=engine.on))
            scheduling = Counting.orders * cost / there
            idle = 1 - Counting.busy_s / (WORKERS * there)
            cells += [f"{here / there:.2f} of {here:.1f} s", str(Counting.orders)]
            cells += [goal(f"{100 * scheduling:.1f} %", scheduling <= SHARE_MAX)]
            cells.append(f"{100 * idle:.1f} %")
    return f"| {name} | {' | '.join(cells)} |"


def pool_row(name):
    """Start and an order of a pool whose ranks have a program of their own."""
    began = time.perf_counter()
    with place(name) as solve:
        solve(NOTHING)
        start = time.perf_counter() - began
        return f"| {name} | {start:.1f} s | {1e3 * solve('order'):.2f} ms |" + " |" * 8


def others():
    heads = "efficiency | orders | scheduling | not in orders"
    lines = [
        f"{WORKERS} workers. Efficiency: seconds of as many threads over seconds there. Scheduling:"
        " orders times what one costs with all workers busy, over the run's time (goal"
        f" {SHARE_MAX:.0%}), of jobs that take {JOB_ORDERS} times that or more. Not in orders: the"
        " share of the workers' time in which no order ran: scheduling, and what is serial. First a"
        " formula, then a function of Python.",
        "",
        f"| engine | start and first answer | an order | {heads} | function: {heads} |",
        "|" + "---|" * 11,
    ]
    rows = dict.fromkeys(engines.ENGINES, other_row)
    rows |= dict.fromkeys(POOLS, pool_row)
    for name, row in rows.items():
        lines.append(or_reason(10, row, name))
    keep("What the engines of others cost", "\n".join(lines))


# Arrays of Slurm, and commands that anything may start.

TURNS = 9
"""How many tasks a worker gets one after the other, beside one."""
COMMANDS = 200


@contextlib.contextmanager
def study_file(shards):
    """A file with a job of so many shards of next to no work, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        job.write_text(json.dumps(replicates(shards)))
        yield job


def array_s(tasks):
    """From the submission of an array of so many tasks to its answer."""
    with study_file(tasks) as job:
        there = job.with_suffix(".there")

        def call():
            run(WINDFALL, "submit", job, "--slurm", "--tasks", tasks, "--dir", there)
            answer(WINDFALL, "fetch", there, "--wait")

        return seconds(call)


def slurm_costs():
    """The start of an array, and what each task takes of its worker: medians."""
    one = statistics.median(array_s(WORKERS) for _ in range(REPEATS))
    all_ = statistics.median(array_s(TURNS * WORKERS) for _ in range(REPEATS))
    order = max(0.0, (all_ - one) / (TURNS - 1))
    return max(0.0, one - order), order


def array_row(name):
    need_slurm()
    start, order = slurm_costs()
    return f"| {name} | {start:.2f} s | {1e3 * order:.0f} ms |"


def commands_row(name):
    """The seconds of a worker that a command takes for a shard, and those of the merge."""
    with study_file(COMMANDS) as job:
        lines = job.with_suffix(".lines")
        shard = [WINDFALL, "shard", job, "--text", "--workers", "1"]
        command = [str(word) for word in ["xargs", "-P", WORKERS, "-n", "1", *shard]]
        shards = "\n".join(map(str, range(COMMANDS))).encode()

        def call():
            with lines.open("wb") as out:
                subprocess.run(command, input=shards, stdout=out, check=True)

        each = statistics.median(seconds(call) for _ in range(REPEATS)) * WORKERS / COMMANDS
        merged = seconds(lambda: answer(WINDFALL, "merge", job, lines))
    return f"| {name} | {1e3 * merged:.0f} ms, to merge | {1e3 * each:.1f} ms |"


def slurm():
    lines = [
        f"One node of {os.cpu_count()} cores, {WORKERS} workers, a queue that is empty; medians of"
        f" {REPEATS}, of jobs of next to no work. A task: arrays of {TURNS * WORKERS} tasks less"
        f" those of {WORKERS}, over the turns between. A command: {COMMANDS} of one shard each.",
        "",
        "| started by | start and answer less a task | a task or command, of its worker |",
        "|---|---|---|",
        or_reason(3, array_row, "array of Slurm"),
        or_reason(3, commands_row, "`windfall shard` by xargs"),
    ]
    keep("What commands cost that a scheduler starts", "\n".join(lines))


PARTS = {"ranks": ranks, "clusters": clusters, "others": others, "slurm": slurm}

if __name__ == "__main__":
    asked = [word for word in sys.argv[1:] if not word.startswith("-")] or list(PARTS)
    for part in asked:
        PARTS[part]()
