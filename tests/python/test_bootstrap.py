"""The bootstrap from Python: SciPy's ways of calling, published answers, user functions."""

import numpy as np
import pytest

import windfall

# Ideal (exact) bootstrap of the law schools' correlation, all 77,558,760 resamples enumerated.
IDEAL_SE = 0.133559762
IDEAL_025, IDEAL_975 = 0.45956, 0.96185
BCA_LOW, BCA_HIGH = 0.33264, 0.94171
# Five Monte Carlo errors each: a false alarm in 1.7 million for a normal deviation.
SIGMAS = 5
FORMULA = "correlation(lsat, gpa)"


def correlation(lsat, gpa, axis=-1):
    x = lsat - lsat.mean(axis=axis, keepdims=True)
    y = gpa - gpa.mean(axis=axis, keepdims=True)
    return (x * y).mean(axis) / np.sqrt((x**2).mean(axis) * (y**2).mean(axis))


def test_the_law_schools(law):
    result = windfall.bootstrap(law, FORMULA, method="percentile", n_resamples=200_000, rng=1)
    assert result.estimate == pytest.approx(0.776374491289407, rel=1e-12)
    assert result.standard_error == pytest.approx(IDEAL_SE, abs=0.002)
    interval = result.interval
    assert abs(interval.low - IDEAL_025) < SIGMAS * interval.low_mcse
    assert abs(interval.high - IDEAL_975) < SIGMAS * interval.high_mcse
    assert result.distribution.shape == (200_000,)
    assert result.confidence_interval == (interval.low, interval.high)
    bca = windfall.bootstrap(law, FORMULA, method="BCa", n_resamples=200_000, rng=1).interval
    assert abs(bca.low - BCA_LOW) < SIGMAS * bca.low_mcse + 1e-3
    assert abs(bca.high - BCA_HIGH) < SIGMAS * bca.high_mcse + 1e-3


def test_a_python_function_agrees(law):
    fast = windfall.bootstrap(law, FORMULA, n_resamples=20_000, method="percentile", rng=1)
    code = windfall.bootstrap(law, correlation, n_resamples=20_000, method="percentile", rng=2)
    assert code.estimate == pytest.approx(fast.estimate, rel=1e-12)
    spread = np.hypot(fast.interval.low_mcse, code.interval.low_mcse)
    assert abs(fast.interval.low - code.interval.low) < SIGMAS * spread
    slow = windfall.bootstrap(
        law, lambda x, y: np.corrcoef(x, y)[0, 1], n_resamples=500, method="percentile", rng=2
    )
    assert slow.estimate == pytest.approx(fast.estimate, rel=1e-12)
    assert slow.notes


def test_samples_as_scipy_takes_them(law):
    scipy = pytest.importorskip("scipy.stats", reason="SciPy is not installed")
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=30), rng.normal(1, 2, size=20)
    ours = windfall.bootstrap(
        (a, b), "mean(x.0) - mean(x.1)", n_resamples=50_000, method="percentile", rng=1
    )
    theirs = scipy.bootstrap(
        (a, b),
        lambda x, y, axis: x.mean(axis) - y.mean(axis),
        n_resamples=50_000,
        method="percentile",
        rng=1,
    )
    both = np.sqrt(2) * SIGMAS
    assert abs(ours.interval.low - theirs.confidence_interval.low) < both * ours.interval.low_mcse
    assert ours.standard_error == pytest.approx(theirs.standard_error, rel=0.03)
    paired = windfall.bootstrap(
        (law["lsat"], law["gpa"]), "correlation(x0, x1)", paired=True, n_resamples=999, rng=1
    )
    assert paired.estimate == pytest.approx(0.776374491289407, rel=1e-12)
    one = windfall.bootstrap((a,), np.mean, n_resamples=999, method="percentile", rng=1)
    assert one.estimate == pytest.approx(a.mean(), rel=1e-12)


def test_several_statistics_share_their_resamples(law):
    both = windfall.bootstrap(law, ["mean(lsat)", "median(gpa)"], rng=1, method="percentile")
    assert both.names == ("mean(lsat)", "median(gpa)")
    assert both.estimate.shape == both.standard_error.shape == both.interval.low.shape == (2,)
    assert both.distribution.shape == (2, 9999)


def test_one_sided_intervals_are_open(law):
    less = windfall.bootstrap(law, FORMULA, alternative="less", rng=1, method="percentile")
    assert less.interval.low == -np.inf
    greater = windfall.bootstrap(law, FORMULA, alternative="greater", rng=1, method="percentile")
    assert greater.interval.high == np.inf


def test_a_tolerance_is_kept(law):
    result = windfall.bootstrap(
        law, "mean(gpa)", tolerance=0.001, n_resamples=10**7, method="percentile", rng=1
    )
    assert max(result.interval.low_mcse, result.interval.high_mcse) <= 0.001
    assert result.n_resamples < 10**6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(statistic="mean(lsta)"), "lsat"),
        (dict(statistic="mean(lsat) +* median(gap)"), "gpa"),
        (dict(statistic="mean(lsat)", n_resamples=0), "`0`"),
        (dict(statistic="mean(lsat)", method="bcaa"), "bca"),
        (dict(statistic="mean(lsat)", confidence_level=1.5), "1.5"),
        (dict(statistic="mean(lsat)", strata="school"), "school"),
    ],
)
def test_bad_input_is_named(law, options, message):
    with pytest.raises(windfall.InputError, match=message):
        windfall.bootstrap(law, **options)


def test_too_few_rows_are_refused():
    with pytest.raises(windfall.TooFewError):
        windfall.bootstrap({"x": [1.0]}, "mean(x)")
    with pytest.raises(windfall.InputError):
        windfall.bootstrap({"x": []}, "mean(x)")


def test_the_jackknife(law):
    result = windfall.jackknife(law, FORMULA)
    assert result.standard_error == pytest.approx(0.142518618602, rel=1e-10)
    assert result.bias == pytest.approx(-0.006473623046, rel=1e-8)
