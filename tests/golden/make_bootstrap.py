"""Write `scipy_bootstrap.tsv` beside this file: SciPy's bootstrap intervals with their own errors.

Each line is a mean over RUNS runs of `scipy.stats.bootstrap`, with the standard deviation over the
runs over the root of their number. Run `python3 tests/golden/make_bootstrap.py` (needs scipy);
seeds are fixed, so the same versions write the same bytes. Takes two minutes.
"""

from pathlib import Path

import numpy as np
import scipy
from scipy import stats

RUNS, RESAMPLES, FIRST_SEED = 25, 20_000, 1000

# Speed and stopping distance of 50 cars: Ezekiel (1930), R's data set `cars`.
SPEED = """4 4 7 7 8 9 10 10 10 11 11 12 12 12 12 13 13 13 13 14 14 14 14 15 15 15 16 16 17 17 17
18 18 18 18 19 19 19 20 20 20 20 20 22 23 24 24 24 24 25"""
DIST = """2 10 4 22 16 10 18 26 34 17 28 14 20 24 28 26 34 34 46 26 36 60 80 20 26 54 32 40 32 40
50 42 56 76 84 36 46 68 32 48 52 56 64 66 54 70 92 93 120 85"""
speed, dist = (np.array(text.split(), float) for text in (SPEED, DIST))
# Survival of mice: Efron and Tibshirani (1993), table 2.1.
treated = np.array([94, 197, 16, 38, 99, 141, 23.0])
control = np.array([52, 104, 146, 10, 51, 30, 40, 27, 46.0])


def centred(x, axis):
    return x - x.mean(axis=axis, keepdims=True)


def correlation(x, y, axis):
    x, y = centred(x, axis), centred(y, axis)
    return (x * y).sum(axis) / np.sqrt((x * x).sum(axis) * (y * y).sum(axis))


def covariance(x, y, axis):
    return (centred(x, axis) * centred(y, axis)).sum(axis) / (x.shape[axis] - 1)


def slope(y, x, axis):
    x = centred(x, axis)
    return (x * y).sum(axis) / (x * x).sum(axis)


def spearman(x, y, axis):
    return correlation(stats.rankdata(x, axis=axis), stats.rankdata(y, axis=axis), axis)


ONE, PAIRED = {}, {"paired": True}
TABLE = [
    ("cars", "mean(dist)", (dist,), lambda x, axis: x.mean(axis), ONE),
    ("cars", "var(dist)", (dist,), lambda x, axis: x.var(axis, ddof=1), ONE),
    ("cars", "sd(dist)", (dist,), lambda x, axis: x.std(axis, ddof=1), ONE),
    (
        "cars",
        "sd(dist)/mean(dist)",
        (dist,),
        lambda x, axis: x.std(axis, ddof=1) / x.mean(axis),
        ONE,
    ),
    ("cars", "median(dist)", (dist,), lambda x, axis: np.median(x, axis), ONE),
    ("cars", "quantile(dist, 0.3)", (dist,), lambda x, axis: np.quantile(x, 0.3, axis=axis), ONE),
    (
        "cars",
        "trimmed_mean(dist, 0.1)",
        (dist,),
        lambda x, axis: stats.trim_mean(x, 0.1, axis=axis),
        ONE,
    ),
    (
        "cars",
        "mad(dist)",
        (dist,),
        lambda x, axis: stats.median_abs_deviation(x, axis=axis),
        ONE,
    ),
    ("cars", "correlation(speed, dist)", (speed, dist), correlation, PAIRED),
    ("cars", "covariance(speed, dist)", (speed, dist), covariance, PAIRED),
    ("cars", "spearman(speed, dist)", (speed, dist), spearman, PAIRED),
    ("cars", "slope(dist, speed)", (dist, speed), slope, PAIRED),
    (
        "cars",
        "ratio(dist, speed)",
        (dist, speed),
        lambda y, x, axis: y.mean(axis) / x.mean(axis),
        PAIRED,
    ),
    (
        "cars",
        "difference(dist, speed)",
        (dist, speed),
        lambda y, x, axis: y.mean(axis) - x.mean(axis),
        PAIRED,
    ),
    (
        "mouse",
        "difference(survival.treatment, survival.control)",
        (treated, control),
        lambda x, y, axis: x.mean(axis) - y.mean(axis),
        ONE,
    ),
    (
        "mouse",
        "median(survival.treatment) - median(survival.control)",
        (treated, control),
        lambda x, y, axis: np.median(x, axis) - np.median(y, axis),
        ONE,
    ),
]


def run(data, statistic, method, options, seed):
    result = stats.bootstrap(
        data,
        statistic,
        n_resamples=RESAMPLES,
        batch=2000,
        method=method,
        rng=np.random.default_rng(seed),
        vectorized=True,
        **options,
    )
    return (*result.confidence_interval, result.standard_error)


def main():
    versions = f"scipy.stats.bootstrap {scipy.__version__}, numpy {np.__version__}"
    seeds = f"{FIRST_SEED}..{FIRST_SEED + RUNS - 1}"
    with (Path(__file__).parent / "scipy_bootstrap.tsv").open("w") as out:
        print(f"# {versions}: means over {RUNS} runs of {RESAMPLES} resamples,", file=out)
        print(f"# seeds {seeds}, level 0.95; sd: that of one run over the root of RUNS.", file=out)
        names = "low\tlow_sd\thigh\thigh_sd\tstandard_error\tstandard_error_sd"
        print(f"# data\tstatistic\tmethod\t{names}", file=out)
        for name, text, data, statistic, options in TABLE:
            for method in ("percentile", "basic", "BCa"):
                seeds = range(FIRST_SEED, FIRST_SEED + RUNS)
                rows = np.array([run(data, statistic, method, options, seed) for seed in seeds])
                errors = rows.std(0, ddof=1) / np.sqrt(RUNS)
                pairs = zip(rows.mean(0), errors, strict=True)
                numbers = [f"{value:.10g}" for pair in pairs for value in pair]
                print("\t".join([name, text, method.lower(), *numbers]), file=out)


if __name__ == "__main__":
    main()
