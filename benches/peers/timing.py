"""Time two or more things in turn, check their answers first, and report ratios of medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Side:
    """One of the things compared.

    `share` is the part of the full work that `work` does: a peer too slow for the whole
    runs a part and its time is scaled.
    """

    name: str
    work: Callable[[], Any]
    check: Callable[[Any], None]
    share: float = 1.0
    goal: float | None = None
    seconds: list[float] = field(default_factory=list)

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds) / self.share


@dataclass
class Comparison:
    """A row of the table: our side first, then the peers, run in turn.

    `units` is the number of draws, samples or evaluations of the full work, for the
    column of nanoseconds a unit. Each peer's `goal` is the least ratio peer / ours.
    """

    title: str
    units: float
    ours: Side
    peers: list[Side]

    def run(self, rounds: int) -> None:
        sides = [self.ours, *self.peers]
        for side in sides:  # warm-up and check; nothing is timed before it is right
            side.check(side.work())
        for _ in range(rounds):
            for side in sides:
                began = time.perf_counter()
                side.work()
                side.seconds.append(time.perf_counter() - began)

    def rows(self) -> list[list[str]]:
        rows = []
        for side in [self.ours, *self.peers]:
            ratio = side.median_s / self.ours.median_s
            spread = max(side.seconds) / min(side.seconds)
            if side is self.ours:
                verdict = ""
            elif side.goal is None:
                verdict = f"{ratio:.2f}×"
            else:
                word = "reached" if ratio >= side.goal else "MISSED"
                verdict = f"{ratio:.2f}× (goal {side.goal:g}×: {word})"
            rows.append(
                [
                    self.title if side is self.ours else "",
                    side.name,
                    f"{side.median_s:.4g}",
                    f"{1e9 * side.median_s / self.units:.3g}",
                    verdict,
                    f"{spread:.2f}",
                ]
            )
        return rows


HEADER = ["work", "side", "seconds", "ns a unit", "side / ours", "max / min"]


def markdown(rows: list[list[str]]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def near(exact: float, *, within: float) -> Callable[[Any], None]:
    """Return a check that a number lies `within` of `exact`."""

    def check(answer: Any) -> None:
        value = getattr(answer, "estimate", answer)
        assert abs(float(value) - exact) <= within, f"{value} is not {exact} ± {within}"

    return check
