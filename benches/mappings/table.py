"""One job file and one job with a function of Python on every mapping: the same bytes, and seconds.

    tests/slurm/node python benches/mappings/table.py [--write] [--rounds 3] [mapping ...]

Without `tests/slurm/node` the rows of Slurm are left out, and say so. Nothing is told of speed
before all answers have been compared.
"""

import argparse
import statistics
import sys
import time
from typing import NamedTuple

from places import PLACES, WORKERS, Refused, place
from results import keep
from work import FILE, NOTHING, digest, function

JOBS = {"file": FILE, "function": function}


class Cell(NamedTuple):
    """How a job went on a mapping."""

    digest: str
    seconds: float
    """From the job to the answer, less what a job of nothing takes there."""
    ratio: float
    """Over the seconds of threads, taken in turn."""


class Row(NamedTuple):
    """A mapping with its cells; instead of one why it was refused."""

    start: float
    """Until a job of nothing is answered."""
    nothing: float
    """A job of nothing when the mapping is there."""
    cells: dict[str, Cell | str]


def timed(solve, job):
    """Return an answer and its seconds."""
    began = time.perf_counter()
    answer = solve(job)
    return answer, time.perf_counter() - began


def cell(there, here, job, rounds):
    """Run a job on a mapping and on threads in turn; each is a function and its nothing."""
    digests, seconds, ratios = set(), [], []
    for _ in range(rounds):
        spent = []
        for solve, nothing in (there, here):
            answer, took = timed(solve, job)
            digests.add(digest(answer))
            spent.append(took - nothing)
        seconds.append(spent[0])
        ratios.append(spent[0] / spent[1])
    return Cell("≠".join(sorted(digests)), statistics.median(seconds), statistics.median(ratios))


def measured(name, here, rounds):
    """Start a mapping, time it, and end it."""
    began = time.perf_counter()
    with place(name) as solve:
        solve(NOTHING)
        start = time.perf_counter() - began
        nothing = statistics.median(timed(solve, NOTHING)[1] for _ in range(rounds))
        cells = {}
        for title, job in JOBS.items():
            try:
                cells[title] = cell((solve, nothing), here, job, rounds)
            except Refused as refused:
                cells[title] = str(refused)
    return Row(start, nothing, cells)


def rows(names, rounds):
    """Measure mappings; those that are not here have a reason instead of a row."""
    with place(next(iter(PLACES))) as solve:
        nothing = statistics.median(timed(solve, NOTHING)[1] for _ in range(rounds))
        for name in names:
            try:
                found = measured(name, (solve, nothing), rounds)
            except Refused as refused:
                found = str(refused)
            print(f"{name}: {'run' if isinstance(found, Row) else found}", file=sys.stderr)
            yield name, found


def compare(table):
    """Raise unless every mapping has given the same answer, again and again."""
    for title in JOBS:
        cells = {name: row.cells[title] for name, row in table.items() if isinstance(row, Row)}
        digests = {name: one.digest for name, one in cells.items() if isinstance(one, Cell)}
        if len(set(digests.values())) > 1 or any("≠" in one for one in digests.values()):
            lines = "\n".join(f"  {one}  {name}" for name, one in digests.items())
            raise SystemExit(f"the answers of the {title} differ:\n{lines}")


def markdown(table):
    """Return the rows as a table, and below it why cells are empty."""
    lines = [
        "| mapping | start | nothing | file | s | × threads | function | s | × threads |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    reasons = []
    for name, row in table.items():
        if isinstance(row, str):
            reasons.append(f"- {name}, not here: {row}")
            continue
        words = [name, f"{row.start:.2f}", f"{row.nothing:.3f}"]
        for title, one in row.cells.items():
            if isinstance(one, str):
                reasons.append(f"- {name}, no {title}: {one}")
                words += ["–", "", ""]
            else:
                words += [f"`{one.digest}`", f"{one.seconds:.2f}", f"{one.ratio:.2f}"]
        lines.append(f"| {' | '.join(words)} |")
    return "\n".join([*lines, "", *reasons])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mappings", nargs="*", help="which; all without")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="keep it in benches/results")
    asked = parser.parse_args()
    names = asked.mappings or list(PLACES)
    if unknown := set(names) - set(PLACES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are: {', '.join(PLACES)}")
    table = dict(rows(names, asked.rounds))
    compare(table)
    about = (
        f"{WORKERS} workers each; medians of {asked.rounds} runs, each in turn with one on threads."
        " `start`: seconds until a started mapping has answered a job of nothing; `nothing`: such a"
        " job when it is there; `s`: seconds of the job less those. All answers were compared"
        " first: a digest is the hash of an answer's JSON without `run`."
    )
    keep("The same bytes on every mapping", f"{about}\n\n{markdown(table)}")


if __name__ == "__main__":
    main()
