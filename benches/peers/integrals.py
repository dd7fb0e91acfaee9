"""Integrals: pi, a Gaussian over a cube by points of several kinds, VEGAS+, a user's own code."""

from __future__ import annotations

import math

import numba
import numpy as np
import peers
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


CASES = [pi, pi_two_workers, integral, sobol, vegas, callback]
