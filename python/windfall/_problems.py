"""The problems as functions: check arguments, build the problem, solve it, wrap the answer."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from . import _core
from ._data import samples_table, table_from
from ._functions import integrand, statistic_function
from ._progress import Tick, ticker
from ._result import IncompleteWarning, Result, Verification, result_from
from ._rng import RngLike, seed_from

Progress: TypeAlias = bool | Tick | None
Bounds: TypeAlias = Sequence[Sequence[float | str]] | Sequence[tuple[float, float]]


def pi(
    n: int | float | None = None,
    *,
    rng: RngLike = None,
    workers: int | None = None,
    progress: Progress = None,
) -> Result:
    """Estimate pi by the share of random points that fall inside a quarter circle.

    Parameters
    ----------
    n : int, default 100,000,000
        Sample points.
    rng : int, SeedSequence, Generator or None
        See `integrate`.
    workers : int, optional
        Threads; by default every core that this process may use.
    progress : bool or callable, optional
        See `integrate`.

    Examples
    --------
    >>> result = windfall.pi(1_000_000, rng=7)
    >>> abs(result.estimate - 3.141592653589793) < 5 * result.mcse
    True
    """
    problem = _build("pi", _given(n=n), rng)
    return _solve(problem, workers, progress)


def integrate(
    function: Any,
    bounds: Bounds,
    *,
    n: int | float | None = None,
    tolerance: float | None = None,
    method: Literal["plain", "stratified", "sobol"] | None = None,
    replicates: int | None = None,
    confidence_level: float | None = None,
    rng: RngLike = None,
    workers: int | None = None,
    progress: Progress = None,
) -> Result:
    """Integrate a function over a box by Monte Carlo or randomised quasi-Monte Carlo.

    Parameters
    ----------
    function : str, compiled callback or callable
        A formula in `x0`, `x1`, … runs fastest. A compiled callback (a numba `@cfunc`,
        a ctypes function pointer or a `scipy.LowLevelCallable` of signature
        `double (int, double *)`, with or without `void *`) runs on all workers without
        the interpreter. A Python function takes `x` of shape `(d,)` or, vectorised,
        `(d, m)` and returns one value or `m`; which of the two is found by a trial.
    bounds : sequence of (low, high)
        One pair a dimension; infinite ends are allowed.
    n : int, default 1,000,000
        Evaluations; with `tolerance` the most there may be.
    tolerance : float, optional
        Stop as soon as the Monte Carlo standard error is below it.
    method : {"plain", "stratified", "sobol"}, default "plain"
    replicates : int, default 16
        Independent randomisations of the Sobol points, which give the error.
    confidence_level : float, default 0.95
    rng : int, SeedSequence, Generator or None
        The seed (SPEC 7). An integer means the same as in the shell; a Generator is
        advanced by two draws; None asks the operating system. The seed that was used
        stands in the result.
    workers : int, optional
        Threads; by default every core that this process may use. It never changes the
        answer.
    progress : bool or callable, optional
        None shows a bar in notebooks and terminals, True insists, False shows none.

    Returns
    -------
    Result

    Raises
    ------
    InputError, ExpressionError
        For arguments that make no sense, before any work starts.
    TaskError
        If the function fails or is not finite somewhere; it names the point and task.

    Notes
    -----
    Ctrl-C returns the estimate so far with its error, marked incomplete.

    Examples
    --------
    >>> result = windfall.integrate("exp(-x0^2)", [("-inf", "inf")], rng=3)
    >>> abs(result.estimate - 3.141592653589793 ** 0.5) < 5 * result.mcse
    True
    """
    options = _given(
        n=n,
        tolerance=tolerance,
        method=method,
        replicates=replicates,
        level=confidence_level,
        bounds=[[_bound(low), _bound(high)] for low, high in bounds],
    )
    if isinstance(function, str):
        problem = _build("integrate", {"formula": function, **options}, rng)
    else:
        code = integrand(function, dimensions=len(bounds))
        problem = _build("integrate", options, rng, function=code)
    return _solve(problem, workers, progress)


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
    progress: Progress = None,
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
    rng, workers, progress
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
    options = _given(
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
    if isinstance(statistic, str) or _is_names(statistic):
        options["statistic"] = statistic
        problem = _build("bootstrap", options, rng, table=table)
    else:
        code = statistic_function(statistic)
        problem = _build("bootstrap", options, rng, table=table, function=code)
    return _solve(problem, workers, progress)


def jackknife(
    data: Any,
    statistic: str | Sequence[str],
    *,
    strata: str | None = None,
    groups: str | None = None,
    clusters: str | None = None,
    weights: str | None = None,
    workers: int | None = None,
) -> Result:
    """Estimate bias and standard error of a statistic by leaving out one row at a time.

    Parameters are those of `bootstrap`. Nothing is random: the answer is exact.

    Examples
    --------
    >>> windfall.jackknife({"x": [1.0, 2.0, 3.0, 4.0]}, "mean(x)").bias
    0.0
    """
    options = _given(
        statistic=statistic, strata=strata, groups=groups, clusters=clusters, weights=weights
    )
    problem = _build("jackknife", options, 0, table=table_from(data))
    return _solve(problem, workers, progress=False)


def run(
    job: str | os.PathLike[str] | Mapping[str, Any],
    *,
    workers: int | None = None,
    progress: Progress = None,
) -> Result:
    """Run a job file, or a job given as a mapping with the same keys.

    Examples
    --------
    >>> windfall.run({"problem": "pi", "n": 1000, "seed": 1}).draws
    1000
    """
    return _solve(_problem_of(job), workers, progress)


def verify(job: Result | str | os.PathLike[str] | Mapping[str, Any]) -> Verification:
    """Solve a job serially, on 1, 2, 3 and 7 threads and in shuffled order, and compare.

    Parameters
    ----------
    job : Result, path or mapping
        A result is solved again as it was asked for.

    Returns
    -------
    Verification
        True if the bytes are the same on every mapping.

    Examples
    --------
    >>> bool(windfall.verify({"problem": "pi", "n": 3_000_000, "seed": 1}))
    True
    """
    problem = job._problem if isinstance(job, Result) else _problem_of(job)
    if problem is None:
        raise ValueError("this result has lost its problem and cannot be solved again")
    return Verification(tuple(problem.verify()))


def _problem_of(job: str | os.PathLike[str] | Mapping[str, Any]) -> _core.Problem:
    if isinstance(job, Mapping):
        fields = dict(job)
        fields["seed"] = str(seed_from(fields.get("seed")))
        return _core.Problem(json.dumps(fields, default=_plain))
    return _core.Problem.from_file(os.fspath(job))


def _build(
    name: str,
    options: dict[str, Any],
    rng: RngLike,
    *,
    table: _core.Table | None = None,
    function: _core.Function | None = None,
) -> _core.Problem:
    job = {"problem": name, "seed": str(seed_from(rng)), **options}
    return _core.Problem(json.dumps(job, default=_plain), table, function)


def _solve(problem: _core.Problem, workers: int | None, progress: Progress) -> Result:
    tick, close = ticker(progress)
    try:
        answer, run_facts, distribution = problem.solve(workers, tick)
    finally:
        close()
    result = result_from(answer, run_facts, distribution, problem)
    if not result.complete:
        warnings.warn(
            "the run was interrupted: this is the estimate so far, with its error",
            IncompleteWarning,
            stacklevel=3,
        )
    return result


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that were given; the core knows the defaults of the others."""
    return {key: value for key, value in options.items() if value is not None}


def _bound(value: Any) -> float | str:
    if isinstance(value, str):
        return value
    number = float(value)
    return number if np.isfinite(number) else str(number)


def _is_names(statistic: Any) -> bool:
    return isinstance(statistic, (list, tuple)) and all(isinstance(item, str) for item in statistic)


def _plain(value: Any) -> Any:
    """Return a NumPy scalar or array as plain Python, for JSON."""
    to_list: Callable[[], Any] | None = getattr(value, "tolist", None)
    if to_list is None:
        raise TypeError(f"`{value!r}` cannot stand in a job")
    return to_list()
