"""Resample rows: the bootstrap of a statistic of a table."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .._data import samples_table, table_from
from .._functions import statistic_function
from .._result import Result
from .._rng import RngLike
from .solving import Checkpoint, On, Progress, Run, build, given, solve


def bootstrap(
    data: Any,
    statistic: Any,
    *,
    n_resamples: int | float | None = None,
    confidence_level: float | None = None,
    method: str | None = None,
    alternative: Literal["two-sided", "less", "greater"] | None = None,
    paired: bool = False,
    tolerance: float | None = None,
    strata: str | None = None,
    groups: str | None = None,
    clusters: str | None = None,
    weights: str | None = None,
    blocks: Literal["moving", "circular", "stationary"] | None = None,
    block_length: float | None = None,
    bayesian: bool = False,
    inner_resamples: int | None = None,
    distribution: bool = True,
    rng: RngLike = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
) -> Result:
    """Estimate bias, standard error and an interval of a statistic by resampling rows.

    Parameters
    ----------
    data : path, mapping, data frame, array, or tuple of arrays
        A CSV or Parquet file, named columns, anything with the Arrow PyCapsule
        interface, or samples as SciPy takes them: a tuple of one-dimensional arrays.
        Not copied where the layout allows (contiguous float64).
    statistic : str, list of str, compiled callback or callable
        A formula over columns, such as `"correlation(lsat, gpa)"`,
        `"quantile(x, 0.9)"` or `"mean(x) / mean(u)"`: the fast path, with exact short
        cuts where there are. Or a function of one array a column (or sample), as in
        SciPy; with an `axis` argument it is called on many resamples at once.
    n_resamples : int, default 9,999
    confidence_level : float, default 0.95
    method : {"percentile", "basic", "normal", "bca", "studentised"}
        Case does not matter, so that SciPy's `"BCa"` works.
    alternative : {"two-sided", "less", "greater"}
        "less" gives an interval open to the left, "greater" one open to the right.
    paired : bool
        With a tuple of samples: whether they are resampled together.
    tolerance : float, optional
        Stop as soon as the Monte Carlo error of both ends is below it.
    strata, groups, clusters, weights : str, optional
        Names of columns. Rows are resampled within strata; clusters are resampled
        whole; groups are strata whose columns a formula can tell apart as `x.label`.
    blocks, block_length : optional
        Resample blocks of consecutive rows, for series.
    bayesian : bool
        Dirichlet weights instead of resampling (Rubin 1981).
    inner_resamples : int
        Of each resample, for the studentised interval where no formula is known.
    distribution : bool
        Whether the result keeps the replicates.
    rng, workers, on, progress, checkpoint
        As for `integrate`.

    Returns
    -------
    Result
        With `standard_error`, `bias`, `interval` and the Monte Carlo error of each end.

    Examples
    --------
    >>> lsat = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
    >>> result = windfall.bootstrap({"lsat": lsat}, "median(lsat)", rng=1)
    >>> result.estimate
    580.0
    """
    options = given(
        resamples=n_resamples,
        level=confidence_level,
        method=None if method is None else method.lower(),
        alternative=alternative,
        tolerance=tolerance,
        strata=strata,
        groups=groups,
        clusters=clusters,
        weights=weights,
        blocks=blocks,
        block_length=block_length,
        bayesian=bayesian or None,
        inner_resamples=inner_resamples,
        distribution=distribution,
    )
    if isinstance(data, (tuple, list)) and not isinstance(data, str):
        samples = [data] if np.ndim(data[0]) == 0 else data
        table, told_apart = samples_table(samples, paired=paired)
        if told_apart:
            options["groups"] = told_apart
    else:
        table = table_from(data)
    run = Run(rng, workers, on, progress, checkpoint)
    if isinstance(statistic, str) or _is_names(statistic):
        options["statistic"] = statistic
        problem = build("bootstrap", options, run, table=table)
    else:
        code = statistic_function(statistic)
        problem = build("bootstrap", options, run, table=table, function=code)
    return solve(problem, run)


def _is_names(statistic: Any) -> bool:
    return isinstance(statistic, (list, tuple)) and all(isinstance(item, str) for item in statistic)
