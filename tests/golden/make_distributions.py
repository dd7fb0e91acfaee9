"""Write distributions.txt: for each law, cells with their chances, and its moments, by SciPy.

Run `python make_distributions.py > distributions.txt`. The Rust tests draw a million numbers of
each law, count them by cell and hold counts, mean and variance to what is said here.
"""

import numpy as np
import scipy
from scipy import stats

FALSE_ALARM = 1e-6
TAILS = np.array([1e-4, 1e-3])
LEVELS = np.concatenate([TAILS, np.arange(1, 64) / 64, 1 - TAILS[::-1]])
LEAST = 5e-5  # expected in a cell: at least 50 of a million


def cells(law):
    """Return edges and chances: cell i holds what is above edge i - 1 and up to edge i."""
    edges = np.unique(law.ppf(LEVELS))
    while True:
        chances = np.diff(np.concatenate([[0], law.cdf(edges), [1]]))
        chances[-1] = law.sf(edges[-1])
        low = int(np.argmin(chances))
        if chances[low] >= LEAST or len(edges) == 1:
            return edges, chances
        edges = np.delete(edges, min(low, len(edges) - 1))


CASES = [
    ("uniform", [], stats.uniform()),
    ("open_uniform", [], stats.uniform()),
    ("normal", [], stats.norm()),
    ("fill_normal", [], stats.norm()),
    ("exponential", [], stats.expon()),
    *[
        ("gamma", [a, s], stats.gamma(a, scale=s))
        for a, s in [
            (0.05, 1.0),
            (0.5, 2.0),
            (0.999, 1.0),
            (1.0, 3.0),
            (1.5, 1.0),
            (10.0, 0.1),
            (1e4, 1.0),
            (1e8, 1.0),
        ]
    ],
    *[
        ("beta", [a, b], stats.beta(a, b))
        for a, b in [
            (0.01, 0.02),
            (0.3, 0.3),
            (0.5, 4.0),
            (1.0, 1.0),
            (2.0, 3.0),
            (30.0, 0.2),
            (500.0, 700.0),
        ]
    ],
    *[
        ("poisson", [m], stats.poisson(m))
        for m in [0.01, 0.7, 3.5, 9.99, 10.0, 12.3, 50.0, 1234.5, 1e6]
    ],
    *[
        ("binomial", [n, p], stats.binom(n, p))
        for n, p in [
            (1, 0.3),
            (10, 0.5),
            (25, 0.4),
            (20, 0.5),
            (30, 0.9),
            (100, 0.101),
            (100, 0.5),
            (1000, 0.003),
            (1000, 0.97),
            (10**6, 0.25),
            (10**9, 0.7),
        ]
    ],
]

print(f"# Made by make_distributions.py with SciPy {scipy.__version__} and NumPy {np.__version__}.")
print(
    "# law, parameters | mean, variance, excess kurtosis | bound of chi-square that chance passes"
)
print(f"# once in {1 / FALSE_ALARM:.0f} | edges of the cells | chances of the cells, one more")
for name, parameters, law in CASES:
    mean, variance, kurtosis = law.stats("mvk")
    edges, chances = cells(law)
    assert abs(chances.sum() - 1) < 1e-9, (name, parameters, chances.sum())
    bound = stats.chi2.isf(FALSE_ALARM, len(edges))
    fields = [[name, *parameters], [mean, variance, kurtosis], [bound], edges, chances]
    print(
        " | ".join(
            " ".join(f if isinstance(f, str) else repr(float(f)) for f in field) for field in fields
        )
    )
