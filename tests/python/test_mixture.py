"""Mixtures from Python: scikit-learn's names and shapes, prediction, the shell's numbers."""

import csv
import json
import math
import subprocess

import numpy as np
import pytest
from test_docs import command_path

import windfall


@pytest.fixture
def irises(examples):
    with open(examples / "iris.csv") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([[float(value) for value in row[:4]] for row in rows])


SHAPES = ["full", "tied", "diag", "spherical"]


@pytest.mark.parametrize("shape", SHAPES)
def test_it_predicts_what_scikit_learn_predicts(irises, shape):
    mixture = pytest.importorskip("sklearn.mixture", reason="scikit-learn is not installed")
    ours = windfall.mixture(irises, 3, covariance_type=shape, rng=1)
    theirs = mixture.GaussianMixture(3, covariance_type=shape)
    theirs.weights_, theirs.means_ = ours.weights, ours.means
    theirs.covariances_ = ours.covariances
    inverse = np.linalg.inv if shape in ("full", "tied") else np.reciprocal
    precisions = inverse(ours.covariances)
    theirs.precisions_cholesky_ = (
        np.linalg.cholesky(precisions).copy() if shape in ("full", "tied") else np.sqrt(precisions)
    )
    new = irises[::7] + 0.05
    assert ours.score(new) == pytest.approx(theirs.score(new), rel=1e-10)
    assert ours.predict_proba(new) == pytest.approx(theirs.predict_proba(new), abs=1e-9)
    assert ours.predict(new).tolist() == theirs.predict(new).tolist()
    assert ours.bic == pytest.approx(theirs.bic(irises), rel=1e-10)
    assert ours.aic == pytest.approx(theirs.aic(irises), rel=1e-10)
    # One more step of theirs moves nothing: it is a maximum.
    assert ours.log_likelihood == pytest.approx(theirs.score(irises) * len(irises), rel=1e-10)


def test_its_maximum_is_no_lower(irises):
    mixture = pytest.importorskip("sklearn.mixture", reason="scikit-learn is not installed")
    for shape in SHAPES:
        ours = windfall.mixture(irises, 3, covariance_type=shape, rng=1)
        theirs = mixture.GaussianMixture(
            3, covariance_type=shape, n_init=10, tol=1e-9, max_iter=1000, random_state=1
        ).fit(irises)
        assert ours.score() >= theirs.score(irises) - 1e-6, shape
        assert ours.converged


def test_a_start_in_scikit_learns_shapes(irises):
    means = irises[[0, 60, 120]]
    one = dict(means_init=means, max_iter=0)
    base = windfall.mixture(irises, 3, **one, precisions_init=np.array([np.eye(4) / 4] * 3))
    same = windfall.mixture(irises, 3, **one, covariances_init=np.array([np.eye(4) * 4] * 3))
    assert base.log_likelihood == same.log_likelihood
    tied = windfall.mixture(irises, 3, **one, covariance_type="tied", precisions_init=np.eye(4) / 4)
    diag = windfall.mixture(
        irises, **one, covariance_type="diag", precisions_init=np.full((3, 4), 0.25)
    )
    ball = windfall.mixture(
        irises, 3, **one, covariance_type="spherical", precisions_init=[0.25] * 3
    )
    for other in (tied, diag, ball):
        assert other.log_likelihood == pytest.approx(base.log_likelihood, rel=1e-13)
    with pytest.raises(ValueError, match="means_init"):
        windfall.mixture(irises, 3, weights_init=[1 / 3] * 3)


def test_responsibilities_are_kept_if_wished(irises):
    kept = windfall.mixture(irises, 3, responsibilities=True, rng=1, n_init=2)
    bare = windfall.mixture(irises, 3, rng=1, n_init=2)
    assert kept.index["component"].shape == (150,)
    assert bare.index is None
    assert np.array_equal(kept.predict(), bare.predict())
    assert np.array_equal(kept.predict_proba(), bare.predict_proba(irises))
    assert kept.score_samples().sum() == pytest.approx(kept.log_likelihood, rel=1e-13)
    assert kept.predict(irises[:1]).shape == (1,)
    with pytest.raises(ValueError, match="4 columns"):
        kept.predict(irises[:, :2])


def test_several_numbers_are_compared(irises):
    result = windfall.mixture(irises, [1, 2, 3], rng=1)
    assert result.n_components == 2
    assert list(result.table["components"]) == [1, 2, 3]
    # mclust (Scrucca et al. 2016): VVV with 2 components, of the opposite sign.
    assert result.bic == pytest.approx(574.0178, abs=1e-4)
    assert result.to_frame().shape == (3, 8)
    assert windfall.mixture(irises, [1, 2, 3], criterion="aic", rng=1).n_components == 3


