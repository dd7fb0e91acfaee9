"""Log densities that JAX and PyTensor compile, as functions: a posterior in closed form.

Means lie within 5 Monte Carlo errors and standard deviations within 8 %, some 5 of theirs: at most
one false alarm in 10^5 runs, and the seed is fixed.
"""

import numpy as np
import pytest

import windfall

Y = np.random.default_rng(1).normal(2.0, 1.0, size=200)
WAITS = np.random.default_rng(2).exponential(0.5, size=50)
# y ~ N(mu, 1), mu ~ N(0, 10); waits ~ Exp(rate), rate ~ Gamma(2, 1): both conjugate.
PRECISION = len(Y) + 1 / 100
MEAN = np.array([Y.sum() / PRECISION, (2 + len(WAITS)) / (1 + WAITS.sum())])
SD = np.array([PRECISION**-0.5, (2 + len(WAITS)) ** 0.5 / (1 + WAITS.sum())])
RUN = {"parameters": {"mu": "real", "rate": "positive"}, "warmup": 500, "draws": 1000, "rng": 3}


def log_density(x, log):
    """Return the log posterior, of any library's arrays and its logarithm."""
    mu, rate = x[0], x[1]
    normal = -0.5 * ((Y - mu) ** 2).sum() - mu**2 / 200
    return normal + (1 + len(WAITS)) * log(rate) - rate * (1 + WAITS.sum())


@pytest.fixture
def jax():
    """JAX, its precision put back afterwards."""
    jax = pytest.importorskip("jax", reason="jax is not installed")
    before = jax.config.jax_enable_x64
    yield jax
    jax.config.update("jax_enable_x64", before)
    jax.clear_caches()


def by_jax(jax, is_double):
    jax.config.update("jax_enable_x64", is_double)
    jax.clear_caches()
    return jax.jit(jax.value_and_grad(lambda x: log_density(x, jax.numpy.log)))


def check(function):
    alone, shared = (windfall.sample(function, workers=workers, **RUN) for workers in (1, 4))
    assert alone.method == "nuts"
    assert np.all(np.abs(alone.estimate - MEAN) < 5 * alone.mcse)
    np.testing.assert_allclose(alone.standard_error, SD, rtol=0.08)
    assert alone.to_json() == shared.to_json()


def test_a_function_of_jax_in_double_precision(jax):
    function = by_jax(jax, True)
    value, gradient = function(MEAN)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(value, log_density(MEAN, np.log), rtol=1e-13)
    check(function)


def test_a_function_of_jax_as_it_comes_has_seven_digits(jax):
    function = by_jax(jax, False)
    value, gradient = function(MEAN)
    assert gradient.dtype == np.float32
    assert abs(float(value) / float(log_density(MEAN, np.log)) - 1) < 1e-5
    check(function)


def test_a_function_of_pytensor():
    pytensor = pytest.importorskip("pytensor", reason="pytensor is not installed")
    x = pytensor.tensor.dvector("x")
    value = log_density(x, pytensor.tensor.log)
    check(pytensor.function([x], [value, pytensor.grad(value, x)]))
