"""Integrate a function over a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from .._functions import integrand
from .._result import Result
from .._rng import RngLike
from .solving import Checkpoint, On, Progress, Run, build, given, solve

Bounds: TypeAlias = Sequence[Sequence[float | str]] | Sequence[tuple[float, float]]


def integrate(
    function: Any,
    bounds: Bounds,
    *,
    n: int | float | None = None,
    tolerance: float | None = None,
    relative_tolerance: float | None = None,
    method: Literal["plain", "stratified", "sobol", "lattice", "vegas", "cubature"] | None = None,
    replicates: int | None = None,
    periodic: bool | None = None,
    iterations: int | None = None,
    warmup: int | None = None,
    antithetic: bool | None = None,
    control: str | Sequence[str] | None = None,
    control_integral: float | Sequence[float] | None = None,
    confidence_level: float | None = None,
    rng: RngLike = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
) -> Result:
    """Integrate functions over a box: Monte Carlo, quasi-Monte Carlo, VEGAS+, cubature.

    Parameters
    ----------
    function : str, sequence of str, compiled callback or callable
        A formula in `x0`, `x1`, … runs fastest; several are evaluated at the same
        points, and `extra["covariance"]` has the covariance of their errors. A compiled
        callback (a numba `@cfunc`, a ctypes function pointer or a
        `scipy.LowLevelCallable` of signature `double (int, double *)`, with or without
        `void *`) runs on all workers without the interpreter. A Python function takes
        `x` of shape `(d,)` or, vectorised, `(d, m)` and returns one value or `m`; or `k`
        values or shape `(k, m)`, for `k` integrals. Which of these it does is found by a
        trial.
    bounds : sequence of (low, high)
        One pair a dimension; infinite ends are allowed.
    n : int, default 1,000,000
        Evaluations; with `tolerance` the most there may be.
    tolerance, relative_tolerance : float, optional
        Stop as soon as the error is at most `tolerance`, or that fraction of the
        estimate; of the two the larger counts.
    method : {"plain", "stratified", "sobol", "lattice", "vegas", "cubature"}
        How points are placed: "plain" by default; "sobol" for smooth functions, "lattice"
        for periodic ones, "vegas" for peaks, "cubature" for many digits in few
        dimensions. Cubature has no Monte Carlo error: its `mcse` is NaN, and
        `extra["error"]` is what its two rules differ by.
    replicates : int, default 16
        Independent randomisations of Sobol or lattice points, which give the error.
    periodic : bool, default False
        Lattice: the function is periodic over the box, so the points stay unfolded.
    iterations, warmup : int, default 10 and 15
        VEGAS+: iterations that are kept, and those before that only learn.
    antithetic : bool, default False
        Plain, stratified: evaluate the mirror image of each point too.
    control, control_integral : str and float, or sequences of them
        Control variates (not for VEGAS+ and cubature): formulas that resemble the
        function, and their integrals, which polynomials can do without.
    confidence_level : float, default 0.95
    rng : int, SeedSequence, Generator or None
        The seed (SPEC 7). An integer means the same as in the shell; a Generator is
        advanced by two draws; None asks the operating system. The seed that was used
        stands in the result.
    workers : int, optional
        Threads; by default every core that this process may use. It never changes the
        answer.
    on : Cluster, Client, view, str or another engine, optional
        Run on the engines of a cluster instead of threads: its client, a view of some of
        them, or its name. Or on an engine that is there already: a Dask client, the module
        `ray`, a SparkSession, a `joblib.Parallel`, a `concurrent.futures.Executor`; see
        `windfall.backends`. The answer is the same bytes.
    progress : bool or callable, optional
        None shows a bar in notebooks and terminals, True insists, False shows none.
    checkpoint : path, optional
        A folder to keep finished shards in. The same call goes on from there, whatever ended
        the last one: Ctrl-C, SIGKILL, a full disk; and a longer one (a larger `n`, where the
        points that are there stay as they are) uses them too. With `rng` left out the seed is
        that of the folder. A folder of another job, data or function is refused. It is the
        `--checkpoint` of the shell.

    Returns
    -------
    Result

    Raises
    ------
    InputError, ExpressionError
        For arguments that make no sense, before any work starts; for a checkpoint of another
        job; for a function that no checkpoint can name, as it holds a lock or an address.
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

    Two integrals over the same points, and the error of their ratio:

    >>> both = windfall.integrate(["x0*exp(-x0)", "exp(-x0)"], [(0, 1)], rng=3)
    >>> top, bottom = both.estimate
    >>> slope = [1 / bottom, -top / bottom**2]
    >>> variance = slope @ np.array(both.extra["covariance"]) @ slope
    >>> abs(top / bottom - 0.4180232931306735) < 5 * variance**0.5
    np.True_
    """
    options = given(
        n=n,
        tolerance=tolerance,
        relative_tolerance=relative_tolerance,
        method=method,
        replicates=replicates,
        periodic=periodic,
        iterations=iterations,
        warmup=warmup,
        antithetic=antithetic,
        control=control,
        control_integral=control_integral,
        level=confidence_level,
        bounds=[[_bound(low), _bound(high)] for low, high in bounds],
    )
    run = Run(rng, workers, on, progress, checkpoint)
    if isinstance(function, str) or _is_formulas(function):
        problem = build("integrate", {"formula": function, **options}, run)
    else:
        code = integrand(function, dimensions=len(bounds))
        problem = build("integrate", options, run, function=code)
    return solve(problem, run)


def _is_formulas(function: Any) -> bool:
    return isinstance(function, Sequence) and all(isinstance(text, str) for text in function)


def _bound(value: Any) -> float | str:
    if isinstance(value, str):
        return value
    number = float(value)
    return number if np.isfinite(number) else str(number)
