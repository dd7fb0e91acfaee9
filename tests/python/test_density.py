"""Log densities that are functions: compiled or Python, with and without a gradient."""

import ctypes

import numpy as np
import pytest

import windfall
from windfall._functions import density
from windfall._problems.solving import Run, build, solve

numba = pytest.importorskip("numba")
scipy = pytest.importorskip("scipy")

DOUBLES = numba.types.CPointer(numba.types.float64)
KEYS = {"parameters": {"m": "real", "s": "positive"}, "chains": 2, "warmup": 300, "draws": 400}
START = [0.0, 1.0]


def both(x):
    """Return the log density of a normal and an exponential variable, and its gradient."""
    return -0.5 * (x[0] - 1.0) * (x[0] - 1.0) - 2.0 * x[1], np.array([1.0 - x[0], -2.0])


@numba.cfunc(numba.types.float64(numba.types.intc, DOUBLES, DOUBLES))
def compiled(n, x, gradient):
    gradient[0] = 1.0 - x[0]
    gradient[1] = -2.0
    return -0.5 * (x[0] - 1.0) * (x[0] - 1.0) - 2.0 * x[1]


@numba.cfunc(
    numba.types.float64(numba.types.intc, DOUBLES, DOUBLES, numba.types.CPointer(numba.types.void))
)
def compiled_with_data(n, x, gradient, data):
    gradient[0] = 1.0 - x[0]
    gradient[1] = -2.0
    return -0.5 * (x[0] - 1.0) * (x[0] - 1.0) - 2.0 * x[1]


@numba.cfunc(numba.types.float64(numba.types.intc, DOUBLES))
def compiled_value(n, x):
    return -0.5 * (x[0] - 1.0) * (x[0] - 1.0) - 2.0 * x[1]


def draw(function, **keys):
    run = Run(7, workers=2, progress=False)
    return solve(build("sample", {**KEYS, **keys}, run, function=density(function, START)), run)


def numbers(result):
    return list(zip(result.names, result.estimate, result.mcse, strict=True))


def test_every_kind_of_function_gives_the_same_draws():
    expected = numbers(draw(both))
    kinds = [
        compiled,
        compiled_with_data,
        compiled.ctypes,
        scipy.LowLevelCallable(compiled.ctypes, signature="double (int, double *, double *)"),
        lambda x: list(both(x)),
    ]
    for kind in kinds:
        assert numbers(draw(kind)) == expected
    for (name, estimate, mcse), mean in zip(expected, [1.0, 0.5], strict=True):
        assert abs(estimate - mean) < 5 * mcse, name


def test_a_value_alone_serves_samplers_without_gradients():
    keys = {"sampler": "metropolis", "warmup": 500, "draws": 500}
    expected = numbers(draw(lambda x: both(x)[0], **keys))
    assert numbers(draw(compiled_value, **keys)) == expected
    assert numbers(draw(both, **keys)) == expected
    with pytest.raises(windfall.InputError, match="gradient"):
        draw(compiled_value)


def test_sample_takes_functions_with_supports_as_words_or_pairs():
    parameters = {"m": ("-inf", np.inf), "s": (0, "inf")}
    keys = {"chains": 2, "warmup": 300, "draws": 1000, "rng": 7}
    result = windfall.sample(compiled, parameters=parameters, **keys)
    same = windfall.sample(both, parameters={"m": "real", "s": "positive"}, init=None, **keys)
    assert np.array_equal(result.draws, same.draws)
    with pytest.raises(TypeError, match="its `parameters`"):
        windfall.sample(both)
    with pytest.raises(windfall.InputError, match="brings its own"):
        windfall.sample(both, {"y": [1.0]}, parameters=parameters)


def test_what_is_derived_is_reported():
    result = draw(compiled, derived={"sum": "m + s"})
    assert list(result.names) == ["m", "s", "sum"]


def test_an_exception_ends_the_run_with_its_cause():
    def fails(x):
        if x[1] > 1.5:
            raise RuntimeError("no such thing")
        return both(x)

    with pytest.raises(windfall.TaskError, match="no such thing") as caught:
        draw(fails)
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: (1.0, [0.0]), r"shape \(2,\)"),
        (lambda x: (1.0, [0.0, 0.0], 2), "a number and"),
        (ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int)(lambda n: 0.0), "double \\*"),
        (ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_int)(lambda n: 0.0), "c_float"),
    ],
)
def test_a_wrong_function_is_refused(function, message):
    with pytest.raises(ValueError, match=message):
        density(function, START)


def test_no_function_is_refused():
    with pytest.raises(TypeError, match="not a log density"):
        density(3.0, START)


def test_a_gradient_is_nothing_to_integrate():
    signature = "double (int, double *, double *)"
    callable = scipy.LowLevelCallable(compiled.ctypes, signature=signature)
    with pytest.raises(windfall.InputError, match="signature"):
        windfall.integrate(callable, [(0, 1), (0, 1)], n=100)
