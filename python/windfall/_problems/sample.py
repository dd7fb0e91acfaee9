"""Draw from a posterior by many Markov chains."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from .._chains import ChainsResult, ConvergenceWarning, chains_from
from .._data import table_from
from .._rng import RngLike
from .solving import Progress, build, given, solve


def sample(
    model: str,
    data: Any = None,
    *,
    parameters: Mapping[str, str] | None = None,
    sampler: Literal["nuts", "metropolis", "ensemble", "tempering"] | None = None,
    chains: int | None = None,
    warmup: int | None = None,
    draws: int | None = None,
    thin: int | None = None,
    init: Sequence[float] | None = None,
    target_acceptance: float | None = None,
    depth_max: int | None = None,
    walkers: int | None = None,
    rungs: int | None = None,
    hottest: float | None = None,
    level: float | None = None,
    rng: RngLike = None,
    workers: int | None = None,
    progress: Progress = None,
    **of_model: Any,
) -> ChainsResult:
    """Draw from a model's law by Markov chains that run side by side.

    Chain i draws only from stream i: its draws are the same however many others run, on
    any number of workers and on any processor.

    Parameters
    ----------
    model : str
        The name of a built-in model, such as `"eight-schools"`; or, with `parameters`, a
        formula for the log density.
    data : path, mapping, data frame or array, optional
        For models that want data.
    parameters : mapping of str to str, optional
        The parameters of a formula and where each lives, such as
        `{"mu": "real", "tau": "positive"}`.
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
    init : sequence of float, optional
        Where all chains start: the parameters on their own scale.
    target_acceptance : float
        0.8 for NUTS; raise it to 0.95 or 0.99 where draws diverge.
    depth_max, walkers, rungs, hottest
        Of one sampler each: doublings of a trajectory at most, walkers of an ensemble,
        temperatures of a ladder and the highest of them.
    level : float, default 0.95
        Of the equal-tailed credible intervals.
    rng, workers, progress
        As for `integrate`. A `progress` function with a parameter `under_way` also gets
        the chains under way.
    **of_model
        What a built-in model wants, such as `dimensions=10`.

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
    """
    options = given(
        parameters=None if parameters is None else dict(parameters),
        sampler=sampler,
        chains=chains,
        warmup=warmup,
        draws=draws,
        thin=thin,
        init=None if init is None else np.asarray(init, dtype=float).ravel(),
        target_acceptance=target_acceptance,
        depth_max=depth_max,
        walkers=walkers,
        rungs=rungs,
        hottest=hottest,
        level=level,
        distribution=True,
        **of_model,
    )
    if not isinstance(model, str):
        raise TypeError(f"`{model!r}` is no model: give the name of one, or a formula")
    options["log_density" if parameters is not None else "model"] = model
    table = None if data is None else table_from(data)
    result = chains_from(solve(build("sample", options, rng, table=table), workers, progress))
    doubts = [note for note in result.notes if not note.startswith("interrupted")]
    if doubts:
        warnings.warn("; ".join(doubts), ConvergenceWarning, stacklevel=2)
    return result
