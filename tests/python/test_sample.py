"""What Python adds to chains: arrays, ArviZ, frames, files, pictures, progress, Ctrl-C."""

import signal

import numpy as np
import pytest

import windfall

SD = [1.0, 10.0]


@pytest.fixture(scope="module")
def result():
    return windfall.sample("gaussian", sd=SD, chains=3, draws=400, rng=1)


def test_draws_have_a_row_a_chain(result):
    assert result.draws.shape == (3, 400, 2)
    assert result.n == result.extra["chains"] * result.extra["draws_per_chain"] == 1200
    np.testing.assert_allclose(result.draws.mean(axis=(0, 1)), result.estimate, rtol=1e-12)
    np.testing.assert_array_equal(result["x[1]"], result.draws[:, :, 1])
    assert result.chain_stats["energy"].shape == (3, 400)
    density = -0.5 * ((result.draws / SD) ** 2).sum(axis=-1)
    np.testing.assert_allclose(result.chain_stats["log_density"], density, rtol=1e-9)
    with pytest.raises(KeyError, match="x\\[0\\], x\\[1\\]"):
        result["mu"]


def test_a_result_shows_itself(result):
    for text in (repr(result), result._repr_html_()):
        assert "1,200 draws" in text and "x[1]" in text


def test_each_chain_starts_where_it_is_told():
    points = [[0.0, 5.0], [1.0, -30.0], [-2.0, 0.0]]
    few = {"sampler": "metropolis", "warmup": 0, "draws": 4, "chains": 3, "rng": 1}

    def drawn(init):
        with pytest.warns(windfall.ConvergenceWarning):
            return windfall.sample("gaussian", sd=SD, init=init, **few).draws

    each = drawn(points)
    for chain, point in enumerate(points):
        assert np.array_equal(each[chain], drawn(point)[chain])
    code = {"parameters": ["a", "b"], "init": points}

    def density(x):
        return -0.5 * float(x @ (x / [1, 100]))

    with pytest.warns(windfall.ConvergenceWarning):
        own = windfall.sample(density, **code, **few).draws
    np.testing.assert_allclose(own, each, rtol=1e-9)
    with pytest.raises(ValueError, match="`2 points`; it must be one point, or 3, one a chain"):
        windfall.sample("gaussian", sd=SD, init=points[:2], **few)
    with pytest.raises(ValueError, match="1 numbers"):
        windfall.sample("gaussian", sd=SD, init=[[1], [2], [3]], **few)


def test_the_summary_is_that_of_arviz(result):
    arviz = pytest.importorskip("arviz")
    data = result.to_arviz()
    assert data.posterior["x"].shape == (3, 400, 2)
    assert not data.sample_stats["diverging"].any()
    frame = result.to_frame()
    for ours, theirs in [("r_hat", arviz.rhat(data)), ("ess_tail", arviz.ess(data, method="tail"))]:
        np.testing.assert_allclose(frame[ours], np.asarray(theirs["x"]), rtol=1e-7)
    bulk = arviz.ess(data, method="bulk")
    np.testing.assert_allclose(result.table["ess_bulk"], np.asarray(bulk["x"]), rtol=1e-7)
    errors = arviz.mcse(data, method="mean")
    np.testing.assert_allclose(result.mcse, np.asarray(errors["x"]), rtol=1e-7)
    bfmi = arviz.bfmi(data)
    np.testing.assert_allclose(result.extra["e_bfmi"], bfmi, rtol=1e-7)


def test_arviz_of_version_1_gets_groups(result, monkeypatch):
    arviz = pytest.importorskip("arviz")
    monkeypatch.setattr(arviz, "__version__", "1.3.0")
    monkeypatch.setattr(arviz, "from_dict", lambda groups, **labels: groups)
    groups = result.to_arviz()
    assert set(groups) == {"posterior", "sample_stats"}
    assert groups["posterior"]["x"].shape == (3, 400, 2)
    assert groups["sample_stats"]["diverging"].dtype == bool


def test_labels_are_coordinates_for_arviz():
    pytest.importorskip("arviz")
    schools = windfall.sample("eight-schools", target_acceptance=0.95, draws=600, rng=1)
    theta = schools.to_arviz().posterior["theta"]
    assert theta.dims == ("chain", "draw", "theta_dim_0")
    assert list(theta["theta_dim_0"].values) == list("ABCDEFGH")
    np.testing.assert_array_equal(theta.sel(theta_dim_0="C"), schools["theta[C]"])


def test_draws_go_into_frames_and_files(result, tmp_path):
    frame = result.to_pandas()
    assert list(frame.columns[:2]) == ["chain", "draw"] and len(frame) == 1200
    np.testing.assert_array_equal(frame["x[1]"].to_numpy().reshape(3, 400), result["x[1]"])
    result.save(tmp_path / "draws.parquet")
    again = windfall._core.Table.from_file(str(tmp_path / "draws.parquet"))
    assert again.rows() == 1200 and again.names() == list(frame.columns)
    pyarrow = pytest.importorskip("pyarrow")
    assert isinstance(result.to_arrow(), pyarrow.Table)
    with pytest.raises(windfall.InputError, match="draws.xlsx"):
        result.save(tmp_path / "draws.xlsx")


