"""Power and sample size from Python: arguments, results, pictures; the shell's numbers."""

import json

import numpy as np
import pytest

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
