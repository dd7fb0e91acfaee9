"""Power and sample size from Python: arguments, results, pictures; the shell's numbers."""

import json

import numba
import numpy as np
import pytest
from scipy import stats

import windfall

# Each comparison with an exact value allows 5 standard errors: a false alarm in 1.7 million.
SIGMAS = 5


def test_the_power_of_a_t_test():
    result = windfall.power("t-test", 50, effect=0.5, n_simulations=50_000, rng=1)
    # R 4.2.2, power.t.test(50, 0.5).
    assert abs(result.estimate - 0.69689341) < SIGMAS * result.mcse
    assert result.interval.low < result.estimate < result.interval.high
    assert (result.names, result.draws, result.method) == (("power",), 50_000, "t-test")
    assert any("full_data" in note for note in result.notes)
    full = windfall.power("t-test", 50, effect=0.5, n_simulations=50_000, full_data=True, rng=1)
    assert abs(full.estimate - 0.69689341) < SIGMAS * full.mcse
    assert not full.notes


@pytest.mark.parametrize("n", [[20, 40, 60], (20, 40, 60), range(20, 61, 20), "20:60:20"])
def test_a_curve_is_an_array_and_a_table(n):
    curve = windfall.power("anova", n, effect=0.25, arms=3, n_simulations=5_000, rng=2)
    assert curve.estimate.shape == (3,)
    assert curve.names[1] == "power at n = 40"
    np.testing.assert_array_equal(curve.table["n"], [20, 40, 60])
    np.testing.assert_array_equal(curve.table["power"], curve.estimate)
    assert (np.diff(curve.estimate) > 0).all()
    frame = curve.to_frame()
    assert list(frame.columns) == ["n", "effect", "power", "mcse", "low", "high"]


def test_data_of_other_laws():
    laws = ["gamma(2, 1)", "gamma(2, 1.8)"]
    result = windfall.power("mann-whitney", 40, groups=laws, n_simulations=4_000, rng=3)
    assert 0.7 < result.estimate < 0.95
    table = [[0.1, 0.2, 0.15], [0.2, 0.15, 0.2]]
    result = windfall.power("independence", 100, probabilities=table, n_simulations=20_000, rng=3)
    # NumPy and SciPy, 2,000,000 simulations.
    assert abs(result.estimate - 0.396442) < SIGMAS * result.mcse


def test_published_sample_sizes_are_found():
    # Cohen (1988), table 2.4.1.
    for effect, n in [(0.5, 64), (0.8, 26)]:
        result = windfall.sample_size("t-test", 0.8, effect=effect, rng=4)
        assert result.estimate[0] == n
        assert result.interval.low[0] <= n <= result.interval.high[0]
        assert result.names == ("n", f"power at n = {n}", f"power at n = {n - 1}")
        assert result.estimate[1] > 0.79 > 0.78 > result.estimate[2] - 0.02
        assert set(result.table) == {"n", "simulations", "power", "mcse", "low", "high"}


def scalar_rank_sum(x, y):
    return stats.mannwhitneyu(x, y, method="exact" if len(x) <= 8 else "asymptotic").pvalue


def rank_sums(x, y, axis):
    return stats.mannwhitneyu(x, y, axis=axis, method="asymptotic")


@pytest.mark.parametrize(
    ("test", "n", "options"),
    [
        (scalar_rank_sum, [6, 12], {"effect": 1.0}),
        (rank_sums, [12, 20], {"effect": 0.8, "ratio": 1.5}),
        (stats.ttest_ind, [9, 30], {"effect": 0.6, "law": "gamma(2)"}),
        (lambda x: stats.ttest_1samp(x, 0), 15, {"effect": 0.5, "law": "t(5)", "arms": 1}),
        (stats.f_oneway, 10, {"groups": ["exponential(1)", "exponential(1.5)", "gamma(2)"]}),
    ],
)
def test_a_test_of_scipy_sees_the_data_of_the_test_by_name(test, n, options):
    name = {"ttest_ind": "t-test", "f_oneway": "anova", "<lambda>": "one-sample-t"}
    named = name.get(test.__name__, "mann-whitney")
    known = {key: value for key, value in options.items() if key != "arms"}
    own = windfall.power(test, n, n_simulations=300, rng=6, progress=False, **options)
    theirs = windfall.power(named, n, n_simulations=300, rng=6, progress=False, **known)
    np.testing.assert_array_equal(own.estimate, theirs.estimate)
    np.testing.assert_array_equal(own.interval.low, theirs.interval.low)
    assert own.method == "own test"
    assert np.min(own.estimate) > 0.05 and np.max(own.estimate) < 1


def test_code_makes_the_data_and_tests_them():
    def clusters(rng, n, effect):
        arm = np.repeat([0.0, effect], n)
        return arm, arm + rng.normal(scale=0.3, size=2 * n) + rng.normal(size=2 * n) / 4

    def slope(arm, means):
        return stats.linregress(arm, means).pvalue

    options = dict(data=clusters, effect=0.4, rng=8, progress=False)
    curve = windfall.power(slope, [6, 12], n_simulations=400, **options)
    again = windfall.power(slope, 12, n_simulations=400, workers=1, **options)
    assert curve.estimate[1] == again.estimate
    # The means have variance 0.3² + 0.25²; by the noncentral t law (statsmodels 0.14).
    assert abs(again.estimate - 0.66947) < SIGMAS * again.mcse
    assert any("Python code" in note for note in again.notes)
    # One sample, from a function that reads nothing but its generator.
    flat = windfall.power(
        lambda x: stats.ttest_1samp(x, 0),
        20,
        data=lambda rng: rng.normal(0.8, size=20),
        n_simulations=300,
        rng=8,
    )
    # By the noncentral t law (statsmodels 0.14).
    assert abs(flat.estimate - 0.92390) < SIGMAS * flat.mcse