def test_it_is_the_same_in_the_shell(examples, tmp_path):
    command = command_path()
    if command is None:
        pytest.skip("the windfall command is not built; run `cargo build --release`")
    out = tmp_path / "rows.csv"
    arguments = ["--components", "3", "--seed", "5", "--json", "--out", str(out)]
    done = subprocess.run(
        [command, "mixture", str(examples / "galaxies.csv"), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    shell = json.loads(done.stdout)
    result = windfall.mixture(examples / "galaxies.csv", 3, responsibilities=True, rng=5)
    shell.pop("run")
    assert shell == json.loads(result.to_json())
    with open(out) as file:
        header, *rows = list(csv.reader(file))
    assert header == ["velocity", "component", "log_density", "p0", "p1", "p2"]
    assert [float(row[2]) for row in rows] == result.index["log_density"].tolist()
    assert windfall.run({**shell_job(), "data": str(examples / "galaxies.csv")}).draws > 0


def shell_job():
    return {"problem": "mixture", "components": 3, "seed": 5}


def test_the_answer_is_the_same_on_any_number_of_workers():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0, 1, (20_000, 2)), rng.normal(3, 2, (10_000, 2))])
    one, two, seven = (
        windfall.mixture(x, 2, n_init=2, rng=3, max_iter=30, workers=w) for w in (1, 2, 7)
    )
    assert one == two == seven
    assert np.all(np.diff(one.trace) >= -1e-6)


def test_standard_errors_are_those_of_the_truth():
    # Components so far apart that each is a sample of its own: s / sqrt(n), sqrt(p q / n).
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(0, 1, 4000), rng.normal(40, 2, 1000)])
    result = windfall.mixture(x, 2, rng=1)
    errors = dict(zip(result.names, result.standard_error))
    assert errors["weight[0]"] == pytest.approx(math.sqrt(0.16 / 5000), rel=1e-5)
    assert errors["weight[1]"] == pytest.approx(errors["weight[0]"], rel=1e-9)
    assert errors["mean[1, x]"] == pytest.approx(x[4000:].std() / math.sqrt(1000), rel=1e-5)
    variance = x[:4000].var() * math.sqrt(2 / 4000)
    assert errors["variance[0, x]"] == pytest.approx(variance, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(), "components"),
        (dict(n_components=0), "`0`"),
        (dict(n_components=151), "151"),
        (dict(n_components=2, covariance_type="fool"), "fool"),
        (dict(n_components=2, tol=-1), "tolerance"),
        (dict(n_components=2, columns=["x9"]), "x9"),
        (dict(means_init=[[1, 2, 3]]), "rows of 4"),
    ],
)
def test_bad_input_is_named(irises, arguments, message):
    with pytest.raises(windfall.WindfallError, match=message):
        windfall.mixture(irises, **arguments)


def test_it_draws_itself(irises):
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    matplotlib.use("Agg")
    two = windfall.mixture(irises[:, 2:], 3, rng=1, n_init=2).plot()
    assert len(two.lines) == 3
    one = windfall.mixture(irises[:, 2], 2, rng=1, n_init=2).plot()
    assert len(one.lines) == 3
    with pytest.raises(ValueError, match="4"):
        windfall.mixture(irises, 2, rng=1, n_init=1).plot()


def test_gibbs_draws_agree_with_the_fit(examples):
    data = examples / "galaxies.csv"
    fit = windfall.mixture(data, 3, rng=1)
    drawn = windfall.mixture(data, 3, method="gibbs", rng=1, draws=1500)
    assert drawn.distribution.shape == (9, 6000)
    assert drawn.index["chain"].tolist() == sorted(drawn.index["chain"].tolist())
    assert drawn.method == "gibbs" and drawn.table["r_hat"].max() < 1.05
    # The same order of size: a posterior mean is no maximum.
    assert drawn.means == pytest.approx(fit.means, abs=1.5)
    assert drawn.weights.sum() == pytest.approx(1, abs=1e-12)
    assert (drawn.predict() == fit.predict()).mean() > 0.95
    assert drawn.interval.low[3] < fit.means[0, 0] < drawn.interval.high[3]
    with pytest.raises(AttributeError, match="bic"):
        _ = drawn.bic


