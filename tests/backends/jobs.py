"""The jobs of the suite: every function that has `on=`, with formulas and with code of Python."""

import os

import numpy as np

import windfall
from windfall.backends.worker import Parcel

RNG = np.random.default_rng(5)
X = RNG.normal(size=300)
Y = 2 * X + RNG.normal(size=300)
TABLE = {"x": X, "y": Y, "side": ["left", "right"] * 150}


def bell(x):
    return np.exp(-(x[0] ** 2) - x[1] ** 2)


def mean_of(x, axis=-1):
    return np.mean(x, axis=axis)


def difference(x, y):
    return float(np.mean(x) - np.mean(y))


def p_value(a, b, axis=-1):
    z = (np.mean(a, axis=axis) - np.mean(b, axis=axis)) * np.sqrt(a.shape[axis] / 2)
    return np.exp(-0.717 * np.abs(z) - 0.416 * z * z)


def one_sample(x):
    z = x.mean() * np.sqrt(len(x))
    return float(np.exp(-0.717 * abs(z) - 0.416 * z * z))


def drawn(rng, n, effect):
    return rng.normal(size=n) + effect


def log_density(q):
    return -0.5 * float(q @ q), -q


def generate(rng, n):
    return rng.normal(size=n)


def callback():
    numba = __import__("numba")

    @numba.cfunc("float64(int32, CPointer(float64))")
    def product(n, x):
        return x[0] * x[1]

    return product


def integrate_compiled(**on):
    return windfall.integrate(callback(), [(0, 1), (0, 1)], n=200_000, rng=2, **on)


BOX = [(0, 1), (0, 1)]

JOBS = {
    "pi": lambda **on: windfall.pi(2_000_000, rng=1, **on),
    "integrate": lambda **on: windfall.integrate("x0*x1", BOX, tolerance=1e-3, rng=2, **on),
    "vegas": lambda **on: windfall.integrate(
        "exp(-9*(x0 - x1)^2)", BOX, method="vegas", n=60_000, rng=2, **on
    ),
    "bootstrap": lambda **on: windfall.bootstrap(
        TABLE, "mean(x)/mean(y)", method="bca", n_resamples=5000, rng=3, **on
    ),
    "jackknife": lambda **on: windfall.jackknife(TABLE, "correlation(x, y)", **on),
    "permutation": lambda **on: windfall.permutation_test(
        TABLE, "mean_difference(x)", groups="side", n_resamples=5000, rng=5, **on
    ),
    "power": lambda **on: windfall.power(
        "t-test", [20, 40], effect=0.5, n_simulations=20_000, rng=6, **on
    ),
    "sample_size": lambda **on: windfall.sample_size(
        "t-test", effect=0.8, n_simulations=20_000, rng=7, **on
    ),
    "sample": lambda **on: windfall.sample("gaussian", sd=[1, 9], chains=3, draws=200, rng=8, **on),
    "mixture": lambda **on: windfall.mixture({"x": X}, 2, tol=1e-4, rng=9, **on),
    "simulate": lambda **on: windfall.simulate(
        "x = normal(0, 1)", "mean(x)", rows=9, truth=0, n_replicates=500, rng=10, **on
    ),
    "fit_many": lambda **on: windfall.fit_many(TABLE, "y ~ x", by="side", **on),
    "fit_arrays": lambda **on: windfall.fit_many(
        X.reshape(30, 10, 1), Y.reshape(30, 10), intercept=True, **on
    ),
}

CODE = {
    "integrate": lambda **on: windfall.integrate(bell, BOX, n=50_000, rng=2, **on),
    "integrate, two at once": lambda **on: windfall.integrate(
        lambda x: np.stack([x[0] * x[1], x[0] + x[1]]), BOX, n=20_000, rng=2, **on
    ),
    "integrate, compiled": integrate_compiled,
    "vegas": lambda **on: windfall.integrate(bell, BOX, method="vegas", n=20_000, rng=2, **on),
    "bootstrap": lambda **on: windfall.bootstrap(
        {"x": X}, mean_of, method="bca", n_resamples=2000, rng=3, **on
    ),
    "permutation": lambda **on: windfall.permutation_test(
        (X, Y), difference, n_resamples=500, rng=5, **on
    ),
    "power": lambda **on: windfall.power(
        p_value, [20, 40], effect=0.5, n_simulations=2000, rng=6, **on
    ),
    "power, its own data": lambda **on: windfall.power(
        one_sample, [20, 40], data=drawn, effect=0.5, n_simulations=500, rng=6, **on
    ),
    "sample_size": lambda **on: windfall.sample_size(
        p_value, effect=0.9, n_simulations=3000, rng=6, **on
    ),
    "sample": lambda **on: windfall.sample(
        log_density, parameters=["a", "b"], chains=2, warmup=100, draws=100, rng=8, **on
    ),
    "simulate": lambda **on: windfall.simulate(
        generate,
        {"mean": np.mean, "median": np.median},
        conditions={"n": [5, 20]},
        truth=0,
        n_replicates=100,
        rng=10,
        **on,
    ),
}


class Noted(Parcel):
    """What a job reads, which writes down wherever it is unpacked."""

    notes: str

    @classmethod
    def of(cls, parcel, notes):
        noted = cls(*parcel)
        noted.notes = str(notes)
        return noted

    def __reduce__(self):
        return unpacked, (self.notes, *self)


def unpacked(notes, *fields):
    with open(notes, "a") as file:
        file.write(f"{os.getpid()} {'copied' if fields[1].flags.owndata else 'in place'}\n")
    return Noted.of(Parcel(*fields), notes)


def told(result):
    """What an answer says, less what may differ from run to run."""
    rest = {**result.to_dict(), "run": None}
    distribution = result.distribution
    rows = None if distribution is None else np.asarray(distribution).tobytes()
    return rest, rows
