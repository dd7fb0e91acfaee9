"""The peers: the same work as people write it in Python, NumPy, numba, SciPy and C."""

from __future__ import annotations

import ctypes
import math
import random
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numba
import numpy as np

HERE = Path(__file__).parent
CHUNK = 1 << 16
DOUBLES = ctypes.POINTER(ctypes.c_double)


def pi_python(n):
    hits = 0
    draw = random.Random(1).random
    for _ in range(n):
        x, y = draw(), draw()
        hits += x * x + y * y < 1
    return 4 * hits / n


def pi_numpy(n, chunk=CHUNK):
    rng = np.random.default_rng(1)
    hits = 0
    for start in range(0, n, chunk):
        x, y = rng.random((2, min(chunk, n - start)))
        hits += np.count_nonzero(x * x + y * y < 1)
    return 4 * hits / n


@numba.njit
def pi_numba(n):
    np.random.seed(1)
    hits = 0
    for _ in range(n):
        x, y = np.random.random(), np.random.random()
        hits += x * x + y * y < 1
    return 4 * hits / n


@numba.njit(inline="always")
def rotl(x, k):
    return (x << np.uint64(k)) | (x >> np.uint64(64 - k))


@numba.njit
def splitmix(s):
    z = s + np.uint64(0x9E3779B97F4A7C15)
    s = z
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return s, z ^ (z >> np.uint64(31))


@numba.njit(inline="always")
def unit(r):
    return np.float64(r >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@numba.njit
def pi_numba_fast(n):
    """xoroshiro128+, the fastest generator that a numba loop can carry in registers."""
    state, s0 = splitmix(np.uint64(1))
    state, s1 = splitmix(state)
    hits = 0
    for _ in range(n):
        r = s0 + s1
        s1 ^= s0
        s0 = rotl(s0, 24) ^ s1 ^ (s1 << np.uint64(16))
        s1 = rotl(s1, 37)
        x = unit(r)
        r = s0 + s1
        s1 ^= s0
        s0 = rotl(s0, 24) ^ s1 ^ (s1 << np.uint64(16))
        s1 = rotl(s1, 37)
        y = unit(r)
        hits += x * x + y * y < 1
    return 4 * hits / n


@cache
def c_loops():
    """Return loops.c, compiled with -O3 for this machine."""
    folder = tempfile.TemporaryDirectory()
    library = Path(folder.name) / "loops.so"
    flags = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
    source = HERE / "loops.c"
    subprocess.run(["gcc", *flags, "-o", library, source, "-lm"], check=True)
    loaded = ctypes.CDLL(str(library))
    for name in ("pi_scalar", "gauss_lanes"):
        function = getattr(loaded, name)
        function.restype = ctypes.c_double
        function.argtypes = [ctypes.c_int64, ctypes.c_uint64]
    means = loaded.permutation_means
    means.restype = ctypes.c_double
    whole = ctypes.c_int64
    means.argtypes = [DOUBLES, whole, whole, whole, ctypes.c_uint64, ctypes.c_double]
    loaded.power_lanes.restype = ctypes.c_double
    loaded.power_lanes.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_double, ctypes.c_double]
    folder.cleanup()
    return loaded


def gauss_numpy(n):
    rng = np.random.default_rng(1)
    total = 0.0
    for start in range(0, n, CHUNK):
        x = rng.uniform(-1, 1, (5, min(CHUNK, n - start)))
        total += np.exp(-(x * x).sum(axis=0)).sum()
    return 32 * total / n


