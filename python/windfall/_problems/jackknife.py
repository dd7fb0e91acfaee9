"""Leave rows out: the jackknife of a statistic of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._data import table_from
from .._result import Result
from .solving import Checkpoint, On, Run, build, given, solve


def jackknife(
    data: Any,
    statistic: str | Sequence[str],
    *,
    strata: str | None = None,
    groups: str | None = None,
    clusters: str | None = None,
    weights: str | None = None,
    workers: int | None = None,
    on: On = None,
    checkpoint: Checkpoint = None,
) -> Result:
    """Estimate bias and standard error of a statistic by leaving out one row at a time.

    Parameters are those of `bootstrap`. Nothing is random: the answer is exact.

    Examples
    --------
    >>> windfall.jackknife({"x": [1.0, 2.0, 3.0, 4.0]}, "mean(x)").bias
    0.0
    """
    options = given(
        statistic=statistic, strata=strata, groups=groups, clusters=clusters, weights=weights
    )
    run = Run(0, workers, on, False, checkpoint)
    return solve(build("jackknife", options, run, table=table_from(data)), run)
