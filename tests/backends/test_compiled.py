"""Log densities that JAX and PyTensor compile, as functions: a posterior in closed form.

Means lie within 5 Monte Carlo errors and standard deviations within 8 %, some 5 of theirs: at most
one false alarm in 10^5 runs, and the seed is fixed.
"""

import importlib.util
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

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


def of_jax(is_double):
    """A function that JAX compiles, in one precision or the other."""
    import jax

    jax.config.update("jax_enable_x64", is_double)
    function = jax.jit(jax.value_and_grad(lambda x: log_density(x, jax.numpy.log)))
    value, gradient = function(MEAN)
    assert gradient.dtype == (np.float64 if is_double else np.float32)
    digits = 1e-13 if is_double else 1e-5
    np.testing.assert_allclose(value, log_density(MEAN, np.log), rtol=digits)
    return function


def of_pytensor():
    """A function that PyTensor compiles."""
    import pytensor

    x = pytensor.tensor.dvector("x")
    value = log_density(x, pytensor.tensor.log)
    return pytensor.function([x], [value, pytensor.grad(value, x)])


def check(compiled, *precision):
    function = compiled(*precision)
    alone, shared = (windfall.sample(function, workers=workers, **RUN) for workers in (1, 4))
    assert alone.method == "nuts"
    assert np.all(np.abs(alone.estimate - MEAN) < 5 * alone.mcse)
    np.testing.assert_allclose(alone.standard_error, SD, rtol=0.08)
    assert alone.to_json() == shared.to_json()


@pytest.mark.parametrize(
    ("library", "compiled"),
    [("jax", (of_jax, True)), ("jax", (of_jax, False)), ("pytensor", (of_pytensor,))],
    ids=["jax in double precision", "jax as it comes", "pytensor"],
)
def test_a_compiled_function_is_a_model(library, compiled, tmp_path, monkeypatch):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # PyTensor leaves what it has made for numba
    # In a process of its own: the threads of JAX bear no fork, and other tests here do.
    apart = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=apart) as pool:
        pool.submit(check, *compiled).result(300)
