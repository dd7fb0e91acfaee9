"""Simulation studies from Python: functions over streams, failures, replay, extension."""

import numpy as np
import pytest

import windfall
from windfall import _core

# Five Monte Carlo errors: a false alarm in 1.7 million for a normal deviation.
SIGMAS = 5


def skewed(rng, n):
    return rng.exponential(size=n)


def mean(x):
    return x.mean(), x.std(ddof=1) / len(x) ** 0.5


def study(n_replicates=200, **options):
    given = dict(conditions={"n": [5, 20]}, truth=1, n_replicates=n_replicates, rng=4)
    return windfall.simulate(skewed, {"mean": mean, "median": np.median}, **given | options)


def by(result, measure, method, **condition):
    for row in result.measure(measure):
        if row["method"] == method and all(row[k] == v for k, v in condition.items()):
            return row["estimate"], row["mcse"]
    raise AssertionError(f"no {measure} of {method}")


def test_performance_of_the_mean_of_exponential_data():
    result = study(2000)
    for n in (5, 20):
        for measure, expected in [("bias", 0), ("empirical_se", n**-0.5), ("mse", 1 / n)]:
            found, mcse = by(result, measure, "mean", n=n)
            assert abs(found - expected) < SIGMAS * mcse
    bias, mcse = by(result, "bias", "median", n=5)
    # The median of five exponential numbers: 1/3 + 1/4 + 1/5.
    assert abs(bias - (47 / 60 - 1)) < SIGMAS * mcse
    frame = result.to_frame()
    assert list(frame.columns) == ["n", "method", "measure", "estimate", "mcse", "replicates"]
    assert result.draws == 4000 and "runs on one core in effect" in " ".join(result.notes)


def test_the_generator_draws_from_the_stream_of_the_task():
    words = {}

    def keep(rng, n):
        words.setdefault(n, []).append(rng.bit_generator.random_raw(3))
        rng.random(3, dtype=np.float32), rng.integers(10), rng.normal(), rng.permutation(5)
        return 0.0

    windfall.simulate(keep, {"x": float}, conditions={"n": [7]}, n_replicates=5, rng=9, workers=1)
    for replicate, found in enumerate(words[7]):
        bits = _core.StreamBits("9", "simulate n=7", replicate)
        assert np.array_equal(found, bits.random_raw(3))
    generator = np.random.Generator(_core.StreamBits("1", "x", 0))
    again = _core.StreamBits("1", "x", 0)
    assert generator.random() == (again.random_raw() >> 11) * 2.0**-53
    word = again.random_raw()
    assert generator.integers(2**32, size=2, dtype=np.uint32).tolist() == [
        word & 0xFFFFFFFF,
        word >> 32,
    ]
    draws = generator.normal(size=100_000)
    assert abs(draws.mean()) < SIGMAS / 100_000**0.5
    assert abs(draws.var() - 1) < SIGMAS * (2 / 100_000) ** 0.5
    children = [child.random() for child in generator.spawn(3)]
    assert len(set(children)) == 3


def test_more_replicates_extend_a_run():
    whole = study(90)
    short = study(40)
    assert short.extend(90) == whole
    assert short.extend(60).extend(90) == whole
    assert short.extend(90).replicates["estimate"].tolist() == whole.replicates["estimate"].tolist()
    assert len(whole.replicates["estimate"]) == 2 * 2 * 90
    assert study(40, workers=2) == short and study(40, rng=5) != short


def test_more_conditions_change_none_that_were_there():
    few = study(30, conditions={"n": [20]}).measure("mean")
    many = study(30, conditions={"n": [3, 20, 5]}).measure("mean")
    assert [row for row in many if row["n"] == 20] == few


def test_a_failing_replicate_is_a_row_and_is_replayed():
    def fragile(rng, n):
        x = rng.normal(size=n)
        if x[0] > 1.5:
            raise RuntimeError(f"the first is {x[0]:.3f}")
        return x

    def root(x):
        if x[1] < -1:
            raise ValueError(f"no root of {x[1]:.3f}")
        return x[1]

    result = windfall.simulate(
        fragile, {"mean": np.mean, "root": root}, conditions={"n": [4, 6]}, n_replicates=100, rng=2
    )
    failures = result.failures
    assert len(failures["error"]) > 10
    rows = list(zip(*(failures[key] for key in ("n", "replicate", "method", "error", "seed"))))
    for n, replicate, method, error, seed in rows:
        kind = RuntimeError if method == "(all)" else ValueError
        assert error.startswith(kind.__name__) and seed == "2"
        with pytest.raises(kind, match=error.split(": ")[1]):
            result.replay({"n": n}, replicate)
        if method == "root":
            assert np.isfinite(
                result.replay({"n": n}, replicate, method="mean")["mean"]["estimate"]
            )
    failed, _ = by(result, "failures", "root", n=4)
    assert failed == sum(n == 4 for n, *_ in rows)
    assert result.extend(130).failures["error"][: len(rows)] is not None


