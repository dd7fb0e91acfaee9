"""Compare with other tools: `python benches/peers/run.py [--scale 1] [--rounds 5] [CASE ...]`.

Both sides run in turn in this process, answers are checked before anything is timed, and
the ratio of the medians is what counts. The table goes to `benches/results/`.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import importlib.util
import itertools
import os
import platform
import subprocess
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import bootstraps
import chains
import fits
import integrals
import mixtures
import permutations
import powers
from timing import markdown

import windfall

RESULTS = Path(__file__).parents[1] / "results"
GROUPS = [integrals, bootstraps, mixtures, permutations, powers, fits, chains]
PACKAGES = ["numpy", "scipy", "numba", "arch"]


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    isa = windfall.pi(1, rng=1).run["isa"]
    gcc = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True).stdout
    there = [name for name in PACKAGES if importlib.util.find_spec(name)]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in there]
    return (
        f"{os.cpu_count()} × {model}, {isa}; {platform.system()}; Python"
        f" {platform.python_version()}, {', '.join(versions)}, gcc {gcc.strip()};"
        f" windfall {windfall.__version__}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the work")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="keep the table in results/")
    parser.add_argument("cases", nargs="*", help="names of cases: pi, small_job, …")
    chosen = parser.parse_args()
    rows = []
    for case in itertools.chain.from_iterable(group.CASES for group in GROUPS):
        if chosen.cases and case.__name__ not in chosen.cases:
            continue
        comparison = case(chosen.scale)
        comparison.run(chosen.rounds)
        rows += comparison.rows()
        print("\n".join(" | ".join(row) for row in comparison.rows()), flush=True)
    today = datetime.date.today().isoformat()
    text = (
        f"# Against other tools, {today}\n\n{machine()}. Scale {chosen.scale:g}, median of"
        f" {chosen.rounds} rounds in turn; answers checked first. Ratios above 1 mean that"
        f" Windfall is faster.\n\n{markdown(rows)}\n"
    )
    if chosen.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"peers-{today}.md").write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
