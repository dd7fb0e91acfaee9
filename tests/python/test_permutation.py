"""What the Python face adds to permutation tests: SciPy's samples, functions, names of results."""

import json

import numba
import numpy as np
import pytest
from scipy import stats

import windfall

A = np.array([19.0, 22, 16, 29, 24])
B = np.array([20.0, 11, 17, 12])
X = np.arange(1.0, 8)
Y = np.array([10, 9, 2.5, 6, 4, 3, 2])


def mean_difference(x, y, axis):
    return np.mean(x, axis=axis) - np.mean(y, axis=axis)


def scalar_difference(x, y):
    return x.mean() - y.mean()


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize("kind", ["independent", "samples"])
@pytest.mark.parametrize("statistic", [mean_difference, scalar_difference])
def test_functions_are_tested_as_by_scipy(alternative, kind, statistic):
    samples = (A, B) if kind == "independent" else (A[:4], B)
    options = dict(permutation_type=kind, alternative=alternative)
    theirs = stats.permutation_test(samples, mean_difference, **options)
    ours = windfall.permutation_test(samples, statistic, progress=False, **options)
    assert ours.method == "exact"
    assert ours.pvalue == pytest.approx(theirs.pvalue, abs=1e-15)
    assert ours.statistic == theirs.statistic
    assert np.sort(ours.null_distribution) == pytest.approx(np.sort(theirs.null_distribution))


def test_pairings_are_as_in_scipy():
    def r(x, axis):
        return stats.pearsonr(x, np.broadcast_to(Y, x.shape), axis=axis).statistic

    options = dict(permutation_type="pairings", n_resamples=6000)
    theirs = stats.permutation_test((X,), r, **options)
    for samples, statistic in [((X,), r), ((X, Y), "pearson(x0, x1)")]:
        ours = windfall.permutation_test(samples, statistic, progress=False, **options)
        assert ours.pvalue == pytest.approx(theirs.pvalue, abs=1e-15)
        assert ours.extra["arrangements"] == 5040


THREE = (
    np.array([2.1, 4.0, 3.3, 7.2]),
    np.array([1.9, 2.2, 6.1, 5.0]),
    np.array([0.4, 3.1, 2.8, 4.4]),
)


def agreement(x, y, z, axis):
    # Kendall and Babington Smith: how much the samples agree, by the variance of their sums.
    return np.var(x + y + z, axis=axis)


def scalar_agreement(x, y, z):
    return np.var(x + y + z)


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize(
    "statistic", [agreement, scalar_agreement, "var(x0 + x1 + x2)", "mean(x0*x1*x2)"]
)
def test_pairings_of_three_samples_are_as_in_scipy(alternative, statistic):
    theirs_statistic = agreement
    if statistic == "mean(x0*x1*x2)":
        theirs_statistic = lambda x, y, z, axis: np.mean(x * y * z, axis=axis)  # noqa: E731
    options = dict(permutation_type="pairings", alternative=alternative, n_resamples=20_000)
    # SciPy permutes the last sample too, in 24³ ways: the same p-value.
    theirs = stats.permutation_test(THREE, theirs_statistic, **options)
    ours = windfall.permutation_test(THREE, statistic, progress=False, **options)
    assert (ours.method, ours.extra["arrangements"]) == ("exact", 24**2)
    assert ours.pvalue == pytest.approx(theirs.pvalue, abs=1e-15)


def test_random_pairings_of_three_samples_agree_with_all_of_them():
    def call(n, **options):
        return windfall.permutation_test(
            THREE, "var(x0 + x1 + x2)", permutation_type="pairings", n_resamples=n, **options
        )

    exact, drawn = call(576, alternative="greater"), call(575, alternative="greater", rng=5)
    assert drawn.method != "exact"
    many = windfall.permutation_test(
        tuple(np.concatenate([x, x + 0.3]) for x in THREE),
        agreement,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=4000,
        rng=5,
    )
    theirs = stats.permutation_test(
        tuple(np.concatenate([x, x + 0.3]) for x in THREE),
        agreement,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=4000,
        random_state=5,
    )
    # Five standard errors: a false alarm in 1.7 million.
    assert abs(drawn.pvalue - exact.pvalue) < 5 * drawn.mcse
    assert abs(many.pvalue - theirs.pvalue) < 5 * np.hypot(many.mcse, many.mcse)
    assert windfall.verify(drawn)


