"""Integrate a function over a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from .._functions import integrand
from .._result import Result
from .._rng import RngLike
from .solving import Progress, build, given, solve

Bounds: TypeAlias = Sequence[Sequence[float | str]] | Sequence[tuple[float, float]]


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
    options = given(
        n=n,
        tolerance=tolerance,
        method=method,
        replicates=replicates,
        level=confidence_level,
        bounds=[[_bound(low), _bound(high)] for low, high in bounds],
    )
    if isinstance(function, str):
        problem = build("integrate", {"formula": function, **options}, rng)
    else:
        code = integrand(function, dimensions=len(bounds))
        problem = build("integrate", options, rng, function=code)
    return solve(problem, workers, progress)


def _bound(value: Any) -> float | str:
    if isinstance(value, str):
        return value
    number = float(value)
    return number if np.isfinite(number) else str(number)