@numba.njit(parallel=True, fastmath=True)
def gauss_numba(n, blocks):
    total = 0.0
    for block in numba.prange(blocks):
        state, s0 = splitmix(np.uint64(2 * block + 1))
        state, s1 = splitmix(state)
        inner = 0.0
        for _ in range(n // blocks):
            q = 0.0
            for _ in range(5):
                r = s0 + s1
                s1 ^= s0
                s0 = rotl(s0, 24) ^ s1 ^ (s1 << np.uint64(16))
                s1 = rotl(s1, 37)
                x = 2 * unit(r) - 1
                q += x * x
            inner += math.exp(-q)
        total += inner
    return 32 * total / (n // blocks * blocks)


def gauss_sobol_scipy(replicates, log2_points):
    from scipy.stats import qmc

    means = []
    for seed in range(replicates):
        points = qmc.Sobol(5, scramble=True, rng=seed).random_base2(log2_points)
        x = 2 * points - 1
        means.append(32 * np.exp(-(x * x).sum(axis=1)).mean())
    return float(np.mean(means))


@numba.njit
def bootstrap_mean_numba(x, resamples):
    """Percentile replicates of the mean with 32-bit fixed-point indices, as hand-tuned."""
    n = np.uint64(len(x))
    state, s0 = splitmix(np.uint64(7))
    state, s1 = splitmix(state)
    out = np.empty(resamples)
    for b in range(resamples):
        total = 0.0
        for _ in range(len(x) // 2):
            r = s0 + s1
            s1 ^= s0
            s0 = rotl(s0, 24) ^ s1 ^ (s1 << np.uint64(16))
            s1 = rotl(s1, 37)
            total += x[((r & np.uint64(0xFFFFFFFF)) * n) >> np.uint64(32)]
            total += x[((r >> np.uint64(32)) * n) >> np.uint64(32)]
        out[b] = total / len(x)
    return out


@numba.njit(fastmath=True)
def em_numba(x, y, weights, means, covariances, steps):
    """Fused EM of a full-covariance mixture in two dimensions: one loop over the rows a step."""
    n, k = len(x), len(weights)
    weights, means, covariances = weights.copy(), means.copy(), covariances.copy()
    log_likelihood = 0.0
    constant, factor = np.empty(k), np.empty((k, 3))
    density = np.empty(k)
    for step in range(steps + 1):
        for j in range(k):
            a = math.sqrt(covariances[j, 0, 0])
            b = covariances[j, 1, 0] / a
            c = math.sqrt(covariances[j, 1, 1] - b * b)
            factor[j, 0], factor[j, 1], factor[j, 2] = 1 / a, -b / (a * c), 1 / c
            constant[j] = math.log(weights[j] / (2 * math.pi * a * c))
        sums = np.zeros((k, 6))
        log_likelihood = 0.0
        for i in range(n):
            most = -np.inf
            for j in range(k):
                u, v = x[i] - means[j, 0], y[i] - means[j, 1]
                p = factor[j, 0] * u
                q = factor[j, 1] * u + factor[j, 2] * v
                density[j] = constant[j] - 0.5 * (p * p + q * q)
                most = max(most, density[j])
            total = 0.0
            for j in range(k):
                density[j] = math.exp(density[j] - most)
                total += density[j]
            log_likelihood += most + math.log(total)
            for j in range(k):
                r = density[j] / total
                u, v = x[i] - means[j, 0], y[i] - means[j, 1]
                sums[j, 0] += r
                sums[j, 1] += r * u
                sums[j, 2] += r * v
                sums[j, 3] += r * u * u
                sums[j, 4] += r * u * v
                sums[j, 5] += r * v * v
        if step < steps:
            for j in range(k):
                count = sums[j, 0]
                du, dv = sums[j, 1] / count, sums[j, 2] / count
                weights[j] = count / n
                means[j, 0] += du
                means[j, 1] += dv
                covariances[j, 0, 0] = sums[j, 3] / count - du * du
                covariances[j, 1, 0] = sums[j, 4] / count - du * dv
                covariances[j, 0, 1] = covariances[j, 1, 0]
                covariances[j, 1, 1] = sums[j, 5] / count - dv * dv
    return log_likelihood


@numba.njit
def permutation_means_numba(x, first, permutations, observed):
    """Share of permutations as far from zero: the first group drawn by Fisher and Yates."""
    n = len(x)
    a = x.copy()
    total = a.sum()
    state, s0 = splitmix(np.uint64(3))
    state, s1 = splitmix(state)
    extreme = 0
    for _ in range(permutations):
        drawn = 0.0
        for i in range(first):
            r = s0 + s1
            s1 ^= s0
            s0 = rotl(s0, 24) ^ s1 ^ (s1 << np.uint64(16))
            s1 = rotl(s1, 37)
            j = i + np.int64(((r >> np.uint64(32)) * np.uint64(n - i)) >> np.uint64(32))
            a[i], a[j] = a[j], a[i]
            drawn += a[i]
        value = drawn / first - (total - drawn) / (n - first)
        extreme += abs(value) >= abs(observed)
    return (extreme + 1) / (permutations + 1)


@numba.njit(fastmath=True)
def permutation_correlation_numba(x, y, permutations, observed):
    """Share of pairings as far from zero: a shuffle and a product, fused."""
    n = len(x)
    a, b = x - x.mean(), y - y.mean()
    scale = 1 / np.sqrt((a * a).sum() * (b * b).sum())
    state, s0 = splitmix(np.uint64(4))
    state, s1 = splitmix(state)
    extreme = 0
    for _ in range(permutations):
        product = 0.0
        for i in range(n - 1, -1, -1):
            r = s0 + s1
            s1 ^= s0
            s0 = rotl(s0, 24) ^ s1 ^ (s1 << np.uint64(16))
            s1 = rotl(s1, 37)
            j = np.int64(((r >> np.uint64(32)) * np.uint64(i + 1)) >> np.uint64(32))
            drawn = a[j]
            a[j] = a[i]
            a[i] = drawn
            product += drawn * b[i]
        extreme += abs(product * scale) >= abs(observed)
    return (extreme + 1) / (permutations + 1)


def power_numpy(simulations, n, effect, critical, chunk=10_000):
    """Simulate two-sample t tests, vectorised, in chunks that stay in cache."""
    rng = np.random.default_rng(1)
    rejected = 0
    for _ in range(simulations // chunk):
        x = rng.standard_normal((chunk, n)) + effect
        y = rng.standard_normal((chunk, n))
        pooled = (x.var(1, ddof=1) + y.var(1, ddof=1)) / 2
        t = (x.mean(1) - y.mean(1)) / np.sqrt(pooled * 2 / n)
        rejected += np.count_nonzero(np.abs(t) > critical)
    return rejected / (simulations // chunk * chunk)


def power_scipy(simulations, n, effect):
    """Simulate them with scipy.stats.power, vectorised."""
    from scipy import stats

    rng = np.random.default_rng(1)
    laws = (stats.norm(effect, 1), stats.norm())
    rvs = tuple(lambda size, law=law: law.rvs(size=size, random_state=rng) for law in laws)
    done = stats.power(
        stats.ttest_ind,
        rvs,
        (n, n),
        significance=0.05,
        vectorized=True,
        n_resamples=simulations,
        batch=10_000,
    )
    return float(done.power)


@numba.njit
def power_numba(rng, simulations, n, effect, critical):
    rejected = 0
    for _ in range(simulations):
        s1 = s2 = q1 = q2 = 0.0
        for _ in range(n):
            z = rng.standard_normal()
            s1 += z
            q1 += z * z
            z = rng.standard_normal()
            s2 += z
            q2 += z * z
        m1, m2 = s1 / n, s2 / n
        pooled = (q1 - n * m1 * m1 + q2 - n * m2 * m2) / (2 * n - 2)
        rejected += abs(m1 + effect - m2) > critical * math.sqrt(pooled * 2 / n)
    return rejected / simulations


def power_by_sums(simulations, n, effect, critical):
    """Simulate them from sufficient statistics in NumPy: a normal and a chi-square number."""
    rng = np.random.default_rng(1)
    gap = effect + rng.standard_normal(simulations) * math.sqrt(2 / n)
    pooled = rng.chisquare(2 * n - 2, simulations) / (2 * n - 2)
    return np.count_nonzero(np.abs(gap) > critical * np.sqrt(pooled * 2 / n)) / simulations
