"""Draw from a posterior by many Markov chains."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._chains import ChainsResult, ConvergenceWarning, chains_from
from .._data import table_from
from .._functions import density
from .._rng import RngLike
from .solving import Checkpoint, On, Progress, Run, build, given, solve


def sample(
    model: Any,
    data: Any = None,
    *,
    parameters: Mapping[str, str | Sequence[float | str]] | Sequence[str] | None = None,
    sampler: Literal["nuts", "metropolis", "ensemble", "tempering"] | None = None,
    chains: int | None = None,
    warmup: int | None = None,
    draws: int | None = None,
    thin: int | None = None,
    init: ArrayLike | None = None,
    target_acceptance: float | None = None,
    depth_max: int | None = None,
    walkers: int | None = None,
    rungs: int | None = None,
    hottest: float | None = None,
    level: float | None = None,
    rng: RngLike = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
    **of_model: Any,
) -> ChainsResult:
    """Draw from a model's law by Markov chains that run side by side.

    Chain i draws only from stream i: its draws are the same however many others run, on
    any number of workers and on any processor.

    Parameters
    ----------
    model : str, compiled callback or callable
        The name of a built-in model: `"linear"`, `"logistic"`, `"poisson"`,
        `"hierarchical"`, `"eight-schools"`, `"mixture"`, `"gaussian"`, `"rosenbrock"`,
        `"funnel"`. Or, with `parameters`, a formula or a function for the log density.
        Compiled code (a numba `@cfunc`, a ctypes function pointer or a
        `scipy.LowLevelCallable` of signature
        `double (int, const double *x, double *gradient[, void *])`) runs on all workers
        without the interpreter. A Python function takes the parameters, on their own
        scale, as one array and returns the log density and its gradient, as what JAX's
        `value_and_grad` makes does, or the log density alone, for samplers that need no
        gradient; which of the two is found by a trial at `init` or a point inside.
    data : path, mapping, data frame or array, optional
        For models that want data.
    parameters : mapping of str to str or (low, high), or sequence of str, optional
        The parameters of a formula or function and where each lives: `"real"`,
        `"positive"`, `"unit"` or a pair of ends, as in
        `{"mu": "real", "tau": "positive", "rho": (-1, 1)}`. A sequence names real ones.
    sampler : {"nuts", "metropolis", "ensemble", "tempering"}
        NUTS for everything with a gradient; adaptive random-walk Metropolis;
        affine-invariant ensembles of `walkers`; parallel tempering on a ladder of `rungs`
        temperatures up to the `hottest`, for laws with several modes.
    chains : int, default 4
    warmup : int, default 1,000
        Steps of each chain that tune the sampler and are thrown away.
    draws : int, default 1,000
        Draws that are kept of each chain.
    thin : int, default 1
        Steps for one draw.
    init : array of shape (d,) or (chains, d), optional
        Where all chains start, or each: the parameters on their own scale.
    target_acceptance : float
        0.8 for NUTS; raise it to 0.95 or 0.99 where draws diverge.
    depth_max, walkers, rungs, hottest
        Of one sampler each: doublings of a trajectory at most, walkers of an ensemble,
        temperatures of a ladder and the highest of them.
    level : float, default 0.95
        Of the equal-tailed credible intervals.
    rng, workers, on, progress, checkpoint
        As for `integrate`. A `progress` function with a parameter `under_way` also gets
        the chains under way.
    **of_model
        What a built-in model wants, such as `dimensions=10`, or a formula: `constants`, and
        formulas of the parameters that are reported too, as in `derived={"r": "mu / tau"}`.

    Returns
    -------
    ChainsResult
        `estimate` is the posterior mean, `standard_error` the posterior standard
        deviation, `draws` all draws; R-hat and effective sample sizes are in `table`, and
        `notes` says what is wrong with the chains, if anything is.

    Warns
    -----
    ConvergenceWarning
        If R-hat is above 1.01, draws diverged, E-BFMI is below 0.3, or effective draws
        are fewer than 100 a chain.

    Examples
    --------
    >>> result = windfall.sample("gaussian", sd=[1, 10], rng=1)
    >>> result.draws.shape
    (4, 1000, 2)
    >>> bool(np.all(np.abs(result.estimate) < 5 * result.mcse))
    True
    >>> bool(result.table["r_hat"].max() < 1.01)
    True

    The gradient of a formula comes by itself; rows of `data` are summed over.

    >>> heights = {"y": [1.62, 1.75, 1.81, 1.69]}
    >>> result = windfall.sample(
    ...     "sum(normal_lpdf(y, mu, s)) - s", heights,
    ...     parameters={"mu": "real", "s": "positive"}, rng=1, target_acceptance=0.95,
    ... )
    >>> bool(abs(result.estimate[0] - 1.7175) < 0.02)
    True
    """
    if parameters is not None and not isinstance(parameters, Mapping):
        parameters = dict.fromkeys(parameters, "real")
    points = None if init is None else np.atleast_1d(np.asarray(init, dtype=float))
    supports = None if parameters is None else {k: _support(v) for k, v in parameters.items()}
    options = given(
        parameters=supports,
        sampler=sampler,
        chains=chains,
        warmup=warmup,
        draws=draws,
        thin=thin,
        init=points,
        target_acceptance=target_acceptance,
        depth_max=depth_max,
        walkers=walkers,
        rungs=rungs,
        hottest=hottest,
        level=level,
        distribution=True,
        **of_model,
    )
    code = None
    if isinstance(model, str):
        options["log_density" if supports is not None else "model"] = model
    elif supports is None:
        raise TypeError(
            f"`{model!r}` is no model: give the name of one, or a formula or function and"
            " its `parameters`"
        )
    else:
        inside = [_inside(support) for support in supports.values()]
        start = inside if points is None else np.atleast_2d(points)[0].tolist()
        code = density(model, start)
    table = None if data is None else table_from(data)
    run = Run(rng, workers, on, progress, checkpoint)
    problem = build("sample", options, run, table=table, function=code)
    result = chains_from(solve(problem, run))
    doubts = [note for note in result.notes if not note.startswith(_NO_DOUBTS)]
    if doubts:
        warnings.warn("; ".join(doubts), ConvergenceWarning, stacklevel=2)
    return result


_NO_DOUBTS = ("interrupted", "the function is Python code")
"""How notes begin that cast no doubt on the chains."""


def _support(value: str | Sequence[float | str]) -> str | list[float | str]:
    """Return where a parameter lives as a job has it."""
    if isinstance(value, str):
        return value
    ends = [end if isinstance(end, str) else float(end) for end in value]
    return [end if isinstance(end, str) or np.isfinite(end) else str(end) for end in ends]


def _inside(support: str | list[float | str]) -> float:
    """Return a point inside; any, where the support is wrong: the core will say so."""
    known = {"real": 0.0, "positive": 1.0, "unit": 0.5}
    if isinstance(support, str):
        if support in known:
            return known[support]
        support = list(support.split(":"))
    try:
        low, high = (float(end) for end in support)
    except ValueError:
        return 0.0
    if np.isfinite(low) and np.isfinite(high):
        return (low + high) / 2
    if np.isfinite(low):
        return low + 1.0
    return high - 1.0 if np.isfinite(high) else 0.0