def test_columns_of_a_table_are_permuted_each_by_itself_within_strata():
    table = {"s": list("aabb"), **dict(zip("xyz", THREE))}
    result = windfall.permutation_test(
        table, "mean(x*y*z)", permute=["x", "y"], separately=True, strata="s", progress=False
    )
    orders = [(0, 1, 2, 3), (1, 0, 2, 3), (0, 1, 3, 2), (1, 0, 3, 2)]
    x, y, z = THREE
    values = [np.mean(x[list(a)] * y[list(b)] * z) for a in orders for b in orders]
    assert result.extra["arrangements"] == 16
    assert np.sort(result.null_distribution) == pytest.approx(np.sort(values))
    together = windfall.permutation_test(table, "mean(x*y*z)", permute=["x", "y"], progress=False)
    assert together.extra["arrangements"] == 24


def test_one_sample_flips_its_signs():
    d = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]  # Darwin; Fisher (1935)
    for data in (d, (d,)):
        options = dict(permutation_type="samples", n_resamples=np.inf, progress=False)
        result = windfall.permutation_test(data, "mean(x)", **options)
        assert result.pvalue == 2 * 863 / 32768


def test_a_compiled_callback_is_called_without_the_interpreter():
    @numba.cfunc("double(int32, CPointer(double))")
    def difference(n, x):
        # Nine values: the first sample's five, then the second's four.
        first = (x[0] + x[1] + x[2] + x[3] + x[4]) / 5
        return first - (x[5] + x[6] + x[7] + x[8]) / 4

    ours = windfall.permutation_test((A, B), difference, progress=False)
    theirs = windfall.permutation_test((A, B), "mean_difference(x)", progress=False)
    assert ours.pvalue == theirs.pvalue


def test_the_door_does_not_change_the_numbers():
    table = {"g": ["a"] * 40 + ["b"] * 60, "x": np.sin(np.arange(100.0))}
    result = windfall.permutation_test(
        table, ["welch_t(x)", "median_difference(x)"], groups="g", rng=7, workers=2, progress=False
    )
    job = {"problem": "permutation", "statistic": ["welch_t(x)", "median_difference(x)"]}
    job |= {"groups": "g", "distribution": True, "seed": 7}
    same = windfall._core.Problem(json.dumps(job), windfall._data.table_from(table), None)
    assert same.solve(1, None)[0] == json.loads(result.to_json())
    assert windfall.verify(result)
    assert result.pvalue.shape == result.statistic.shape == (2,)
    assert result.null_distribution.shape == (2, 9999)
    assert len(result.to_frame()) == 2
    none = windfall.permutation_test(
        table, "welch_t(x)", groups="g", distribution=False, progress=False
    )
    assert none.null_distribution is None and none.mcse > 0


def test_the_plot_shows_the_statistic_of_the_data():
    pytest.importorskip("matplotlib").use("agg")
    result = windfall.permutation_test((A, B), "mean_difference(x)", progress=False)
    lines = result.plot().get_lines()
    assert [line.get_xdata()[0] for line in lines] == [result.statistic]


def test_bad_arguments_are_named():
    def call(*arguments, **options):
        return windfall.permutation_test(*arguments, progress=False, **options)

    with pytest.raises(ValueError, match="permutation_type"):
        call({"x": X, "y": Y}, "pearson(x, y)", permutation_type="pairings")
    with pytest.raises(ValueError, match="`pairs`"):
        call((X, Y), "pearson(x0, x1)", permutation_type="pairs")
    with pytest.raises(ValueError, match="groups"):
        call((X, Y), "t(x)", groups="g")
    with pytest.raises(ValueError, match="two or more"):
        call((X,), "mean(x)")
    with pytest.raises(windfall.InputError, match="here there are formulas"):
        call((X, Y, X), "pearson(x0, x1)", permutation_type="pairings")
    for still in ["mean(x0)", "sd(x2) + correlation(x0, x1)", "median(abs(x1))"]:
        with pytest.raises(windfall.InputError, match="one that permutations change"):
            call((X, Y, X), still, permutation_type="pairings")
    with pytest.raises(windfall.InputError, match="`separately`"):
        call({"x": X, "g": list("aabbabb")}, "t(x)", groups="g", separately=True)
    with pytest.raises(windfall.InputError, match="alternative"):
        call((X, Y), "t(x)", alternative="both")
    with pytest.raises(windfall.TaskError, match="no good"):
        call((X, Y), lambda x, y: (_ for _ in ()).throw(ValueError("no good")))
    with pytest.raises(AttributeError, match="no p-value"):
        _ = windfall.pi(1000).pvalue
