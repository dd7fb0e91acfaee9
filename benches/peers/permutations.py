"""Permutation tests: of two means and of a correlation, against SciPy, R, numba and C."""

from __future__ import annotations

import numpy as np
import peers
import r
from timing import Comparison, Side, near

import windfall

OPTIONS = dict(alternative="absolute", distribution=False, rng=1, workers=1, progress=False)


def permutation_means(scale):
    from scipy import stats

    rng = np.random.default_rng(8)
    a, b = rng.normal(size=500), rng.normal(0.05, size=500)
    x, n = np.concatenate([a, b]), int(1e6 * scale)
    table = {"x": x, "g": ["a"] * 500 + ["b"] * 500}
    observed = a.mean() - b.mean()
    check = near(stats.ttest_ind(a, b).pvalue, within=0.02)

    def ours():
        return windfall.permutation_test(
            table, "mean_difference(x)", groups="g", n_resamples=n, **OPTIONS
        )

    def scipy(part):
        def statistic(u, v, axis):
            return u.mean(axis) - v.mean(axis)

        return stats.permutation_test((a, b), statistic, n_resamples=part, batch=1000, rng=1).pvalue

    c = peers.c_loops().permutation_means
    pointer = x.ctypes.data_as(peers.DOUBLES)
    by_coin = []
    if r.installed("coin"):
        r.samples(a, b)
        part = n // 20
        by_coin = [Side("R coin", lambda: r.permutation_means(part), check, 1 / 20, 120)]
    return Comparison(
        f"permutation test, 500 + 500, difference of means, {n:.0e} permutations, one core",
        n,
        Side("windfall", ours, check),
        [
            Side("SciPy", lambda: scipy(n // 50), check, 1 / 50, 150),
            Side(
                "numba, partial Fisher-Yates",
                lambda: peers.permutation_means_numba(x, 500, n // 5, observed),
                check,
                1 / 5,
                5,
            ),
            Side(
                "C, partial Fisher-Yates",
                lambda: c(pointer, 1000, 500, n // 5, 1, observed),
                check,
                1 / 5,
                4,
            ),
            *by_coin,
        ],
    )


def permutation_correlation(scale):
    from scipy import stats

    rng = np.random.default_rng(9)
    x = rng.normal(size=1000)
    y = 0.03 * x + rng.normal(size=1000)
    n = int(2e5 * scale)
    seen = stats.pearsonr(x, y)
    check = near(seen.pvalue, within=0.03)

    def ours():
        return windfall.permutation_test(
            {"x": x, "y": y}, "correlation(x, y)", permute="x", n_resamples=n, **OPTIONS
        )

    def scipy(part):
        method = stats.PermutationMethod(n_resamples=part, batch=1000, rng=1)
        return stats.pearsonr(x, y, method=method).pvalue

    def by_hand(part):
        centred, other = (x - x.mean()) / np.linalg.norm(x - x.mean()), y - y.mean()
        other /= np.linalg.norm(other)
        return stats.permutation_test(
            (centred,),
            lambda x, axis: x @ other,
            permutation_type="pairings",
            n_resamples=part,
            batch=1000,
            rng=1,
        ).pvalue

    return Comparison(
        f"correlation permutation test, n = 1,000, {n:.0e} permutations, one core",
        n,
        Side("windfall", ours, check),
        [
            Side("SciPy, pearsonr", lambda: scipy(n // 20), check, 1 / 20, 25),
            Side("SciPy, statistic by hand", lambda: by_hand(n // 20), check, 1 / 20, 25),
            Side(
                "numba by hand",
                lambda: peers.permutation_correlation_numba(x, y, n // 2, seen.statistic),
                check,
                1 / 2,
                2.5,
            ),
        ],
    )


CASES = [permutation_means, permutation_correlation]
