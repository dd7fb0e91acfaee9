"""Many fits from Python: arrays and tables, NumPy's answers, matrices, reasons."""

import json

import numpy as np
import pytest

import windfall

# R's `lm(Sepal.Length ~ Petal.Length)` for each species of iris, to three places.
IRIS = {"setosa": (4.213, 0.542), "versicolor": (2.408, 0.828), "virginica": (1.060, 0.996)}


@pytest.fixture
def arrays():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(7, 40, 3))
    y = x @ np.array([1.0, -2.0, 0.5]) + rng.normal(size=(7, 40))
    return x, y


def test_the_species_of_iris(examples):
    fits = windfall.fit_many(examples / "iris.csv", "sepal_length ~ petal_length", by="species")
    assert fits.terms == ["(Intercept)", "petal_length"]
    assert fits.table["species"][::2] == list(IRIS)
    assert np.array_equal(fits.coefficients.round(3), list(IRIS.values()))
    assert fits.ok.all() and fits.draws == 3
    frame = fits.to_frame()
    assert list(frame.columns[:4]) == ["species", "term", "estimate", "standard_error"]
    assert frame.shape == (6, len(fits.table)) and (frame["status"] == "ok").all()
    assert "setosa" in fits._repr_html_()
    axes = fits.plot_term("petal_length")
    assert [label.get_text() for label in axes.get_yticklabels()] == list(IRIS)
    both = fits.plot()
    assert len(both) == 2 and all(axes.yaxis_inverted() for axes in both)
    assert both[1].get_xlabel().startswith("petal_length: estimate and 95 %")
    assert len(fits.plot(terms=["petal_length"])) == 1
    with pytest.raises(ValueError, match="`petal` is no term"):
        fits.plot(terms=["petal"])


def test_arrays_are_fitted_as_numpy_does(arrays):
    x, y = arrays
    fits = windfall.fit_many(x, y)
    expected = [np.linalg.lstsq(x[g], y[g], rcond=None)[0] for g in range(len(x))]
    assert fits.coefficients == pytest.approx(np.array(expected), rel=1e-11)
    with_one = windfall.fit_many(x, y, intercept=True, names=["a", "b", "c"])
    assert with_one.terms == ["(Intercept)", "a", "b", "c"]
    centred = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    expected = [np.linalg.lstsq(*pair, rcond=None)[0] for pair in zip(*centred)]
    assert with_one.coefficients[:, 1:] == pytest.approx(np.array(expected), rel=1e-11)
    weights = np.exp(x[..., 0])
    root = np.sqrt(weights)
    expected = [
        np.linalg.lstsq(root[g][:, None] * x[g], root[g] * y[g], rcond=None)[0]
        for g in range(len(x))
    ]
    weighted = windfall.fit_many(x, y, weights=weights)
    assert weighted.coefficients == pytest.approx(np.array(expected), rel=1e-11)


def test_shapes_are_understood(arrays):
    x, y = arrays
    whole = windfall.fit_many(x, y)
    one = windfall.fit_many(x[0], y[0])
    assert np.array_equal(one.coefficients[0], whole.coefficients[0])
    assert one.names == ("x0", "x1", "x2") and one.mcse.tolist() == [0, 0, 0]
    shared = windfall.fit_many(x[0], y)
    assert np.array_equal(shared.coefficients[0], whole.coefficients[0])
    again = windfall.fit_many(np.asfortranarray(x), y[::1].astype(np.float64))
    assert np.array_equal(again.coefficients, whole.coefficients)
    for bad in [(x, y[:, :5]), (x, y[0]), (x[..., None], y)]:
        with pytest.raises(ValueError, match=r"give \(groups, rows, terms\)"):
            windfall.fit_many(*bad)


def test_a_group_without_a_fit_is_a_row():
    data = {
        "g": ["a"] * 4 + ["b"] * 4,
        "x": [1.0, 2, 3, 4, 1, 2, 3, 4],
        "y": [0.0, 1, 0, 1, 0, 0, 1, 1],
    }
    fits = windfall.fit_many(data, "y ~ x", by="g", family="logistic")
    assert fits.ok.tolist() == [True, False]
    assert np.isnan(fits.coefficients[1]).all()
    assert fits.table["status"][3].startswith("separated")
    assert any("1 of 2 groups has no fit" in note for note in fits.notes)