def test_the_sample_size_of_a_test_of_ones_own():
    found = windfall.sample_size(
        stats.ttest_ind, 0.8, effect=1.0, law="normal(0, 2)", n_simulations=3000, rng=9
    )
    # Cohen (1988), table 2.4.1: 17.
    assert abs(found.estimate[0] - 17) <= 1 and found.interval.low[0] <= 17
    found = windfall.sample_size(
        lambda x: stats.ttest_1samp(x, 0),
        0.8,
        data=lambda rng, n: rng.normal(1, size=n),
        n_min=4,
        n_simulations=1000,
        rng=9,
    )
    # By the noncentral t law (statsmodels 0.14): 9.94.
    assert abs(found.estimate[0] - 10) <= 1 and found.table["n"].min() >= 4


def test_a_compiled_test_is_called_without_the_interpreter():
    @numba.cfunc("double(int32, CPointer(double))")
    def sign(n, x):
        """Two-sided sign test of 12 values: rejects at 0.0386 below 3 or above 9."""
        above = 0
        for i in range(n):
            above += x[i] > 0
        return 0.0386 if above < 3 or above > 9 else 1.0

    found = windfall.power(sign, 12, arms=1, effect=1.0, n_simulations=20_000, rng=3)
    expected = stats.binom.sf(9, 12, stats.norm.cdf(1)) + stats.binom.cdf(2, 12, stats.norm.cdf(1))
    assert abs(found.estimate - expected) < SIGMAS * found.mcse
    assert not any("Python code" in note for note in found.notes)


def test_what_a_function_does_wrong_is_told():
    def call(test, **options):
        windfall.power(test, 8, **{"effect": 0.5, "n_simulations": 200, **options})

    def broken(x, y):
        raise ZeroDivisionError("no good")

    with pytest.raises(windfall.TaskError, match="raised ZeroDivisionError: no good") as caught:
        call(broken)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(windfall.TaskError, match="raised ZeroDivisionError") as caught:
        call(lambda x: 0.5, data=lambda rng: broken(1, 2))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(windfall.TaskError, match="returned `1.5`, which is no p-value"):
        call(lambda x, y: 1.5)
    with pytest.raises(windfall.TaskError, match="returned `-2`, which is no p-value"):
        call(lambda x: -2, data=lambda rng: 0)
    for wrong in ["yes", None, [0.1, 0.2]]:
        with pytest.raises(windfall.TaskError, match="must return a p-value") as caught:
            call(lambda x, y, wrong=wrong: wrong)
        assert repr(wrong) in str(caught.value) and isinstance(caught.value.__cause__, TypeError)
    with pytest.raises(windfall.TaskError, match="must return"):
        call(lambda x, y, axis: 0.5)
    with pytest.raises(TypeError, match="`7` is not a test"):
        call(7)
    with pytest.raises(ValueError, match="function too, not `t-test`"):
        call("t-test", data=lambda rng: 0)
    with pytest.raises(TypeError, match="the factors"):
        call(lambda x: 0.5, data=lambda: 0)
    for wrong in [{"null": 1}, {"alternative": "less"}, {"icc": 0.5}]:
        with pytest.raises(windfall.InputError, match="left out where a function is the test"):
            call(lambda x, y: 0.5, **wrong)
    with pytest.raises(windfall.InputError, match="`law` is `given`"):
        call(lambda x: 0.5, data=lambda rng: 0, law="t(5)")
    with pytest.raises(windfall.InputError, match="`effect` is `missing`"):
        call(lambda x, y: 0.5, effect=None)


def test_curves_are_drawn():
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    matplotlib.use("Agg")
    curve = windfall.power("t-test", "10:40:10", effect=[0.5, 0.8], n_simulations=500, rng=5)
    axes = curve.plot()
    assert len(axes.lines) == 2
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [10, 20, 30, 40])
    found = windfall.sample_size("t-test", effect=1.2, n_simulations=20_000, rng=5)
    assert found.plot().get_xlabel() == "sample size n"
    with pytest.raises(ValueError, match="at least two points"):
        windfall.power("t-test", 10, effect=0.5, n_simulations=100, rng=5).plot()
    matplotlib.pyplot.close("all")


def test_a_job_is_a_mapping_and_verifies():
    job = {"problem": "power", "test": "fisher", "proportions": [0.7, 0.4], "n": 25, "seed": 7}
    result = windfall.run(job)
    assert result == windfall.power("fisher", 25, proportions=[0.7, 0.4], rng=7)
    assert json.loads(result.to_json())["alpha"] == 0.05
    assert windfall.verify(result)


def test_what_makes_no_sense_is_named():
    with pytest.raises(windfall.UnknownNameError, match="did you mean `t-test`"):
        windfall.power("t-tset", 20, effect=0.5)
    with pytest.raises(windfall.InputError, match="`effect` is `missing`"):
        windfall.power("t-test", 20)
    with pytest.raises(windfall.InputError, match="`t-test` has no use for it"):
        windfall.power("t-test", 20, effect=0.5, icc=0.1)
    with pytest.raises(windfall.UnknownNameError, match="did you mean `ratio`"):
        windfall.power("t-test", 20, effect=0.5, ratoi=2)
    with pytest.raises(windfall.InputError, match="`power` is"):
        windfall.sample_size("t-test", 80, effect=0.5)