def test_a_run_cut_in_two_is_one_run(examples, tmp_path):
    data, gibbs = examples / "galaxies.csv", {"method": "gibbs", "rng": 4, "chains": 3}
    whole = windfall.mixture(data, 2, warmup=20, draws=30, **gibbs)
    first = windfall.mixture(data, 2, warmup=20, draws=12, **gibbs)
    last, sweep = first.extra["last"], first.extra["sweep"]
    rest = windfall.mixture(data, start=last, sweep=sweep, warmup=0, draws=18, **gibbs)
    joined = [part.distribution.reshape(-1, 3, part.draws // 3) for part in (first, rest)]
    assert np.array_equal(np.concatenate(joined, axis=2), whole.distribution.reshape(-1, 3, 30))
    elsewhere = windfall.mixture(data, start=last, warmup=0, draws=18, **gibbs)
    assert not np.array_equal(elsewhere.distribution, rest.distribution)
    for options, message in [
        ({"start": last[:2], "chains": 3}, "as many as there are starts"),
        ({"start": last, "means_init": [9, 21]}, "not both"),
        ({"start": last, "sweep": -1}, "sweep"),
        ({"start": [{"means": [9, 21], "mean": 1}], "chains": 1}, "start"),
    ]:
        with pytest.raises(ValueError, match=message):
            windfall.mixture(data, **{**gibbs, **options})

    command = command_path()
    if command is None:
        pytest.skip("the windfall command is not built; run `cargo build --release`")

    def shell(*arguments):
        fixed = ["--method", "gibbs", "--seed", "4", "--json"]
        out = tmp_path / "draws.csv"
        done = subprocess.run(
            [command, "mixture", str(data), *fixed, *arguments, "--out", str(out)],
            capture_output=True,
            text=True,
            check=True,
        )
        with open(out) as file:
            return json.loads(done.stdout), list(csv.DictReader(file))

    answer, early = shell("-c", "2", "--chains", "3", "--warmup", "20", "-n", "12")
    start = ["--start", json.dumps(answer["last"]), "--sweep", str(answer["sweep"])]
    _, late = shell(*start, "--warmup", "0", "-n", "18")
    for name, draws in zip(whole.names, whole.distribution):
        both = [[float(r[name]) for r in early + late if float(r["chain"]) == c] for c in range(3)]
        assert np.array_equal(np.concatenate(both), draws), name


@pytest.mark.parametrize("shape", SHAPES)
def test_new_rows_have_the_law_of_the_mixture(irises, shape):
    """45 sums lie within 5 standard errors each; a false alarm in some 10^4 runs of all shapes."""
    fit = windfall.mixture(irises, 3, covariance_type=shape, rng=1)
    rows, labels = fit.sample(20_000, rng=5)
    assert rows.shape == (20_000, 4) and labels.shape == (20_000,)
    for j, matrix in enumerate(fit._matrices()):
        own = rows[labels == j]
        n, p = len(own), fit.weights[j]
        assert abs(n - 20_000 * p) < 5 * np.sqrt(20_000 * p * (1 - p))
        z = (own - fit.means[j]) @ np.linalg.inv(np.linalg.cholesky(matrix)).T
        assert (np.abs(z.mean(axis=0)) < 5 / np.sqrt(n)).all()
        products = np.einsum("na,nb->ab", z, z) / n
        assert (np.abs(products - np.eye(4)) < 5 * np.sqrt((1 + np.eye(4)) / n)).all()
    again = fit.sample(20_000, rng=5)
    assert np.array_equal(again[0], rows) and np.array_equal(again[1], labels)
    assert not np.array_equal(fit.sample(20_000, rng=6)[0], rows)
    one, label = fit.sample(rng=np.random.default_rng(1))
    assert one.shape == (1, 4) and label.shape == (1,)


def test_a_prior_is_what_it_says():
    # One component: the posterior mean of the mean is (k0 m0 + n x) / (k0 + n).
    x = np.linspace(-1, 3, 9)
    prior = {"shrinkage": 3, "centre": [10], "degrees": 7, "scale": [[2.0]]}
    drawn = windfall.mixture(x, 1, method="gibbs", prior=prior, draws=4000, rng=3)
    assert abs(drawn.estimate[1] - (3 * 10 + 9 * 1) / 12) < 5 * drawn.mcse[1]
    scale = 2 + 9 * x.var() + 3 * 9 / 12 * (10 - 1) ** 2
    assert abs(drawn.estimate[2] - scale / (7 + 9 - 2)) < 5 * drawn.mcse[2]
    with pytest.raises(windfall.WindfallError, match="prior.centre"):
        windfall.mixture(x, 1, method="gibbs", prior={"centre": [1, 2]})
