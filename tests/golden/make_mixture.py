"""Write `scikit_mixture.tsv`: 25 steps of scikit-learn's EM on Fisher's irises, each shape.

Run with scikit-learn 1.7 or later: `python tests/golden/make_mixture.py`.
"""

import csv
import warnings
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture

HERE = Path(__file__).parent
STEPS = 25
# Rows 0, 60 and 120: one flower of each species.
ROWS = [0, 60, 120]
ONES = {
    "full": np.array([np.eye(4)] * 3),
    "tied": np.eye(4),
    "diag": np.ones((3, 4)),
    "spherical": np.ones(3),
}


def irises():
    """Return the four measurements of the 150 flowers."""
    with open(HERE.parent.parent / "examples" / "iris.csv") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([[float(value) for value in row[:4]] for row in rows])


def main():
    """Fit each shape and write one line a number."""
    x = irises()
    lines = ["# made by make_mixture.py\nshape\twhat\tvalue"]
    for shape, precisions in ONES.items():
        model = GaussianMixture(
            3,
            covariance_type=shape,
            weights_init=[1 / 3] * 3,
            means_init=x[ROWS],
            precisions_init=precisions,
            max_iter=STEPS,
            tol=0,
            reg_covar=1e-6,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(x)
        found = {
            "log_likelihood": [model.score(x) * len(x)],
            "bic": [model.bic(x)],
            "weights": model.weights_,
            "means": model.means_.ravel(),
            "covariances": model.covariances_.ravel(),
        }
        lines += [f"{shape}\t{what}\t{v:.17g}" for what, values in found.items() for v in values]
    (HERE / "scikit_mixture.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
