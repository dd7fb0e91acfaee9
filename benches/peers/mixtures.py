"""Mixtures of normals by EM, against scikit-learn and a fused numba loop."""

from __future__ import annotations

import warnings

import numpy as np
import peers
from timing import Comparison, Side, near

import windfall


def em(scale, workers=1):
    """EM from the same start for 20 steps; a unit is a row, component and step."""
    from sklearn.mixture import GaussianMixture

    n, k, steps = int(1e6 * scale), 3, 20
    rng = np.random.default_rng(1)
    means = np.array([[0.0, 0.0], [3.0, 1.0], [-2.0, 4.0]])
    x = np.asfortranarray(
        means[rng.integers(k, size=n)] + rng.normal(size=(n, 2)) @ [[1, 0.4], [0, 0.8]]
    )
    columns = {"x": x[:, 0], "y": x[:, 1]}
    weights, start = np.full(k, 1 / k), means + 0.5
    covariances = np.array([np.eye(2)] * k)

    def ours():
        return windfall.mixture(
            columns,
            k,
            weights_init=weights,
            means_init=start,
            covariances_init=covariances,
            tol=0,
            max_iter=steps,
            standard_errors=False,
            workers=workers,
            progress=False,
        ).log_likelihood

    def scikit():
        model = GaussianMixture(
            k,
            weights_init=weights,
            means_init=start,
            precisions_init=covariances,
            tol=0,
            max_iter=steps,
            reg_covar=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(x).score(x) * n

    def by_numba():
        return peers.em_numba(x[:, 0], x[:, 1], weights, start, covariances, steps)

    exact = ours()
    check = near(exact, within=1e-9 * abs(exact))
    one = workers == 1
    return Comparison(
        f"EM, N = {n:,}, d = 2, k = 3, full covariance, 20 steps, {workers} worker(s)",
        n * k * steps,
        Side("windfall", ours, check),
        [
            Side("scikit-learn", scikit, check, 1, 25),
            Side("a fused numba loop, one core", by_numba, check, 1, 2.5 if one else None),
        ],
    )


def em_two(scale):
    return em(scale, workers=2)


CASES = [em, em_two]
