"""Fit the same regression to many data sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._data import Column, column, table_from
from .._result import Result
from .solving import Checkpoint, On, Progress, Run, build, given, plain, solve


class FitResult(Result):
    """The fits: a table with a row for each group and term, and its columns as matrices.

    Attributes
    ----------
    terms : list of str
        The names of the coefficients.
    coefficients, standard_errors, p_values : array of shape (groups, terms)
        NaN where a group has no fit.
    ok : array of shape (groups,)
        Which groups have a fit; `table["status"]` tells why the others have none.
    """

    @property
    def terms(self) -> list[str]:
        """The names of the coefficients."""
        count = len(self.coefficients.T)
        return list(self._column("term")[:count])

    @property
    def coefficients(self) -> NDArray[np.float64]:
        """The estimates, one row a group."""
        return self._matrix("estimate")

    @property
    def standard_errors(self) -> NDArray[np.float64]:
        """The standard errors, one row a group."""
        return self._matrix("standard_error")

    @property
    def p_values(self) -> NDArray[np.float64]:
        """The p-values of the coefficients being 0, one row a group."""
        return self._matrix("p_value")

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which groups have a fit."""
        status = self._column("status")
        each = len(status) // self.draws
        return np.array([reason == "ok" for reason in status[::each]])

    def plot(self, ax: Any = None, *, terms: Sequence[str] | None = None) -> Any:  # type: ignore[override]
        """Draw coefficients with their intervals, an axes a term and a line a group.

        `ax` is an array of as many axes as there are terms, or `terms` that are named;
        without it they are made, side by side. Returns the array. Needs matplotlib.
        """
        shown = self.terms if terms is None else list(terms)
        import matplotlib.pyplot as plt

        if ax is None:
            size = (1.5 + 3 * len(shown), 1 + 0.25 * max(self.draws, 6))
            ax = plt.subplots(1, len(shown), figsize=size, sharey=True, squeeze=False)[1][0]
        axes = np.atleast_1d(ax)
        for term, one in zip(shown, axes, strict=True):
            self.plot_term(term, one)
        return axes

    def plot_term(self, term: str, ax: Any = None) -> Any:
        """Draw the estimates of one term with their intervals, a line a group; return the axes.

        Needs matplotlib. Groups without a fit keep an empty line.
        """
        if term not in self.terms:
            raise ValueError(f"`{term}` is no term; the terms are {', '.join(self.terms)}")
        import matplotlib.pyplot as plt

        axes = plt.subplots()[1] if ax is None else ax
        place, each = self.terms.index(term), len(self.terms)
        estimate, low, high = (
            self._column(name)[place::each] for name in ("estimate", "low", "high")
        )
        lines = np.arange(self.draws)
        axes.errorbar(
            estimate, lines, xerr=[estimate - low, high - estimate], fmt="o", color="#08519c"
        )
        axes.axvline(0, color="#cccccc", zorder=0)
        assert self.table is not None, "the answer of a fit is a table"
        keys = list(self.table)[: list(self.table).index("term")]
        names = [", ".join(f"{self.table[key][row]}" for key in keys) for row in lines * each]
        axes.set_yticks(lines, names)
        axes.yaxis.set_inverted(True)
        axes.set_xlabel(f"{term}: estimate and {100 * self.extra['level']:g} % interval")
        return axes

    def _column(self, name: str) -> Any:
        assert self.table is not None, "the answer of a fit is a table"
        return self.table[name]

    def _matrix(self, name: str) -> NDArray[np.float64]:
        column: NDArray[np.float64] = self._column(name)
        return column.reshape(self.draws, -1)


