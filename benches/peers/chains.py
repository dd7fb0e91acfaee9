"""NUTS against nutpie, PyMC and Stan: seconds for 1,000 effective draws, warm-up included.

A side's effective draws are the least bulk ESS of its quantities, by ArviZ's definition.
Compiling a model is not timed. Peers that are not installed are left out.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import secrets

import numpy as np
from timing import Comparison, Side

import windfall

EFFECTIVE = 1000
SD = np.arange(1.0, 11.0)
QUIET = dict(progressbar=False, compute_convergence_checks=False)

STAN_GAUSS = """
data { vector[10] sd; } parameters { vector[10] x; } model { x ~ normal(0, sd); }
"""
STAN_LOGISTIC = """
data { int N; matrix[N, 9] x; array[N] int y; } parameters { real a; vector[9] b; }
model { a ~ normal(0, 5); b ~ normal(0, 5); y ~ bernoulli_logit_glm(x, a, b); }
"""


def side(name, work, goal, draws_of, check_means):
    """Return a side whose work counts by the effective draws that it yields."""

    def check(result):
        draws = draws_of(result)
        check_means(draws.mean(axis=(0, 1)))
        one.share = least_ess(draws) / EFFECTIVE

    one = Side(name, work, check, goal=goal)
    return one


def least_ess(draws):
    """Return the least bulk ESS of draws of shape (chains, draws, quantities)."""
    import arviz

    return min(
        float(arviz.ess(np.ascontiguousarray(column))) for column in np.moveaxis(draws, 2, 0)
    )


def installed(*names):
    return all(importlib.util.find_spec(name) for name in names)


def gaussian(workers):
    def check(means):
        assert np.all(np.abs(means) < 0.15 * SD), means

    def ours():
        return windfall.sample("gaussian", sd=SD, rng=1, workers=workers, progress=False)

    def pymc_model():
        import pymc

        with pymc.Model() as model:
            pymc.Normal("x", 0, SD, shape=10)
        return model

    return Comparison(
        f"NUTS, 10-d Gaussian, {EFFECTIVE} effective draws, {workers} cores",
        EFFECTIVE,
        side("windfall", ours, None, lambda result: result.draws, check),
        peers(pymc_model, (STAN_GAUSS, {"sd": SD.tolist()}), workers, check, (3, 100, 20)),
    )


def logistic(workers):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(10_000, 9))
    truth = rng.normal(size=10) * 0.5
    y = (rng.random(10_000) < 1 / (1 + np.exp(-truth[0] - x @ truth[1:]))).astype(float)
    data = {**{f"x{k}": x[:, k] for k in range(9)}, "y": y}
    formula = "y ~ " + " + ".join(f"x{k}" for k in range(9))

    def check(means):
        assert np.all(np.abs(means - truth) < 0.2), means

    def ours():
        given = dict(formula=formula, prior_sd=5, rng=1, workers=workers, progress=False)
        return windfall.sample("logistic", data, **given)

    def pymc_model():
        import pymc

        with pymc.Model() as model:
            a = pymc.Normal("a", 0, 5)
            b = pymc.Normal("b", 0, 5, shape=9)
            pymc.Bernoulli("y", logit_p=a + pymc.math.dot(x, b), observed=y)
        return model

    stan = (STAN_LOGISTIC, {"N": len(y), "x": x.tolist(), "y": y.astype(int).tolist()})
    return Comparison(
        f"NUTS, logistic regression 10,000 × 10, {EFFECTIVE} effective draws, {workers} cores",
        EFFECTIVE,
        side("windfall", ours, None, lambda result: result.draws[:, :, :10], check),
        peers(pymc_model, stan, workers, check, (6, None, 3 if workers == 1 else 2.5)),
    )


def peers(pymc_model, stan, workers, check, goals):
    """Return the sides of nutpie, PyMC and Stan, as far as they are installed."""
    sides = []
    options = dict(chains=4, cores=workers, tune=1000, draws=1000)
    nutpie_goal, pymc_goal, stan_goal = goals
    if installed("nutpie", "pymc"):
        import nutpie

        compiled = nutpie.compile_pymc_model(pymc_model())

        def run_nutpie():
            return nutpie.sample(compiled, seed=1, progress_bar=False, **options)

        sides.append(side("nutpie + PyMC (numba)", run_nutpie, nutpie_goal, stacked, check))
    if installed("pymc") and pymc_goal is not None:
        import pymc

        logging.getLogger("pymc").setLevel(logging.ERROR)
        model = pymc_model()

        def run_pymc():
            return pymc.sample(model=model, random_seed=1, **QUIET, **options)

        sides.append(side("PyMC", run_pymc, pymc_goal, stacked, check))
    if installed("stan") and "WINDFALL_STAN" in os.environ:
        import stan as pystan

        # PyStan keeps what a seed drew, on disk too: each run needs a new one.
        def build(_):
            return pystan.build(stan[0], data=stan[1], random_seed=secrets.randbelow(2**31))

        builds = iter([build(run) for run in range(20)])
        names = ["x"] if "x" not in stan[1] else ["a", "b"]

        def run_stan():
            return next(builds).sample(num_chains=4, num_warmup=1000, num_samples=1000)

        def draws_of(fit):
            # The last axis holds all draws of chain 0, then those of chain 1.
            columns = [np.atleast_2d(fit[name]).reshape(-1, 4, 1000) for name in names]
            return np.moveaxis(np.concatenate(columns), 0, 2)

        sides.append(side("Stan (PyStan)", run_stan, stan_goal, draws_of, check))
    return sides


def stacked(data):
    """Return the draws of an InferenceData or DataTree as (chains, draws, quantities)."""
    posterior = data.posterior
    arrays = [np.asarray(posterior[name]) for name in posterior.data_vars]
    return np.concatenate([array.reshape(*array.shape[:2], -1) for array in arrays], axis=2)


def nuts_gaussian(_scale):
    return gaussian(1)


def nuts_gaussian_two(_scale):
    return gaussian(2)


def nuts_logistic(_scale):
    return logistic(1)


def nuts_logistic_two(_scale):
    return logistic(2)


CASES = [nuts_gaussian, nuts_gaussian_two, nuts_logistic, nuts_logistic_two]
