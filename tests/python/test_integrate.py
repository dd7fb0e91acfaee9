"""Integrals through every kind of integrand, with the same numbers as everywhere else."""

import ctypes
import math

import numpy as np
import pytest

import windfall

# Each comparison with an exact value allows 5 standard errors: a false alarm in 1.7 million.
SIGMAS = 5
CUBE = [(-1, 1)] * 5
GAUSS_5D = 7.434327597900411  # (sqrt(pi) erf(1))^5
FORMULA = "exp(-(x0^2 + x1^2 + x2^2 + x3^2 + x4^2))"


def assert_near(result, exact):
    assert abs(result.estimate - exact) < SIGMAS * result.mcse
    assert result.interval.low < result.estimate < result.interval.high


@pytest.mark.parametrize("method", ["plain", "stratified", "sobol", "lattice", "vegas"])
def test_a_formula(method):
    result = windfall.integrate(FORMULA, CUBE, n=200_000, method=method, rng=11)
    assert_near(result, GAUSS_5D)
    assert result.method == method


def vectorised(x):
    return np.exp(-(x**2).sum(axis=0))


def scalar(x):
    return math.exp(-sum(float(value) ** 2 for value in x))


def test_python_functions_agree_with_the_formula_point_by_point():
    formula = windfall.integrate(FORMULA, CUBE, n=20_000, rng=3)
    for function in (vectorised, scalar):
        result = windfall.integrate(function, CUBE, n=20_000, rng=3)
        # The same points, but NumPy's exp: equal up to a few roundings.
        assert result.estimate == pytest.approx(formula.estimate, rel=1e-12)
    assert any("formula" in note or "cfunc" in note for note in result.notes)


@pytest.mark.parametrize("method", ["stratified", "sobol", "lattice", "vegas", "cubature"])
def test_python_functions_take_every_method(method):
    for bounds in ([(0, 1), (-1, 1)], [(0, "inf"), (-1, 1)]):
        formula = windfall.integrate("exp(-x0^2 - x1^2)", bounds, n=20_000, method=method, rng=3)
        result = windfall.integrate(vectorised, bounds, n=20_000, method=method, rng=3)
        # What NumPy's exp does differently may move a point of a map or a cut of a region.
        assert result.estimate == pytest.approx(formula.estimate, rel=1e-6)
        assert result.n == pytest.approx(formula.n, rel=0.01)


def test_several_integrals_share_their_points():
    formulas = ["exp(-(x0^2 + x1^2))", "x0^2"]
    both = windfall.integrate(formulas, [(0, 1)] * 2, n=20_000, rng=3)
    assert both.names == tuple(formulas) and both.estimate.shape == (2,)
    covariance = np.array(both.extra["covariance"])
    assert np.sqrt(np.diag(covariance)) == pytest.approx(both.mcse)
    assert covariance[0, 1] == covariance[1, 0] < 0

    def stacked(x):
        return np.stack([vectorised(x), x[0] ** 2])

    def listed(x):
        return [scalar(x), float(x[0]) ** 2]

    for function in (stacked, listed):
        result = windfall.integrate(function, [(0, 1)] * 2, n=20_000, rng=3)
        assert result.estimate == pytest.approx(both.estimate, rel=1e-12)
        found = np.array(result.extra["covariance"])
        assert found == pytest.approx(covariance, rel=1e-6)


def test_values_of_the_wrong_shape_are_refused():
    def late(x):  # right in the trial, wrong in the run
        return np.stack([x[0], x[0]]) if x.size < 10 else x[0]

    with pytest.raises(windfall.TaskError, match=r"2 × \d+ numbers"):
        windfall.integrate(late, [(0, 1)], n=1000, rng=1)


def test_cubature_tells_its_own_error():
    result = windfall.integrate(FORMULA, CUBE, method="cubature", relative_tolerance=1e-4)
    assert math.isnan(result.mcse) and result.interval is None
    error = result.extra["error"]
    assert abs(result.estimate - GAUSS_5D) < error <= 1e-4 * GAUSS_5D
    assert any("no Monte Carlo error" in note for note in result.notes)


