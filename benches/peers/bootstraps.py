"""Bootstraps: of the mean, of what needs the rows, of the median, of a small sample."""

from __future__ import annotations

import math

import numpy as np
import peers
from timing import Comparison, Side, near

import windfall


def skewed(n):
    return np.random.default_rng(3).exponential(size=n)


def bootstrap_mean(scale, n=10_000, workers=1):
    from arch.bootstrap import IIDBootstrap
    from scipy import stats

    x, b = skewed(n), int(1e5 * scale)
    se = x.std() / math.sqrt(n)

    def check(interval):
        low, high = interval
        assert abs((high - low) / (2 * 1.959964 * se) - 1) < 0.1

    def ours():
        result = windfall.bootstrap(
            {"x": x},
            "mean(x)",
            n_resamples=b,
            method="percentile",
            rng=1,
            workers=workers,
            progress=False,
        )
        return result.confidence_interval

    def scipy():
        done = stats.bootstrap(
            (x,), np.mean, n_resamples=b // 50, method="percentile", batch=100, rng=1
        )
        return done.confidence_interval

    def arch():
        done = IIDBootstrap(x, seed=np.random.default_rng(1))
        return done.conf_int(np.mean, b // 50, method="percentile").ravel()

    def by_numba():
        return np.quantile(peers.bootstrap_mean_numba(x, b // 10), [0.025, 0.975])

    one = workers == 1
    return Comparison(
        f"bootstrap CI of the mean, N = {n:,}, B = {b:,}, {workers} worker(s)",
        n * b,
        Side("windfall", ours, check),
        [
            Side("SciPy", scipy, check, 1 / 50, 15 if one else 30),
            Side("arch", arch, check, 1 / 50, 15 if one else 30),
            Side("numba by hand, one core", by_numba, check, 1 / 10, 2.4 if one else None),
        ],
    )


def bootstrap_mean_two(scale):
    return bootstrap_mean(scale, workers=2)


def flat_in_n(scale):
    def side(n):
        x, b = skewed(n), max(int(1e9 * scale / n), 64)

        def work():
            return windfall.bootstrap(
                {"x": x},
                "mean(x)",
                n_resamples=b,
                method="percentile",
                rng=1,
                workers=1,
                progress=False,
            )

        check = near(x.mean(), within=1e-9)
        share = n * b / 1e9
        return Side(f"windfall, N = {n:,}", work, check, share)

    return Comparison(
        "bootstrap of the mean, time a draw against N, one core",
        1e9,
        side(10_000),
        [side(1_000), side(100_000), side(1_000_000)],
    )


def bootstrap_by_weights(scale, formula, function, goal):
    from scipy import stats

    rng = np.random.default_rng(5)
    n, b = 10_000, int(2e4 * scale)
    x = rng.exponential(size=n)
    y = 0.5 * x + rng.normal(size=n)

    def ours():
        return windfall.bootstrap(
            {"x": x, "y": y},
            formula,
            n_resamples=b,
            method="percentile",
            rng=1,
            workers=1,
            progress=False,
        ).standard_error

    data = (x, y) if "y" in formula else (x,)

    def scipy():
        return stats.bootstrap(
            data,
            function,
            n_resamples=b // 20,
            paired=True,
            method="percentile",
            batch=50,
            rng=1,
        ).standard_error

    exact = ours()
    check = near(exact, within=0.15 * exact)
    return Comparison(
        f"bootstrap of {formula}, N = {n:,}, B = {b:,}, one core",
        n * b,
        Side("windfall", ours, check),
        [Side("SciPy, vectorised", scipy, check, 1 / 20, goal)],
    )


def correlation(scale):
    def function(x, y, axis):
        x = x - x.mean(axis, keepdims=True)
        y = y - y.mean(axis, keepdims=True)
        return (x * y).sum(axis) / np.sqrt((x * x).sum(axis) * (y * y).sum(axis))

    return bootstrap_by_weights(scale, "correlation(x, y)", function, 12)


def trimmed(scale):
    from scipy import stats

    def function(x, axis):
        return stats.trim_mean(x, 0.1, axis=axis)

    return bootstrap_by_weights(scale, "trimmed_mean(x, 0.1)", function, 12)


def median_bca(scale):
    from scipy import stats

    x, b = skewed(10_000), int(1e5 * scale)
    part = 200

    def check(interval):
        low, high = interval
        assert low < np.median(x) < high and high - low < 0.2

    def ours():
        return windfall.bootstrap(
            {"x": x},
            "median(x)",
            n_resamples=b,
            method="bca",
            rng=1,
            workers=1,
            progress=False,
        ).confidence_interval

    def scipy():
        # The jackknife is paid once whatever B, so it is left out: percentile, not BCa.
        return stats.bootstrap(
            (x,), np.median, n_resamples=part, method="percentile", batch=100, rng=1
        ).confidence_interval

    return Comparison(
        f"bootstrap of the median, BCa, N = 10,000, B = {b:,}, one core",
        b,
        Side("windfall", ours, check),
        [Side("SciPy, without its jackknife", scipy, check, part / b, 1000)],
    )


def small_job(_scale):
    from scipy import stats

    lsat = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
    gpa = [3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96]
    law = {"lsat": np.array(lsat, float), "gpa": np.array(gpa)}

    def function(x, y, axis):
        x = x - x.mean(axis, keepdims=True)
        y = y - y.mean(axis, keepdims=True)
        return (x * y).sum(axis) / np.sqrt((x * x).sum(axis) * (y * y).sum(axis))

    def check(interval):
        assert abs(interval[0] - 0.33264) < 0.03 and abs(interval[1] - 0.94171) < 0.02

    repeats = 20

    def ours():
        for _ in range(repeats):
            result = windfall.bootstrap(
                law,
                "correlation(lsat, gpa)",
                n_resamples=9999,
                method="bca",
                rng=1,
                progress=False,
            )
        return result.confidence_interval

    def scipy(statistic):
        return stats.bootstrap(
            tuple(law.values()), statistic, n_resamples=9999, paired=True, method="BCa", rng=1
        ).confidence_interval

    def documented(x, y, axis):
        return stats.pearsonr(x, y, axis=axis).statistic

    return Comparison(
        "small job: 15 rows, 9,999 resamples, BCa, from Python",
        repeats,
        Side("windfall", ours, check),
        [
            Side(
                "SciPy with pearsonr, as its page shows", lambda: scipy(documented), check, 0.05, 30
            ),
            Side("SciPy, vectorised by hand", lambda: scipy(function), check, 0.05, 30),
        ],
    )


def overhead(_scale):
    """What a call costs above the work: the smallest job, against its own kernel."""
    lsat = {"x": np.arange(15.0)}

    def call(resamples, repeats=200):
        def work():
            for _ in range(repeats):
                result = windfall.bootstrap(
                    lsat,
                    "mean(x)",
                    n_resamples=resamples,
                    method="percentile",
                    rng=1,
                    progress=False,
                )
            return result

        return work

    check = near(7.0, within=1e-12)
    return Comparison(
        "cost of a call from Python: 15 rows, one resample more or 9,999",
        200,
        Side("windfall, 1 resample: the overhead", call(1), check),
        [Side("windfall, 9,999 resamples", call(9999), check)],
    )


CASES = [
    bootstrap_mean,
    bootstrap_mean_two,
    flat_in_n,
    correlation,
    trimmed,
    median_bca,
    small_job,
    overhead,
]
