"""The comparisons: our side, the peers, the goals."""

from __future__ import annotations

import math
import warnings

import chains
import numba
import numpy as np
import peers
import r
from timing import Comparison, Side, near

import windfall

GAUSS_5D = 7.434327597900411  # (sqrt(pi) erf(1))^5
CUBE = [(-1, 1)] * 5
FORMULA = "exp(-(x0^2 + x1^2 + x2^2 + x3^2 + x4^2))"


def pi(scale):
    n = int(1e9 * scale)
    error = 6 * math.sqrt(math.pi * (4 - math.pi))

    def side(name, function, share, goal):
        size = int(n * share)
        check = near(math.pi, within=error / math.sqrt(size))
        return Side(name, lambda: function(size), check, share, goal)

    def ours(workers):
        return lambda size: windfall.pi(size, rng=1, workers=workers, progress=False)

    c = peers.c_loops().pi_scalar
    return Comparison(
        f"pi, {n:.0e} samples, one core",
        n,
        side("windfall", ours(1), 1, None),
        [
            side("numba as people write it", peers.pi_numba, 0.05, 20),
            side("numba, xoroshiro128+ in registers", peers.pi_numba_fast, 0.2, 4),
            side("C -O3, scalar xoshiro256+", lambda m: c(m, 1), 0.2, 3.4),
            side("NumPy in chunks of 1e6", lambda m: peers.pi_numpy(m, 10**6), 0.05, 12),
            side("NumPy in chunks of 65,536, its best", peers.pi_numpy, 0.05, 12),
            side("Python", peers.pi_python, 0.001, 130),
        ],
    )


def pi_two_workers(scale):
    n = int(2e9 * scale)
    check = near(math.pi, within=10 / math.sqrt(n))
    return Comparison(
        f"pi, {n:.0e} samples, two workers",
        n,
        Side("windfall, 2 workers", lambda: windfall.pi(n, rng=1, workers=2), check),
        [Side("windfall, 1 worker", lambda: windfall.pi(n, rng=1, workers=1), check, 1, 1.85)],
    )