def test_controls_and_mirror_images_take_error_away():
    box = [(0, 1), (0, 1)]
    plain = windfall.integrate("exp(x0 + x1)", box, n=50_000, rng=1)
    mirrored = windfall.integrate("exp(x0 + x1)", box, n=50_000, rng=1, antithetic=True)
    controls = dict(control=["x0 + x1", "exp(x0)"], control_integral=[1, math.e - 1])
    controlled = windfall.integrate("exp(x0 + x1)", box, n=50_000, rng=1, **controls)
    for result in (mirrored, controlled):
        assert_near(result, (math.e - 1) ** 2)
        assert result.mcse < plain.mcse / 3
    assert controlled.extra["control_gain"] == pytest.approx(
        (plain.mcse / controlled.mcse) ** 2, rel=0.05
    )


def test_a_numba_callback_runs_without_the_interpreter():
    numba = pytest.importorskip("numba", reason="numba is not installed")
    signature = numba.types.double(numba.types.intc, numba.types.CPointer(numba.types.double))

    @numba.cfunc(signature)
    def gauss(n, x):
        total = 0.0
        for place in range(n):
            total += x[place] * x[place]
        return math.exp(-total)

    formula = windfall.integrate(FORMULA, CUBE, n=50_000, rng=3)
    for callback in (gauss, gauss.ctypes):
        result = windfall.integrate(callback, CUBE, n=50_000, rng=3)
        assert result.estimate == pytest.approx(formula.estimate, rel=1e-12)
    low_level = pytest.importorskip("scipy", reason="SciPy is not installed").LowLevelCallable
    assert windfall.integrate(low_level(gauss.ctypes), CUBE, n=50_000, rng=3) == result


def test_a_ctypes_callback_of_the_wrong_signature_is_refused():
    wrong = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_double)(lambda x: x)
    with pytest.raises(ValueError, match=r"double \(int, double \*\)"):
        windfall.integrate(wrong, [(0, 1)])


def test_infinite_bounds():
    result = windfall.integrate("exp(-x0^2)", [(-np.inf, np.inf)], n=200_000, rng=5)
    assert_near(result, math.sqrt(math.pi))
    half = windfall.integrate("exp(-x0)", [(0, "inf")], method="sobol", n=100_000, rng=5)
    assert_near(half, 1)


def test_a_tolerance_stops_early_and_is_kept():
    result = windfall.integrate("x0", [(0, 1)], tolerance=1e-3, n=10**8, rng=2)
    assert result.mcse <= 1e-3
    assert result.n < 10**6


def test_a_function_that_raises_is_named_with_its_cause():
    def broken(x):
        if x[0] > 0.9:
            raise ZeroDivisionError("no such luck")
        return float(x[0])

    with pytest.raises(windfall.TaskError, match="no such luck") as caught:
        windfall.integrate(broken, [(0, 1)], n=1000, rng=1)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.seed == 1


def test_a_value_that_is_not_finite_is_named_with_its_point():
    with pytest.raises(windfall.WindfallError, match="not finite|NaN|inf"):
        windfall.integrate("log(x0 - 0.5)", [(0, 1)], n=1000, rng=1)
    with pytest.raises(windfall.WindfallError, match="not finite|NaN|inf"):
        windfall.integrate(lambda x: np.full(x.shape[1:], np.nan), [(0, 1)], n=1000, rng=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(function="x0 +* foo(", bounds=[(0, 1)]), "foo"),
        (dict(function="x0", bounds=[(0, math.nan)]), "nan|NaN"),
        (dict(function="x0", bounds=[("low", 1)]), "low"),
        (dict(function="x1", bounds=[(0, 1)]), "x1"),
        (dict(function="x0", bounds=[(0, 1)], n=0), "`0`"),
        (dict(function="x0", bounds=[(0, 1)], n=1.5), "1.5"),
        (dict(function="x0", bounds=[(0, 1)], method="sobel"), "sobel"),
        (dict(function="x0", bounds=[(0, 1)], tolerance=-1), "-1"),
        (dict(function=["x0", "x1"], bounds=[(0, 1)]), "x1"),
        (dict(function="x0", bounds=[(0, 1)], periodic=True), "periodic"),
        (dict(function="x0", bounds=[(0, 1)], control="sin(x0)"), "control_integral"),
        (dict(function="x0", bounds=[(0, 1)], workers=0), "workers"),
        (dict(function="x0", bounds=[]), "bounds|dimension"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises((windfall.InputError, ValueError), match=message):
        windfall.integrate(**arguments)


def test_pi():
    result = windfall.pi(10**7, rng=1)
    assert abs(result.estimate - math.pi) < SIGMAS * result.mcse
    # Binomial: sqrt(pi (4 - pi) / n).
    assert result.mcse == pytest.approx(math.sqrt(math.pi * (4 - math.pi) / 1e7), rel=1e-3)