def test_replay_gives_what_was_found():
    result = study(10)
    kept = result.replicates
    found = result.replay(1, 7)
    places = [
        i
        for i in range(len(kept["estimate"]))
        if kept["n"][i] == 20 and kept["replicate"][i] == 7 and kept["method"][i] == "mean"
    ]
    assert [kept["estimate"][i] for i in places] == [found["mean"]["estimate"]]
    formulas = windfall.simulate("x = t(4)", ["mean(x)", "m = median(x)"], rows=8, rng=3)
    row = formulas.replay(0, 12)
    assert list(row) == ["mean(x)", "m"]
    place = formulas.replicates["replicate"].tolist().index(12)
    assert formulas.replicates["estimate"][place] == row["mean(x)"]["estimate"]


def test_formulas_are_those_of_the_shell():
    result = windfall.simulate(
        ["x = normal(d, 2)"],
        {"mean": "mean(x)"},
        conditions={"n": [10], "d": [0, 1]},
        truth="d",
        n_replicates=300,
        rng=1,
    )
    job = {
        "problem": "simulate",
        "grid": ["n = 10", "d = 0, 1"],
        "generate": ["x = normal(d, 2)"],
        "method": ["mean = mean(x)"],
        "truth": "d",
        "replicates": 300,
        "seed": 1,
    }
    other = windfall.run(job)
    assert other.table["estimate"].tolist() == result.table["estimate"].tolist()
    assert result.extend(400) == windfall.simulate(
        ["x = normal(d, 2)"],
        {"mean": "mean(x)"},
        conditions=[{"n": 10, "d": 0}, {"n": 10, "d": 1}],
        truth="d",
        n_replicates=400,
        rng=1,
    )


def test_what_methods_may_return():
    stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed")

    def two(rng, shift, law):
        draw = getattr(rng, law)
        return draw(size=12) + shift, draw(size=12)

    def all_of_it(data, shift, rng):
        interval = windfall.bootstrap(
            (data[0],), "mean(x)", n_resamples=99, method="percentile", rng=rng, workers=1
        )
        return {"estimate": interval.estimate, "interval": interval.confidence_interval, "p": 0.5,
                "se": interval.standard_error, "truth": shift}  # fmt: skip

    result = windfall.simulate(
        two,
        {"t": lambda data: stats.ttest_ind(*data), "all": all_of_it},
        conditions={"shift": [0.0, 1.0], "law": ["normal", "standard_cauchy"]},
        truth={"t": None},
        n_replicates=60,
        rng=8,
    )
    assert not result.failures["error"]
    null, mcse = by(result, "rejection", "t", shift=0, law="normal")
    power, _ = by(result, "rejection", "t", shift=1, law="normal")
    assert null < 0.25 and power > null + mcse
    assert by(result, "coverage", "all", shift=1, law="normal")[0] > 0.7
    assert by(result, "rejection", "all", shift=1, law="normal")[0] == 0


def test_common_random_numbers_are_common():
    def shifted(rng, d):
        return d + rng.normal()

    result = windfall.simulate(
        shifted,
        {"x": float},
        conditions={"d": [0.0, 10.0]},
        common_random_numbers=True,
        n_replicates=20,
        rng=1,
    )
    low, high = (row["estimate"] for row in result.measure("mean"))
    assert high - low == pytest.approx(10, rel=1e-12)
    assert result.replay(1, 3)["x"]["estimate"] - 10 == pytest.approx(
        result.replay(0, 3)["x"]["estimate"]
    )


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        (dict(n_replicates=0), windfall.TooFewError, "replicates"),
        (dict(alpha=5), windfall.InputError, "alpha"),
        (dict(measures="covrage"), windfall.InputError, "coverage"),
        (dict(reference="meen"), windfall.InputError, "mean"),
        (dict(conditions={"m": [3]}), TypeError, "generator and the factors"),
        (dict(conditions={"n": 3}), TypeError, "levels of `n`"),
        (dict(conditions={"n": [3, 3]}), windfall.InputError, "n=3"),
        (dict(conditions=[{"n": 3}, {"d": 3}]), ValueError, "factors"),
        (dict(truth="d"), ValueError, "`d`"),
        (dict(truth={"mode": 1}), ValueError, "mode"),
        (dict(rows=5), ValueError, "rows"),
    ],
)
def test_bad_input_is_named(options, kind, message):
    with pytest.raises(kind, match=message):
        study(**options)


def test_too_many_numbers_fail_with_a_message():
    result = windfall.simulate(
        lambda rng: None,
        {"six": lambda _: [1] * 6, "odd": lambda _: {"estimat": 1}},
        n_replicates=2,
    )
    assert "returned 6 numbers" in result.failures["error"][0]
    assert "`estimat`" in result.failures["error"][1]