def integral(scale):
    n = int(1e8 * scale)
    within = 6 * 6.5e-5 * GAUSS_5D * math.sqrt(1e8 / n)
    numba.set_num_threads(1)
    check = near(GAUSS_5D, within=3 * within)

    def ours(size):
        return windfall.integrate(FORMULA, CUBE, n=size, rng=1, workers=1, progress=False)

    c = peers.c_loops().gauss_lanes
    return Comparison(
        f"5-d Gaussian as an expression, {n:.0e} points, one core",
        n,
        Side("windfall", lambda: ours(n), check),
        [
            Side("numba prange, xoroshiro128+", lambda: peers.gauss_numba(n, 64), check, 1, 1.8),
            Side("NumPy in chunks", lambda: peers.gauss_numpy(n // 10), check, 0.1, 4),
            Side("C, 16 lanes, own exp", lambda: c(n, 1), check, 1, 0.8),
        ],
    )


def sobol(_scale):
    n = 16 << 20
    check = near(GAUSS_5D, within=6 * 3e-8 * GAUSS_5D)

    def ours(seed=3):
        options = dict(method="sobol", n=n, replicates=16, workers=1, progress=False)
        return windfall.integrate(FORMULA, CUBE, rng=seed, **options)

    def check_ours(result):
        # The spread of 16 scrambles is itself a draw with a heavy tail: judge the usual one.
        check(result)
        errors = [ours(seed).mcse / GAUSS_5D for seed in range(9)]
        assert np.median(errors) < 4e-8, f"relative errors {errors}"

    return Comparison(
        "5-d Gaussian, scrambled Sobol, 16 × 2^20 points, one core",
        n,
        Side("windfall", ours, check_ours),
        [Side("SciPy qmc.Sobol", lambda: peers.gauss_sobol_scipy(16, 20), check, 1, 3)],
    )


def vegas(scale):
    """A peak in five dimensions, as many evaluations a side, times scaled to the same error."""
    import vegas

    n, formula = int(1e8 * scale), "exp(-100*(" + "+".join(f"(x{i}-0.5)^2" for i in range(5)) + "))"
    exact = (math.sqrt(math.pi) * math.erf(5) / 10) ** 5

    @vegas.lbatchintegrand
    def peak(x):
        return np.exp(-100 * ((x - 0.5) ** 2).sum(axis=1))

    def theirs(seed=1):
        np.random.seed(seed)
        return vegas.Integrator(5 * [[0, 1]])(peak, nitn=10, neval=n // 10)

    def ours(workers, seed=1):
        options = dict(method="vegas", n=n, rng=seed, workers=workers, progress=False)
        return windfall.integrate(formula, [(0, 1)] * 5, **options)

    def check_ours(result):
        assert abs(result.estimate - exact) < 5 * result.mcse, result

    def check_theirs(result):
        assert abs(result.mean - exact) < 5 * result.sdev, result

    # The error falls as the root of the time: a side with k times our error needs k^2 its time.
    error = np.median([ours(2, seed).mcse for seed in range(3)])
    ratio = theirs().sdev / error
    return Comparison(
        f"peak in 5-d, {n:.0e} evaluations, one core; the time of vegas is scaled to equal error: "
        f"its own {ratio:.2f} times ours, so {ratio**2:.2f} times its time",
        n,
        Side("windfall", lambda: ours(1), check_ours),
        [
            Side("vegas, scaled to equal error", theirs, check_theirs, 1 / ratio**2, 10),
            Side("windfall, 2 workers", lambda: ours(2), check_ours),
        ],
    )


def callback(scale):
    n = int(2e7 * scale)
    types = numba.types
    signature = types.double(types.intc, types.CPointer(types.double))

    @numba.cfunc(signature)
    def gauss(d, x):
        return math.exp(-(x[0] ** 2 + x[1] ** 2 + x[2] ** 2 + x[3] ** 2 + x[4] ** 2))

    @numba.njit
    def native(m):
        state, s0 = peers.splitmix(np.uint64(1))
        state, s1 = peers.splitmix(state)
        total = 0.0
        x = np.empty(5)
        for _ in range(m):
            for k in range(5):
                r = s0 + s1
                s1 ^= s0
                s0 = peers.rotl(s0, 24) ^ s1 ^ (s1 << np.uint64(16))
                s1 = peers.rotl(s1, 37)
                x[k] = 2 * peers.unit(r) - 1
            total += math.exp(-(x[0] ** 2 + x[1] ** 2 + x[2] ** 2 + x[3] ** 2 + x[4] ** 2))
        return 32 * total / m

    check = near(GAUSS_5D, within=GAUSS_5D * 4e-4 * math.sqrt(1e8 / n))

    def ours(workers):
        options = dict(n=n, rng=1, workers=workers, progress=False)
        return lambda: windfall.integrate(gauss, CUBE, **options)

    return Comparison(
        f"the integrand as a numba @cfunc, {n:.0e} points",
        n,
        Side("windfall, 1 worker", ours(1), check),
        [
            Side("the loop native in numba", lambda: native(n), check, 1, 1 / 1.1),
            Side("windfall, 2 workers", ours(2), check),
        ],
    )


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


def bootstrap_mean_two(scale):
    return bootstrap_mean(scale, workers=2)


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
            table,
            "mean_difference(x)",
            groups="g",
            n_resamples=n,
            alternative="absolute",
            distribution=False,
            rng=1,
            workers=1,
            progress=False,
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
            {"x": x, "y": y},
            "correlation(x, y)",
            permute="x",
            n_resamples=n,
            alternative="absolute",
            distribution=False,
            rng=1,
            workers=1,
            progress=False,
        )

    def scipy(part):
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
            Side("SciPy, statistic by hand", lambda: scipy(n // 20), check, 1 / 20, 25),
            Side(
                "numba by hand",
                lambda: peers.permutation_correlation_numba(x, y, n // 2, seen.statistic),
                check,
                1 / 2,
                2.5,
            ),
        ],
    )


def power(scale):
    n, effect, exact = 50, 0.5, 0.69689341  # R 4.2.2, power.t.test
    critical = 1.9844674544266834  # 0.975 quantile of t with 98 degrees of freedom
    simulations = int(1e6 * scale)

    def check_of(share):
        error = math.sqrt(exact * (1 - exact) / (simulations * share))
        return near(exact, within=6 * error)

    def side(name, work, share, goal):
        return Side(name, lambda: work(int(simulations * share)), check_of(share), share, goal)

    def ours(full_data):
        def work():
            return windfall.power(
                "t-test",
                n,
                effect=effect,
                n_simulations=simulations,
                full_data=full_data,
                rng=1,
                workers=1,
                progress=False,
            )

        return work

    c, rng = peers.c_loops().power_lanes, np.random.default_rng(1)
    arguments = (n, effect, critical)
    by_r = []
    if r.installed():
        by_r = [side("R replicate", lambda m: r.power(m, n, effect), 0.005, 550)]
    return [
        Comparison(
            f"power of a t test, 50 a sample, {simulations:.0e} simulations, one core, all data",
            simulations,
            Side("windfall, full_data=True", ours(True), check_of(1)),
            [
                side("NumPy, vectorised", lambda m: peers.power_numpy(m, *arguments), 0.1, 9),
                side("scipy.stats.power", lambda m: peers.power_scipy(m, n, effect), 0.1, 16),
                side(
                    "numba with a Generator",
                    lambda m: peers.power_numba(rng, m, *arguments),
                    0.2,
                    2.4,
                ),
                side("C, 16 lanes, Box-Muller", lambda m: c(m, *arguments), 1, 1),
                *by_r,
            ],
        ),
        Comparison(
            "the same from sufficient statistics, one core",
            simulations,
            Side("windfall", ours(False), check_of(1)),
            [
                Side("windfall, full_data=True", ours(True), check_of(1), 1, 3),
                side(
                    "NumPy, normal and chi-square",
                    lambda m: peers.power_by_sums(m, *arguments),
                    1,
                    None,
                ),
            ],
        ),
    ]


def power_all_data(scale):
    return power(scale)[0]


def power_by_sums(scale):
    return power(scale)[1]


CASES = [
    pi,
    pi_two_workers,
    integral,
    sobol,
    vegas,
    callback,
    bootstrap_mean,
    bootstrap_mean_two,
    flat_in_n,
    correlation,
    trimmed,
    median_bca,
    small_job,
    overhead,
    em,
    em_two,
    permutation_means,
    permutation_correlation,
    power_all_data,
    power_by_sums,
    *chains.CASES,
]
