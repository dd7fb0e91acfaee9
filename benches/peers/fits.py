"""Many regressions: least squares and logistic, against statsmodels, polars-ds and numba."""

from __future__ import annotations

import numba
import numpy as np
from timing import Comparison, Side

import windfall


@numba.njit
def cholesky_numba(x, y):
    """Coefficients and standard errors from bare normal equations, by hand."""
    groups, n, p = x.shape
    out = np.empty((groups, 2, p))
    for g in range(groups):
        a, b, yy = np.zeros((p, p)), np.zeros(p), 0.0
        for i in range(n):
            response = y[g, i]
            yy += response * response
            for j in range(p):
                v = x[g, i, j]
                b[j] += v * response
                for k in range(j + 1):
                    a[j, k] += v * x[g, i, k]
        for j in range(p):
            for k in range(j + 1):
                s = a[j, k]
                for m in range(k):
                    s -= a[j, m] * a[k, m]
                a[j, k] = np.sqrt(s) if j == k else s / a[k, k]
        inverse = np.zeros((p, p))
        for j in range(p):
            inverse[j, j] = 1 / a[j, j]
            for k in range(j):
                s = 0.0
                for m in range(k, j):
                    s -= a[j, m] * inverse[m, k]
                inverse[j, k] = s / a[j, j]
        explained = 0.0
        part = np.zeros(p)
        for j in range(p):
            for k in range(j + 1):
                part[j] += inverse[j, k] * b[k]
            explained += part[j] * part[j]
        variance = (yy - explained) / (n - p)
        for j in range(p):
            beta, norm = 0.0, 0.0
            for k in range(j, p):
                beta += inverse[k, j] * part[k]
                norm += inverse[k, j] * inverse[k, j]
            out[g, 0, j] = beta
            out[g, 1, j] = np.sqrt(variance * norm)
    return out


@numba.njit
def newton_numba(x, y):
    """Logistic regressions by Newton's method, with standard errors, by hand."""
    groups, n, p = x.shape
    out = np.empty((groups, 2, p))
    for g in range(groups):
        b = np.zeros(p)
        inverse = np.zeros((p, p))
        for _ in range(25):
            h, gradient = np.zeros((p, p)), np.zeros(p)
            for i in range(n):
                eta = 0.0
                for j in range(p):
                    eta += x[g, i, j] * b[j]
                mean = 1 / (1 + np.exp(-eta))
                w = mean * (1 - mean)
                r = y[g, i] - mean
                for j in range(p):
                    gradient[j] += x[g, i, j] * r
                    wx = w * x[g, i, j]
                    for k in range(j + 1):
                        h[j, k] += wx * x[g, i, k]
            for j in range(p):
                for k in range(j):
                    h[k, j] = h[j, k]
            inverse = np.linalg.inv(h)
            step = inverse @ gradient
            b += step
            if np.abs(step).max() < 1e-8:
                break
        out[g, 0] = b
        out[g, 1] = np.sqrt(np.diag(inverse))
    return out


def least_squares(scale):
    import statsmodels.api as sm

    groups = max(int(10_000 * scale), 100)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(groups, 100, 5))
    y = x @ rng.normal(size=5) + rng.normal(size=(groups, 100))
    expected = cholesky_numba(x, y)

    def check(answer):
        assert np.allclose(answer, expected[: len(answer)], rtol=1e-9)

    def ours(workers):
        def work():
            fits = windfall.fit_many(x, y, workers=workers, progress=False)
            return np.stack([fits.coefficients, fits.standard_errors], axis=1)

        return work

    def statsmodels():
        fits = [sm.OLS(y[g], x[g]).fit() for g in range(groups // 20)]
        return np.array([[fit.params, fit.bse] for fit in fits])

    peers = [
        Side("numba, bare Cholesky", lambda: cholesky_numba(x, y), check, 1, 1 / 1.2),
        Side("statsmodels, a loop", statsmodels, check, 1 / 20, 40),
        Side("windfall, 2 workers", ours(2), check),
    ]
    peers += polars_side(x, y, expected)
    title = f"least squares with errors, {groups:,} × (100 × 5), one core"
    return Comparison(title, groups, Side("windfall", ours(1), check), peers)


def polars_side(x, y, expected):
    """polars-ds, if it is installed; it gives no standard errors here."""
    try:
        import polars
        import polars_ds
    except ImportError:
        return []
    groups, n, p = x.shape
    columns = {f"x{j}": x[:, :, j].reshape(-1) for j in range(p)}
    group = np.repeat(np.arange(groups), n)
    frame = polars.DataFrame({"g": group, "y": y.reshape(-1), **columns})
    terms = [f"x{j}" for j in range(p)]

    def work():
        fit = polars_ds.lin_reg(*terms, target="y").alias("b")
        done = frame.group_by("g", maintain_order=True).agg(fit)
        return np.array(done["b"].to_list()).reshape(groups, -1)

    def check(answer):
        assert np.allclose(answer, expected[:, 0], rtol=1e-8)

    return [Side("polars-ds, group_by, no errors", work, check, 1, 6)]


def logistic(scale):
    import statsmodels.api as sm

    groups = max(int(1_000 * scale), 20)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(groups, 1_000, 5))
    mean = 1 / (1 + np.exp(-(x @ np.array([0.5, -1.0, 0.25, 0.0, 1.0]))))
    y = (rng.random((groups, 1_000)) < mean).astype(float)
    expected = newton_numba(x, y)

    def check(answer):
        assert np.allclose(answer, expected[: len(answer)], rtol=1e-6)

    def ours(workers):
        def work():
            fits = windfall.fit_many(x, y, family="logistic", workers=workers, progress=False)
            return np.stack([fits.coefficients, fits.standard_errors], axis=1)

        return work

    def statsmodels():
        fits = [sm.Logit(y[g], x[g]).fit(disp=0) for g in range(groups // 20)]
        return np.array([[fit.params, fit.bse] for fit in fits])

    peers = [
        Side("numba, Newton", lambda: newton_numba(x, y), check, 1, 1.8),
        Side("statsmodels, a loop", statsmodels, check, 1 / 20, 15),
        Side("windfall, 2 workers", ours(2), check),
    ]
    title = f"logistic regression, {groups:,} × (1,000 × 5), one core"
    return Comparison(title, groups, Side("windfall", ours(1), check), peers)


CASES = [least_squares, logistic]