def fit_many(
    data: Any,
    model: Any,
    *,
    by: str | Sequence[str] | None = None,
    family: Literal["gaussian", "logistic", "poisson", "quantile"] | None = None,
    se: str | None = None,
    lags: int | None = None,
    cluster: Any = None,
    weights: Any = None,
    ridge: float | None = None,
    quantile: float | None = None,
    confidence_level: float | None = None,
    missing: Literal["fail", "drop"] | None = None,
    max_iterations: int | None = None,
    intercept: bool = False,
    names: Sequence[str] | None = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
) -> FitResult:
    """Fit one regression to each of many groups of rows.

    Least squares, weighted or ridge; logistic and Poisson regression; quantile regression.
    Nothing is random. A group that cannot be fitted (too few rows, a term that the others
    determine, separation, missing values) is a row of the table that says so.

    Parameters
    ----------
    data : path, mapping, data frame or array
        A table (see `bootstrap`), or the terms as an array of shape (groups, rows,
        terms), or (rows, terms) for one group or for terms that all groups share.
    model : str or array
        With a table a formula such as `"y ~ x + log(z) + g*x"`: text columns are factors
        with treatment coding, `C(k)` makes one of numbers, `- 1` leaves the intercept
        out, `offset(log(t))` adds a known term. With arrays the responses, of shape
        (groups, rows).
    by : str or sequence of str, optional
        The columns whose values tell the groups apart.
    family : {"gaussian", "logistic", "poisson", "quantile"}
    se : str, optional
        `"classical"`; `"hc0"` to `"hc4"`, robust to unequal variances; `"hac"`, robust to
        errors that go together from row to row; `"cr0"`, `"cr1"`, `"cr1s"`, by cluster. By
        default classical, `"cr1s"` if there is a `cluster`, `"hac"` if there are `lags`.
    lags : int, optional
        The most rows between two whose errors go together, for `"hac"`;
        4 (n/100)^(2/9), rounded down, by default.
    cluster : str or array, optional
        The clusters of the rows: a column, or with arrays numbers or text, of shape (groups,
        rows), or (rows,) for all groups. They are told apart within each group.
    weights : str or array, optional
        Weights of the rows, inverse to variances; for shares, the number of trials.
    ridge : float, optional
        The penalty on the sum of squared coefficients but the intercept's.
    quantile : float, default 0.5
    confidence_level : float, default 0.95
    missing : {"fail", "drop"}
        Whether a group with missing values has no fit, or is fitted without those rows.
    max_iterations : int, default 100
    intercept : bool
        With arrays: whether to put an intercept before the terms. Formulas have one.
    names : sequence of str, optional
        With arrays: the names of the terms; `x0`, `x1`, … by default.
    workers, on, progress, checkpoint
        As for `integrate`.

    Returns
    -------
    FitResult
        `table` and `to_frame()` have the columns of `by`, then `term`, `estimate`,
        `standard_error`, `statistic`, `p_value`, `low`, `high`, the figures of the model
        and `status`; `coefficients` is a matrix.

    Examples
    --------
    >>> data = {"g": [1, 1, 1, 2, 2, 2], "x": [1, 2, 3, 1, 2, 3], "y": [2, 4, 6.5, 5, 3, 1.5]}
    >>> fits = windfall.fit_many(data, "y ~ x", by="g")
    >>> fits.terms
    ['(Intercept)', 'x']
    >>> fits.coefficients.round(12)
    array([[-0.33333333,  2.25      ],
           [ 6.66666667, -1.75      ]])
    """
    options = given(
        family=family,
        se=se,
        lags=lags,
        ridge=ridge,
        quantile=quantile,
        level=confidence_level,
        missing=missing,
        max_iterations=max_iterations,
    )
    run = Run(0, workers, on, progress, checkpoint)
    if isinstance(model, str):
        if intercept or names is not None:
            raise ValueError("`intercept` and `names` go with arrays; a formula says both itself")
        if cluster is not None and not isinstance(cluster, str):
            raise ValueError("`cluster` names a column of the table; arrays go with arrays")
        options |= given(formula=model, by=by, cluster=cluster, weights=weights)
        problem = build("fit", options, run, table=table_from(data))
    else:
        if by is not None:
            raise ValueError("`by` names columns; give a table and a formula")
        arrays, shape, count = _arrays(data, model, weights)
        if cluster is not None:
            arrays["cluster"] = _clusters(cluster, shape)
        terms = [f"x{place}" for place in range(count)] if names is None else list(names)
        if len(terms) != count:
            raise ValueError(f"{len(terms)} names for {count} terms")
        problem = _of_arrays(options, arrays, shape, (terms, intercept))
    result = solve(problem, run)
    return FitResult(**{field.name: getattr(result, field.name) for field in fields(result)})


def _of_arrays(
    options: dict[str, Any],
    arrays: dict[str, Column],
    shape: tuple[int, int],
    terms: tuple[list[str], bool],
) -> _core.Problem:
    """Return the problem of flat arrays, each a table of one column."""
    places = {name: f"({name})" for name in arrays}
    tables = {
        places[name]: _core.Table.from_columns([(name, array)]) for name, array in arrays.items()
    }
    own = {"groups": shape[0], "rows": shape[1], "names": terms[0], "intercept": terms[1]}
    job = {"problem": "fit", **options, "arrays": {**own, **places}}
    return _core.Problem(json.dumps(job, default=plain), tables=tables)


def _arrays(
    data: Any, responses: Any, weights: Any
) -> tuple[dict[str, Column], tuple[int, int], int]:
    """Return flat arrays, the numbers of groups and rows, and that of terms."""
    x = np.asarray(data, dtype=np.float64)
    y = np.asarray(responses, dtype=np.float64)
    if x.ndim == 2 and y.ndim == 1:
        x, y = x[None], y[None]
    elif x.ndim == 2 and y.ndim == 2:
        x = np.broadcast_to(x, (len(y), *x.shape))
    if x.ndim != 3 or y.shape != x.shape[:2]:
        raise ValueError(
            f"terms of shape {np.shape(data)} do not go with responses of shape"
            f" {np.shape(responses)}: give (groups, rows, terms) and (groups, rows)"
        )
    flat: dict[str, Column] = {
        "x": np.ascontiguousarray(x).reshape(-1),
        "y": np.ascontiguousarray(y).reshape(-1),
    }
    groups, rows, count = x.shape
    if isinstance(weights, str):
        raise ValueError(f"`weights` is `{weights}`; with arrays it must be one, as the responses")
    if weights is not None:
        w = np.broadcast_to(np.asarray(weights, dtype=np.float64), y.shape)
        flat["weights"] = np.ascontiguousarray(w).reshape(-1)
    return flat, (groups, rows), count


def _clusters(cluster: Any, shape: tuple[int, int]) -> Column:
    """Return the flat clusters of all rows."""
    if isinstance(cluster, str):
        raise ValueError(f"`cluster` is `{cluster}`; with arrays it must be one, as the responses")
    labels = np.asarray(cluster)
    if labels.shape not in (shape, shape[1:]):
        raise ValueError(
            f"`cluster` has the shape {labels.shape}; of {shape[0]} groups of {shape[1]} rows it"
            f" must be {shape} or {shape[1:]}"
        )
    if labels.dtype.kind in "iu":  # Of which not all are float64 values.
        labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    return column(np.broadcast_to(labels, shape).reshape(-1))