def test_data_frames_of_any_kind(examples):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = pandas.read_csv(examples / "iris.csv")
    formula = "petal_width ~ petal_length*species + C(sepal_width > 3)"
    with pytest.raises(windfall.ExpressionError, match="a factor is one column"):
        windfall.fit_many(frame, formula)
    formula = "petal_width ~ petal_length*species"
    fits = windfall.fit_many(frame, formula, se="HC3")
    assert fits.terms[-1] == "petal_length:speciesvirginica"
    theirs = windfall.fit_many(polars.from_pandas(frame), formula, se="hc3")
    assert theirs.to_json() == fits.to_json()


def test_verify_finds_the_same_bytes(arrays):
    fits = windfall.fit_many(*arrays, se="hc2", intercept=True)
    assert windfall.verify(fits)
    assert fits == windfall.fit_many(*arrays, se="hc2", intercept=True, workers=3)
    assert json.loads(fits.to_json())["table"]["estimate"][:3] == list(fits.coefficients[0, :3])


def test_lags_are_those_of_newey_and_west(arrays):
    import statsmodels.api as sm

    x, y = arrays
    fits = windfall.fit_many(x, y, lags=3)
    for group, found in enumerate(fits.standard_errors):
        theirs = sm.OLS(y[group], x[group]).fit(cov_type="HAC", cov_kwds={"maxlags": 3})
        np.testing.assert_allclose(found, theirs.bse, rtol=1e-10)


def test_what_cannot_be_is_refused(arrays):
    x, y = arrays
    for options, message in [
        ({"by": "g"}, "`by` names columns"),
        ({"cluster": "c"}, "`cluster` is `c`"),
        ({"cluster": np.zeros(39)}, r"`cluster` has the shape \(39,\); of 7 groups of 40 rows"),
        ({"se": "cr1"}, "no cluster is given"),
        ({"cluster": np.arange(40) // 4, "se": "hc1"}, "clusters go with"),
        ({"weights": "w"}, "`weights` is `w`"),
        ({"names": ["a"]}, "1 names for 3 terms"),
        ({"weights": -np.ones_like(y)}, "`weights` is `-1 in row 0`"),
        ({"ridge": -1.0}, "`ridge` is `-1`"),
        ({"family": "gauss"}, "gauss"),
    ]:
        with pytest.raises(ValueError, match=message):
            windfall.fit_many(x, y, **options)
    table = {"x": [1.0], "y": [1.0]}
    for options in [{"intercept": True}, {"cluster": [1]}]:
        with pytest.raises(ValueError, match="go with arrays"):
            windfall.fit_many(table, "y ~ x", **options)


@pytest.mark.parametrize("kind", [np.int64, np.float64, str, object])
def test_clusters_of_arrays_are_those_of_a_table(arrays, kind):
    x, y = arrays
    clusters = np.random.default_rng(2).integers(0, 9, size=y.shape)
    names = (clusters + 2**53).astype(kind) if kind is np.int64 else clusters.astype(kind)
    table = {"g": np.repeat(range(7), 40), "y": y.ravel(), "c": clusters.ravel()}
    table |= {f"x{place}": x[..., place].ravel() for place in range(3)}
    for se in [None, "cr0", "cr1"]:
        told = windfall.fit_many(x, y, cluster=names, se=se)
        theirs = windfall.fit_many(table, "y ~ x0 + x1 + x2 - 1", by="g", cluster="c", se=se)
        np.testing.assert_allclose(told.standard_errors, theirs.standard_errors, rtol=1e-12)
        assert told.extra["se"] == (se or "cr1s") == theirs.extra["se"]
    shared = windfall.fit_many(x, y, cluster=names[0])
    own = windfall.fit_many(x[0], y[0], cluster=names[0])
    assert np.array_equal(shared.standard_errors[0], own.standard_errors[0])
    assert windfall.verify(shared)


def test_clusters_of_arrays_give_the_errors_of_statsmodels(arrays):
    import statsmodels.api as sm

    x, y = arrays
    clusters = np.arange(40) // 4
    fits = windfall.fit_many(x, y, cluster=clusters)
    for group, found in enumerate(fits.standard_errors):
        kwds = {"groups": clusters}
        theirs = sm.OLS(y[group], x[group]).fit(cov_type="cluster", cov_kwds=kwds)
        np.testing.assert_allclose(found, theirs.bse, rtol=1e-10)


def test_a_group_of_one_cluster_has_no_errors(arrays):
    x, y = arrays
    clusters = np.tile(np.arange(40) // 4, (7, 1))
    clusters[2] = 5
    for se in ["cr0", "cr1", "cr1s"]:
        fits = windfall.fit_many(x, y, cluster=clusters, se=se)
        assert fits.table["status"][6] == "too few clusters"
        assert fits.ok.tolist() == [group != 2 for group in range(7)]
