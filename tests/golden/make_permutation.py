"""Write scipy_permutation.tsv: every test statistic of two small data sets, and its exact p-value.

Each line holds the call, the design, the statistic on the data and the p-value of
`scipy.stats.permutation_test` over all permutations, with SciPy's own function for the
statistic where it has one. Run with SciPy 1.17: python tests/golden/make_permutation.py
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

A = [2.1, 3.4, 1.9, 5.6, 3.4]
B = [4.4, 6.1, 3.4, 7.2]
C = [1.2, 2.1, 8.3]
Y = [1.0, 2.5, 2.5, 0.3, 4.0]
Z = [3.0, 1.0, 2.0, 2.0, 5.5]
TWO, THREE = (A, B), (A[:3], B[:3], C)


def distance_correlation(x, y):
    def centred(v):
        d = np.abs(np.subtract.outer(v, v))
        return d - d.mean(0) - d.mean(1)[:, None] + d.mean()

    a, b = centred(np.asarray(x)), centred(np.asarray(y))
    return np.sqrt(max((a * b).mean(), 0) / np.sqrt((a * a).mean() * (b * b).mean()))


def disco(*samples):
    n = sum(map(len, samples))
    pairs = combinations(samples, 2)
    return sum(len(a) * len(b) / (2 * n) * stats.energy_distance(a, b) ** 2 for a, b in pairs)


def wilcoxon(x, y):
    d = np.subtract(x, y)
    ranks = stats.rankdata(np.abs(d[d != 0]))
    return ranks[d[d != 0] > 0].sum()


CASES = [
    ("mean_difference(x)", "two", lambda a, b: np.mean(a) - np.mean(b), 2),
    ("median_difference(x)", "two", lambda a, b: np.median(a) - np.median(b), 2),
    (
        "trimmed_mean_difference(x, 0.25)",
        "two",
        lambda a, b: stats.trim_mean(a, 0.25) - stats.trim_mean(b, 0.25),
        2,
    ),
    ("variance_ratio(x)", "two", lambda a, b: np.var(a, ddof=1) / np.var(b, ddof=1), 2),
    ("t(x)", "two", lambda a, b: stats.ttest_ind(a, b).statistic, 2),
    ("welch_t(x)", "two", lambda a, b: stats.ttest_ind(a, b, equal_var=False).statistic, 2),
    ("mann_whitney(x)", "two", lambda a, b: stats.mannwhitneyu(a, b).statistic, 2),
    ("energy_distance(x)", "two", stats.energy_distance, 1),
    ("f(x)", "two", lambda *s: stats.f_oneway(*s).statistic, 1),
    ("f(x)", "three", lambda *s: stats.f_oneway(*s).statistic, 1),
    ("kruskal_wallis(x)", "three", lambda *s: stats.kruskal(*s).statistic, 1),
    ("energy_distance(x)", "three", disco, 1),
    ("paired_t(x, y)", "paired", lambda x, y: stats.ttest_rel(x, y).statistic, 2),
    ("wilcoxon(x, y)", "paired", wilcoxon, 2),
    ("friedman(x, y, z)", "related", lambda *s: stats.friedmanchisquare(*s).statistic, 1),
    ("pearson(x, y)", "pairings", lambda x: stats.pearsonr(x, Y).statistic, 2),
    ("spearman(x, y)", "pairings", lambda x: stats.spearmanr(x, Y).statistic, 2),
    ("kendall(x, y)", "pairings", lambda x: stats.kendalltau(x, Y).statistic, 2),
    ("distance_correlation(x, y)", "pairings", lambda x: distance_correlation(x, Y), 1),
]
DATA = {
    "two": (TWO, "independent"),
    "three": (THREE, "independent"),
    "paired": ((A, Y), "samples"),
    "related": ((A, Y, Z), "samples"),
    "pairings": ((A,), "pairings"),
}


def main() -> None:
    lines = [f"# by make_permutation.py with SciPy {scipy.__version__}"]
    for call, design, statistic, sides in CASES:
        samples, kind = DATA[design]
        result = stats.permutation_test(
            samples,
            statistic,
            permutation_type=kind,
            vectorized=False,
            n_resamples=np.inf,
            alternative="two-sided" if sides == 2 else "greater",
        )
        lines.append(f"{call}\t{design}\t{float(result.statistic)!r}\t{float(result.pvalue)!r}")
    path = Path(__file__).with_name("scipy_permutation.tsv")
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
