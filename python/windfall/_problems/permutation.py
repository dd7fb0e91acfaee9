"""Rearrange rows: permutation tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from .._core import Table
from .._data import samples_table, table_from
from .._functions import statistic_function
from .._result import Result
from .._rng import RngLike
from .solving import Checkpoint, On, Progress, Run, build, given, solve

_RESAMPLES_MAX = 10**12
_KEPT_MAX = 10**9


def permutation_test(
    data: Any,
    statistic: Any,
    *,
    permutation_type: Literal["independent", "samples", "pairings"] | None = None,
    groups: str | None = None,
    samples: str | Sequence[str] | None = None,
    permute: str | Sequence[str] | None = None,
    separately: bool = False,
    strata: str | None = None,
    n_resamples: int | float | None = None,
    alternative: Literal["two-sided", "less", "greater", "absolute"] | None = None,
    tolerance: float | None = None,
    exceedances: int | None = None,
    confidence_level: float | None = None,
    distribution: bool = True,
    rng: RngLike = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
) -> Result:
    """Test a hypothesis by how often rearranged data are as extreme as the data.

    Parameters
    ----------
    data : path, mapping, data frame, array, or tuple of arrays
        A CSV or Parquet file, named columns, anything with the Arrow PyCapsule
        interface, or samples as SciPy takes them: a tuple of one-dimensional arrays.
    statistic : str, list of str, compiled callback or callable
        A test statistic such as `"t(x)"`, `"kendall(x, y)"` or `"paired_t(a, b)"`, or any
        formula of aggregates, such as `"median(x.old) - median(x.new)"`; several are
        tested together, with p-values adjusted for their number. Or a function of one
        array a sample (or column), as in SciPy; with an `axis` argument it is called on
        many permutations at once.
    permutation_type : {"independent", "samples", "pairings"}, default "independent"
        With a tuple of samples, as in SciPy: permute observations among samples, within
        each row (of one sample: its signs), or all samples but the last against it.
        Formulas call independent samples together `x` and each `x.0`, `x.1`, …; related
        or paired ones `x0`, `x1`, …, or `x` if there is one.
    groups, samples, permute : str or list of str
        The same three designs of a table: the column of labels, the columns of related
        samples, the columns that are permuted, together, against all others.
    separately : bool
        Whether the columns of `permute` are permuted each by itself.
    strata : str, optional
        A column: permute within each of its values.
    n_resamples : int, default 9,999
        If there are no more distinct arrangements than this, each is looked at once and
        the p-value is exact (`method` says so); `np.inf` asks for that.
    alternative : {"two-sided", "less", "greater", "absolute"}
        "two-sided" is twice the smaller tail, as in SciPy; "absolute" compares sizes,
        for statistics that are centred at zero. By default "greater" for statistics
        that are large whatever the departure, such as F, "two-sided" for all others.
    tolerance : float, optional
        Stop as soon as the Monte Carlo standard errors of all p-values are at most this.
    exceedances : int, optional
        Stop at so many permutations as extreme as the data (Besag and Clifford 1991).
    confidence_level : float, default 0.95
        Of the interval of a p-value.
    distribution : bool
        Whether the result keeps the statistic of every permutation.
    rng, workers, on, progress, checkpoint
        As for `integrate`.

    Returns
    -------
    Result
        With `pvalue` (also `estimate`), its `mcse` and `interval`, `statistic` and
        `null_distribution`. With several statistics, `extra["adjusted"]` holds the
        step-down p-values of Westfall and Young.

    Examples
    --------
    >>> result = windfall.permutation_test(([1, 2, 3], [4, 5, 6, 7]), "mean_difference(x)")
    >>> result.method, round(result.pvalue, 6)  # 2 of 35 splits
    ('exact', 0.057143)
    """
    options = given(
        groups=groups,
        samples=_listed(samples),
        permute=_listed(permute),
        separately=separately or None,
        strata=strata,
        resamples=_count(n_resamples, distribution),
        alternative=alternative,
        tolerance=tolerance,
        exceedances=exceedances,
        level=confidence_level,
        distribution=distribution,
    )
    if _is_samples(data):
        table, design = _samples_design(data, permutation_type or "independent")
        clash = {"groups", "samples", "permute", "separately", "strata"} & options.keys()
        if clash:
            raise ValueError(
                f"`{min(clash)}` names a column of a table; with a tuple of samples"
                " `permutation_type` says what is permuted"
            )
        options.update(design)
    else:
        if permutation_type is not None:
            raise ValueError(
                "`permutation_type` is for a tuple of samples; of a table, `groups`, `samples`"
                " or `permute` says what is permuted"
            )
        table = table_from(data)
    run = Run(rng, workers, on, progress, checkpoint)
    if isinstance(statistic, str) or _is_names(statistic):
        options["statistic"] = statistic
        problem = build("permutation", options, run, table=table)
    else:
        code = statistic_function(statistic)
        problem = build("permutation", options, run, table=table, function=code)
    return solve(problem, run)


def _samples_design(data: Sequence[Any], kind: str) -> tuple[Table, dict[str, Any]]:
    """Return the table of a tuple of samples, and the design as options of a job."""
    samples = [data] if np.ndim(data[0]) == 0 else list(data)
    names = ["x"] if len(samples) == 1 else [f"x{place}" for place in range(len(samples))]
    if kind == "independent":
        if len(samples) < 2:
            raise ValueError("one sample has no labels to permute: give two or more")
        return samples_table(samples, paired=False)[0], {"groups": "sample"}
    table, _ = samples_table(samples, paired=True)
    if kind == "samples":
        return table, {"samples": names}
    if kind != "pairings":
        raise ValueError(
            f"`permutation_type` is `{kind}`; it must be independent, samples or pairings"
        )
    # Only their positions against each other matter: one of several may stay.
    moving = names[:1] if len(names) < 3 else names[:-1]
    return table, {"permute": moving, **given(separately=len(moving) > 1 or None)}


def _is_samples(data: Any) -> bool:
    return isinstance(data, (tuple, list)) and len(data) > 0


def _is_names(statistic: Any) -> bool:
    return isinstance(statistic, (list, tuple)) and all(isinstance(item, str) for item in statistic)


def _listed(names: str | Sequence[str] | None) -> str | list[str] | None:
    return names if names is None or isinstance(names, str) else list(names)


def _count(n_resamples: int | float | None, distribution: bool) -> int | float | None:
    if n_resamples is not None and n_resamples == np.inf:
        return _KEPT_MAX if distribution else _RESAMPLES_MAX
    return n_resamples