def test_walkers_count_as_chains():
    few = dict(walkers=6, chains=2, draws=20)
    with pytest.warns(windfall.ConvergenceWarning):
        found = windfall.sample("gaussian", dimensions=1, sampler="ensemble", **few, rng=1)
    assert found.draws.shape == (12, 20, 1)
    assert "accepted" in found.chain_stats
    assert found.to_arviz().posterior.sizes["chain"] == 12


def bell(x):
    """Return the log density of N(1, 2) and Exp(1), and its gradient."""
    a, b = x
    return -0.5 * ((a - 1) / 2) ** 2 - b, np.array([-(a - 1) / 4, -1.0])


def test_functions_and_formulas_are_the_same_model():
    where = {"a": "real", "b": "positive"}
    text = "-0.5*((a - 1)/2)^2 - b"
    formula = windfall.sample(text, parameters=where, derived={"c": "a + b"}, rng=2)
    code = windfall.sample(bell, parameters=where, rng=2)
    np.testing.assert_allclose(code.draws[0, :20], formula.draws[0, :20, :2], rtol=1e-6)
    for place, (mean, sd) in enumerate([(1, 2), (1, 1), (2, 5**0.5)]):
        assert abs(formula.estimate[place] - mean) < 4 * formula.mcse[place]
        assert abs(formula.standard_error[place] - sd) < 0.1 * sd
    np.testing.assert_allclose(formula["c"], formula["a"] + formula["b"])


def test_a_function_without_gradient_serves_samplers_without():
    found = windfall.sample(
        lambda x: bell(x)[0],
        parameters={"a": "real", "b": "positive"},
        sampler="metropolis",
        draws=500,
        thin=5,
        rng=2,
    )
    assert np.all(np.abs(found.estimate - 1) < 5 * found.mcse)
    with pytest.raises(windfall.InputError, match="needs no gradient"):
        windfall.sample(lambda x: bell(x)[0], parameters={"a": "real", "b": "positive"}, rng=2)


def test_compiled_code_is_a_model():
    numba = pytest.importorskip("numba")
    pointer = numba.types.CPointer(numba.types.double)

    @numba.cfunc(numba.types.double(numba.types.intc, pointer, pointer))
    def normal(n, x, gradient):
        gradient[0] = -x[0]
        return -0.5 * x[0] * x[0]

    found = windfall.sample(normal, parameters=["x"], rng=1)
    assert abs(found.estimate) < 5 * found.mcse
    assert found.estimate == windfall.sample("-0.5*x^2", parameters=["x"], rng=1).estimate


def test_a_picture_shows_density_trace_and_ranks(result):
    pytest.importorskip("matplotlib").use("Agg")
    axes = result.plot()
    assert axes.shape == (2, 3)
    assert len(axes[0, 1].lines) == 3
    assert result.plot(quantity=1).shape == (1, 3)


def test_an_interrupt_returns_the_draws_so_far_and_chains_are_shown():
    seen = []

    def watch(*facts, under_way):
        seen.append(under_way)
        if len(seen) == 5:  # while Python code runs on behalf of the run
            signal.raise_signal(signal.SIGINT)

    with pytest.warns(windfall.IncompleteWarning):
        found = windfall.sample(
            "gaussian", dimensions=2, chains=2, draws=10**7, rng=1, workers=2, progress=watch
        )
    assert not found.complete
    chains, draws, _ = found.draws.shape
    assert chains in (1, 2) and 0 < draws < 10**7
    assert any("interrupted" in note for note in found.notes)
    task, steps, most, text = seen[-1][0]
    assert task == 0 and 0 < steps < most == 10**7 + 1000 and isinstance(text, str)


def test_chains_that_disagree_warn():
    with pytest.warns(windfall.ConvergenceWarning, match="few effective draws"):
        found = windfall.sample("gaussian", dimensions=2, draws=20, rng=1)
    assert any("few effective draws" in note for note in found.notes)


def test_bad_input_is_named():
    with pytest.raises(windfall.UnknownNameError, match="did you mean `gaussian`"):
        windfall.sample("gausian")
    with pytest.raises(windfall.InputError, match="`chains` is `0`"):
        windfall.sample("gaussian", dimensions=1, chains=0)
    with pytest.raises(windfall.UnknownNameError, match="`dimension`; did you mean `dimensions`"):
        windfall.sample("gaussian", dimension=1)
    with pytest.raises(TypeError, match="is no model"):
        windfall.sample(3)
    with pytest.raises(TypeError, match="a log density"):
        windfall.sample(3, parameters=["x"])


def test_a_result_is_verified_on_every_mapping():
    found = windfall.sample("gaussian", dimensions=3, draws=300, warmup=100, rng=3)
    assert windfall.verify(found)
