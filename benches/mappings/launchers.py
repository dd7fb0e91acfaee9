"""What a command on other workers costs: its start, a shard, and the efficiency beside threads.

    python benches/mappings/launchers.py [-n 2] [launcher ...]

Prints one row a launcher, as docs/mappings.md has them; `tests/mpi/run build` makes the commands.
Times are those that the command reports of its own run, each the best of a few taken in turn with
threads; the start is what is left of a job that does nothing.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 5
TINY = ["pi", "-n", "1000", "--seed", "1"]
# Shards of some 20 µs, so many that what each costs beside its work shows.
SHARDS = 20_000
SMALL = ["integrate", "x0", "--bounds", "0:1", "-n", str(512 * SHARDS), "--seed", "1"]
LAUNCHERS = {
    name: [f"mpirun.{name}", "-n", "{n}", str(ROOT / f"target/mpi/{name}/windfall-mpi")]
    for name in ["openmpi", "mpich"]
}
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}


def run(command):
    """Run a command and return what it reports, the wall-clock time beside it."""
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--json", "-q"],
        capture_output=True,
        check=True,
        env=os.environ | ENVIRONMENT,
    )
    answer = json.loads(done.stdout)
    answer["wall"] = time.perf_counter() - began
    return answer


def seconds(answer):
    """Take the time of the run itself out of an answer; what is left must not differ."""
    answer.pop("wall")
    return answer.pop("run")["seconds"]


def beside(there, here):
    """Return the least seconds there and here, taken in turn, the answers being the same."""
    least = [float("inf"), float("inf")]
    for _ in range(REPEATS):
        answers = [run(command) for command in (there, here)]
        least = [min(old, seconds(new)) for old, new in zip(least, answers, strict=True)]
        assert answers[0] == answers[1], "the bytes differ"
    return least


def row(name, count, data):
    """Measure one launcher."""
    there = [part.format(n=count) for part in LAUNCHERS[name]]
    here = [str(ROOT / "target/release/windfall")]
    start = min(run([*there, *TINY])["wall"] for _ in range(REPEATS))
    on_ranks, alone = beside([*there, *SMALL], [*here, *SMALL, "--workers", "1"])
    cells = [f"{start:.2f} s", f"{1e6 * (on_ranks * count - alone) / SHARDS:.2f} µs"]
    job = ["bootstrap", data, "--statistic", "trimmed_mean(x, 0.1)", "--resamples", "100000"]
    job += ["--seed", "1"]
    for schedule in ["dynamic", "static"]:
        on_ranks, on_threads = beside(
            [*there, *job, "--schedule", schedule], [*here, *job, "--workers", str(count)]
        )
        cells.append(f"{on_threads / on_ranks:.2f} ({on_ranks:.2f} s)")
    return f"| {name} | " + " | ".join(cells) + " |"


def main():
    """Measure the launchers that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("launchers", nargs="*", default=list(LAUNCHERS))
    parser.add_argument("-n", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, {asked.n} workers")
    print("| launcher | start, job and end | a shard | dynamic | static |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.csv"
        values = [(k * 7919 % 2003) / 2003 for k in range(2000)]
        data.write_text("x\n" + "\n".join(map(repr, values)) + "\n")
        for name in asked.launchers:
            print(row(name, asked.n, str(data)), flush=True)


main()
