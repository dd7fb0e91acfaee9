"""Predicted against actual time: every job of examples/ on every mapping that the planner knows.

    tests/slurm/node python benches/mappings/predicted.py [--write] [mapping ...]

The command calibrates itself and runs what it can (`windfall plan --run`); the engines of others,
which are started once for all jobs, are calibrated by `windfall.plan`; what Slurm's arrays cost is
measured by costs.py and given to the planner as it takes any calibration by hand.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from costs import slurm_costs
from places import WINDFALL, WORKERS, Refused, engines, place, refusing, run
from results import ROOT, keep
from work import digest

import windfall

JOBS = sorted((ROOT / "examples").glob("*.toml"))
GOAL = 0.2
OTHERS = ["dask", "ray", "spark"]


def by_command(state):
    """Have the command predict and run each job on what it finds, with Open MPI's ranks."""
    with tempfile.TemporaryDirectory() as folder, engines.mpi("openmpi"):
        os.environ["PATH"] = os.pathsep.join([folder, os.environ["PATH"]])
        Path(folder, "mpirun").symlink_to(shutil.which("mpirun.openmpi"))
        Path(folder, "windfall-mpi").symlink_to(ROOT / "target/mpi/openmpi/windfall-mpi")
        run(WINDFALL, "plan", "--calibrate", "--state", state)
        for job in JOBS:
            told = json.loads(run(WINDFALL, "plan", job, "--run", "--json", "--state", state))
            for pair in told["run"]["runs"]:
                yield job.stem, pair["mapping"], pair["predicted_s"], pair["actual_s"]


def by_python(state, name):
    """Measure an engine of others that is there, then predict and run each job on it."""
    with engines.ENGINES[name]() as engine:
        calibrated = {"calibrate": True}
        for job in JOBS:
            plan = windfall.plan(job, on=engine.on, state=state, **calibrated)
            calibrated = {}
            yield pair(state, plan, (job, name), lambda job=job: windfall.run(job, on=engine.on))


def by_slurm(state):
    """Predict and run each job as an array of Slurm, by what empty arrays take there."""
    with place("Slurm, array") as solve:
        start_s, order_s = slurm_costs()
        costs = {"start_s": start_s, "order_s": order_s, "orders_per_worker": 1, "builds": True}
        calibrate(state, "slurm", costs | {"submits": True})
        for job in JOBS:
            plan = windfall.plan(job, elsewhere=WORKERS, state=state)
            yield pair(state, plan, (job, "slurm"), lambda job=job: solve(job))


def calibrate(state, name, costs):
    """Give the planner what a mapping costs."""
    path = Path(state, "calibration.json")
    known = json.loads(path.read_text()) if path.exists() else {"mappings": {}}
    known["mappings"][name] = costs
    path.write_text(json.dumps(known))


def pair(state, plan, where, solve):
    """Run a job as it was planned, several times if it is short; keep and return both times."""
    job, name = where
    found = []
    while not found or (found[0] < 0.5 and len(found) < 5):
        began = time.perf_counter()
        answer = solve()
        found.append(time.perf_counter() - began)
    answer = answer if isinstance(answer, dict) else answer.to_dict()
    assert digest(answer) == digest(windfall.run(job).to_dict()), (name, job)
    actual = statistics.median(found)
    plan.keep(name, actual, state=state)
    return job.stem, name, plan[name].seconds, actual


def error(predicted, actual):
    return abs(predicted - actual) / actual


def measured(state, names):
    """Every pair, and why mappings have none."""
    found, reasons = [], []
    ways = {"command": lambda: by_command(state), "slurm": lambda: by_slurm(state)}
    ways |= {name: lambda name=name: by_python(state, name) for name in OTHERS}
    for name in names or ways:
        try:
            with refusing():
                for pair in ways[name]():
                    found.append(pair)
                    print(*pair, file=sys.stderr, flush=True)
        except Refused as refused:
            reasons.append(f"- {name}, not here: {refused}")
    return found, reasons


def markdown(found):
    """A row a job, a column a mapping: predicted and actual seconds; below, the median errors."""
    mappings = list(dict.fromkeys(mapping for _, mapping, *_ in found))
    lines = [f"| job | {' | '.join(mappings)} |", "|---" * (len(mappings) + 1) + "|"]
    for job in dict.fromkeys(job for job, *_ in found):
        cells = {m: f"{p:.3g} / {a:.3g}" for j, m, p, a in found if j == job}
        lines.append(f"| {job} | {' | '.join(cells.get(m, '') for m in mappings)} |")
    errors = [statistics.median(error(*t) for _, m, *t in found if m == one) for one in mappings]
    lines.append("| median error | " + " | ".join(f"{100 * e:.0f} %" for e in errors) + " |")
    overall = statistics.median(error(*times) for _, _, *times in found)
    verdict = "reached" if overall <= GOAL else "MISSED"
    lines += ["", f"Over all: {100 * overall:.1f} % (goal {GOAL:.0%}: {verdict})."]
    return "\n".join(lines)


def main():
    names = [word for word in sys.argv[1:] if not word.startswith("-")]
    with tempfile.TemporaryDirectory() as state:
        found, reasons = measured(state, names)
    about = (
        f"{WORKERS} workers; predicted / actual seconds of each job of examples/, from the job to"
        " the answer; engines of others run already."
    )
    text = "\n".join([about, "", markdown(found), "", *reasons]).rstrip()
    keep("Predicted against actual time", text)


if __name__ == "__main__":
    main()
