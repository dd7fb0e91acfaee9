"""Pictures of results that are no distribution, one function for each kind of problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ._result import Result


def power_curve(result: Result, ax: Any) -> Any:
    """Draw power over the sample size or the effect with its Monte Carlo band."""
    table = result.table
    if table is None or len(table["n"]) < 2:
        raise ValueError("a curve has at least two points: give several sample sizes or effects")
    import matplotlib.pyplot as plt

    axes = plt.subplots()[1] if ax is None else ax
    effect: Any = table.get("effect")
    over = "n" if np.ptp(table["n"]) > 0 or effect is None else "effect"
    several = over == "n" and effect is not None and np.ptp(effect) > 0
    for value in np.unique(effect) if several else [None]:
        rows = np.flatnonzero(effect == value) if several else np.arange(len(table["n"]))
        rows = rows[np.argsort(table[over][rows], kind="stable")]
        x, label = table[over][rows], None if value is None else f"effect {value:g}"
        axes.plot(x, table["power"][rows], marker=".", label=label)
        axes.fill_between(x, table["low"][rows], table["high"][rows], alpha=0.25)
    if "n" in result.names:
        size = float(np.atleast_1d(result.estimate)[result.names.index("n")])
        axes.axvline(size, color="#c0392b", linestyle="--", label=f"n = {size:g}")
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("sample size n" if over == "n" else "effect")
    axes.set_ylabel("power")
    axes.set_title(f"{result.method}, {result.draws:,} simulations")
    if axes.get_legend_handles_labels()[1]:
        axes.legend()
    return axes


DRAWERS: dict[str, Callable[[Result, Any], Any]] = {
    "power": power_curve,
    "sample_size": power_curve,
}
