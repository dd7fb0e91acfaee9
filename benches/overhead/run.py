"""What empty work costs: start, call, map, move, stop, beside other tools, in one run.

`python benches/overhead/run.py [--write] [--rounds 5] [TOOL …]`. Each tool is started, does its
share of every row and is stopped; then the next; so in each round. Answers are checked first.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tools import TOOLS, Tool

ENGINES = 4
SINGLES = 10_000
ITEMS = 1_000_000
LASTING = 1_000_000
"""Single tasks after which it is seen what stays of them."""
ARRAY = np.arange(25_000_000, dtype=np.float64)
"""200 MB."""
UNEVEN = [unit * 0.1 for unit in [5, *[1] * 12, 5, 5, 5]]
"""The lecture's tasks: the best that four workers can do is 0.8 s, greedily 0.9 s."""


def seconds(work: Callable[[], Any], times: int = 1) -> float:
    """Return the median time of `work`."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def measure(make: Callable[[int], Tool]) -> Iterator[tuple[str, float]]:
    """Yield every row's name and figure for one tool."""
    before = processes()
    began = time.perf_counter()
    tool = make(ENGINES)
    tool.everywhere()  # type: ignore[attr-defined]
    yield "start until a no-op has run on all, s", time.perf_counter() - began
    time.sleep(0.5)
    own = processes() - before
    yield "idle: processes", len(own)
    yield "idle: resident memory, MB", sum(resident(pid) for pid in own) / 1e6
    yield "one no-op call, ms", 1e3 * seconds(tool.call, 300)  # type: ignore[attr-defined]
    if hasattr(tool, "keepers"):
        yield f"client and controller grow by {LASTING:,} single tasks, MB", growth(tool)
    yield from rates(tool)
    yield from moves(tool)
    if hasattr(tool, "cell"):
        tool.cell()
        yield "a cell `a = 1` on all, ms", 1e3 * seconds(tool.cell, 100)
    yield "uneven tasks (greedy 0.9), s", seconds(lambda: tool.uneven(UNEVEN))  # type: ignore[attr-defined]
    if hasattr(tool, "kill"):
        noticed, replaced = tool.kill()
        yield "a killed engine is noticed, ms", 1e3 * noticed
        yield "a killed engine is replaced, ms", 1e3 * replaced
    began = time.perf_counter()
    tool.stop()
    # The tracker of Python's own resources lives as long as this process.
    own = {pid for pid in own if b"resource_tracker" not in command(pid)}
    while (processes() - before) & own and time.perf_counter() - began < 30:
        time.sleep(0.002)
    yield "stop until the last process is gone, s", time.perf_counter() - began


def growth(tool: Any) -> float:
    """Return what single tasks leave in memory once their results are dropped, in MB."""
    tool.singles(100)
    before = sum(map(resident, tool.keepers()))
    for _ in range(LASTING // SINGLES):
        tool.singles(SINGLES)
    return (sum(map(resident, tool.keepers())) - before) / 1e6


def rates(tool: Any) -> Iterator[tuple[str, float]]:
    singles = int(SINGLES * tool.singles_share)
    assert tool.singles(100) == list(range(1, 101))
    yield f"{SINGLES:,} single tasks, a second", singles / seconds(lambda: tool.singles(singles), 3)
    if not hasattr(tool, "map"):
        return
    items = range(int(ITEMS * tool.map_share))
    assert tool.map(items[:1000]) == list(range(1, 1001))
    yield (
        f"map of {ITEMS:,} trivial items, a second",
        len(items) / seconds(lambda: tool.map(items), 3),
    )


def moves(tool: Any) -> Iterator[tuple[str, float]]:
    gigabytes = ARRAY.nbytes / 1e9
    if hasattr(tool, "scatter"):
        yield "scatter 200 MB, GB/s", gigabytes / seconds(lambda: tool.scatter(ARRAY), 3)
    if hasattr(tool, "gather"):
        assert np.array_equal(tool.gather(), ARRAY)
        yield "gather 200 MB, GB/s", gigabytes / seconds(tool.gather, 3)
    if hasattr(tool, "push"):
        yield "push 200 MB to all, s", seconds(lambda: tool.push(ARRAY), 3)


def processes() -> set[int]:
    """Return the processes that descend from this one, or were left by one that does."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "environ").read_bytes()
            except OSError:
                continue
            if MARK.encode() in text and int(entry.name) != os.getpid():
                found.add(int(entry.name))
    return found


def command(pid: int) -> bytes:
    """Return a process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def resident(pid: int) -> int:
    """Return a process's resident memory in bytes."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


MARK = "WINDFALL_OVERHEAD=1"


def table(figures: dict[str, dict[str, list[float]]]) -> str:
    rows = list(dict.fromkeys(row for tool in figures.values() for row in tool))
    lines = ["| row | " + " | ".join(figures) + " |", "|---|" + "---|" * len(figures)]
    for row in rows:
        cells = []
        for tool in figures.values():
            taken = tool.get(row)
            cells.append(f"{statistics.median(taken):,.4g}" if taken else "")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tools", nargs="*", help="which tools; all that are installed without")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="keep the table in benches/results")
    asked = parser.parse_args()
    if MARK.split("=")[0] not in os.environ:
        # What is started from here carries a mark by which it is found, whoever its parent is.
        os.environ[MARK.split("=")[0]] = "1"
        # Workers of every tool find the functions by the name of their module.
        here, before = str(Path(__file__).parent), os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, before]))
        os.execv(sys.executable, [sys.executable, *sys.argv])
    figures: dict[str, dict[str, list[float]]] = {}
    for _ in range(asked.rounds):
        for make in TOOLS:
            name = make.name  # type: ignore[attr-defined]
            if asked.tools and name not in asked.tools:
                continue
            try:
                for row, figure in measure(make):
                    figures.setdefault(name, {}).setdefault(row, []).append(figure)
            except ImportError as error:
                print(f"left out: {error}", file=sys.stderr)
    about = (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}; "
        f"{ENGINES} engines; median of {asked.rounds} rounds, tools in turn."
    )
    today = datetime.date.today().isoformat()
    text = f"# What empty work costs, {today}\n\n{about}\n\n{table(figures)}\n"
    print(text)
    if asked.write:
        results = Path(__file__).parents[1] / "results"
        (results / f"overhead-{today}.md").write_text(text)


if __name__ == "__main__":
    main()
