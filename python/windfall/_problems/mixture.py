"""Mixtures of normal distributions, fitted or drawn, and what they make of rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from .._data import table_from
from .._result import Result
from .._rng import RngLike, seed_from
from .solving import Checkpoint, On, Progress, Run, build, given, solve


@dataclass(frozen=True, repr=False, eq=False)
class MixtureResult(Result):
    """A mixture: the parameters as arrays, and what it says of rows.

    By Gibbs sampling the parameters are posterior means, `distribution` holds the draws
    of each quantity and `index` their chains. Besides the attributes of `Result`, with
    one quantity a parameter:

    Attributes
    ----------
    weights : array of shape (k,)
    means : array of shape (k, d)
    covariances : array of shape (k, d, d), (d, d) if tied, (k, d) if diag, (k,) if spherical
    columns : tuple of str
    covariance_type : str
    log_likelihood : float
        Of all rows; by Gibbs sampling its mean over the draws.
    bic, aic : float
        By EM only, as the next three.
    converged : bool
    n_iter : int
        Maximisation steps of the start that won.
    trace : array of shape (n_iter + 1,)
        The log-likelihood at the start and after each step.
    """

    _table: _core.Table | None = field(default=None)

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights, shape (k,)."""
        return np.array(self.extra["model"]["weights"])

    @property
    def means(self) -> NDArray[np.float64]:
        """The means, shape (k, d)."""
        return np.array(self.extra["model"]["means"])

    @property
    def covariances(self) -> NDArray[np.float64]:
        """The covariances, in scikit-learn's shapes."""
        return np.array(self.extra["model"]["covariances"])

    @property
    def n_components(self) -> int:
        """The number of components."""
        return int(self.extra["components"])

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that were fitted."""
        return tuple(self.extra["columns"])

    @property
    def covariance_type(self) -> str:
        """The shape of the covariances."""
        return str(self.extra["covariance"])

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood of all rows."""
        return float(self.extra["log_likelihood"])

    @property
    def bic(self) -> float:
        """Schwarz's criterion; the smaller the better."""
        return float(self._of_em("bic"))

    @property
    def aic(self) -> float:
        """Akaike's criterion; the smaller the better."""
        return float(self._of_em("aic"))

    @property
    def converged(self) -> bool:
        """Whether the last step gained less than the tolerance."""
        return bool(self._of_em("converged"))

    @property
    def n_iter(self) -> int:
        """Maximisation steps of the start that won."""
        self._of_em("trace")
        return self.draws

    @property
    def trace(self) -> NDArray[np.float64]:
        """The log-likelihood at the start and after each step."""
        return np.array(self._of_em("trace"))

    def _of_em(self, key: str) -> Any:
        if key not in self.extra:
            raise AttributeError(f"a mixture by {self.method} has no `{key}`; method='em' has")
        return self.extra[key]

    def predict(self, data: Any = None) -> NDArray[np.int64]:
        """Return the likeliest component of each row, of `data` or of what was fitted."""
        return np.asarray(self._described(data)["component"], dtype=np.int64)

    def predict_proba(self, data: Any = None) -> NDArray[np.float64]:
        """Return the probability of each component in each row, shape (n, k)."""
        told = self._described(data)
        return np.stack([told[f"p{j}"] for j in range(self.n_components)], axis=1)

    def score_samples(self, data: Any = None) -> NDArray[np.float64]:
        """Return the log density at each row."""
        return np.asarray(self._described(data)["log_density"])

    def score(self, data: Any = None) -> float:
        """Return the mean log density of the rows."""
        return float(self.score_samples(data).mean())

    def sample(self, n: int = 1, rng: RngLike = None) -> tuple[NDArray[np.float64], Any]:
        """Return `n` new rows of the mixture, shape (n, d), and the component of each.

        Rows come in random order; by Gibbs sampling from the mixture of posterior means.
        """
        stream = _core.StreamBits(str(seed_from(rng)), "mixture: new rows", 0)
        generator = np.random.Generator(cast(Any, stream))
        ends = np.cumsum(self.weights)
        labels = np.searchsorted(ends[:-1], ends[-1] * generator.random(n), side="right")
        noise = generator.standard_normal((n, len(self.columns)))
        factors = np.linalg.cholesky(self._matrices())
        rows = self.means[labels] + np.einsum("nab,nb->na", factors[labels], noise)
        return rows, labels

    def _described(self, data: Any) -> Any:
        if data is None and self.index is not None and self.method == "em":
            return self.index
        options = {
            "start": self.extra["model"],
            "covariance": self.covariance_type,
            "columns": list(self.columns),
            "iterations": 0,
            "order": "none",
            "distribution": True,
        }
        run = Run(0, progress=False)
        return solve(build("mixture", options, run, table=self._rows_of(data)), run).index

    def _rows_of(self, data: Any) -> _core.Table:
        """Return the table of `data`; an array's columns are taken in order."""
        if data is None:
            if self._table is None:
                raise ValueError("this result does not know its data; give them")
            return self._table
        if not isinstance(data, np.ndarray) or data.dtype.names:
            return table_from(data)
        array = data.reshape(-1, 1) if data.ndim == 1 and len(self.columns) == 1 else data
        if array.ndim != 2 or array.shape[1] != len(self.columns):
            raise ValueError(
                f"data has the shape {data.shape}; the mixture has {len(self.columns)} columns"
            )
        return table_from(dict(zip(self.columns, array.T)))

    def plot(self, ax: Any = None, *, quantity: int | None = None, bins: int | str = "auto") -> Any:
        """Draw the densities over a histogram (one column) or ellipses over points (two).

        With `quantity`, by Gibbs sampling, the draws of one quantity. Needs matplotlib.
        An ellipse holds 95 % of its component.
        """
        if quantity is not None:
            return super().plot(ax, quantity=quantity, bins=bins)
        if len(self.columns) > 2:
            raise ValueError(
                f"plot() serves one column or two; this mixture has {len(self.columns)}"
            )
        import matplotlib.pyplot as plt

        axes = plt.subplots()[1] if ax is None else ax
        rows = self._rows_of(None).columns()
        values = np.stack([rows[name] for name in self.columns], axis=1)
        if len(self.columns) == 1:
            self._plot_densities(axes, values[:, 0])
        else:
            self._plot_ellipses(axes, values)
        axes.set_xlabel(self.columns[0])
        axes.set_title(f"{self.n_components} components, {self.covariance_type}")
        return axes

    def _matrices(self) -> NDArray[np.float64]:
        k, d = self.means.shape
        values = self.covariances
        if self.covariance_type == "diag":
            values = values[:, :, None] * np.eye(d)
        elif self.covariance_type == "spherical":
            values = values[:, None, None] * np.eye(d)
        return np.broadcast_to(values, (k, d, d))

    def _plot_densities(self, axes: Any, x: NDArray[np.float64]) -> None:
        axes.hist(x, bins="auto", density=True, color="#d9e2ec", edgecolor="none")
        room = 0.05 * (x.max() - x.min())
        at = np.linspace(x.min() - room, x.max() + room, 600)
        deviations = np.sqrt(self._matrices()[:, 0, 0])
        z = (at - self.means) / deviations[:, None]
        density = np.exp(-0.5 * z**2) / (deviations[:, None] * np.sqrt(2 * np.pi))
        parts = self.weights[:, None] * density
        for place, part in enumerate(parts):
            axes.plot(at, part, lw=1, label=f"component {place}")
        axes.plot(at, parts.sum(axis=0), color="#08519c", lw=2, label="mixture")
        axes.set_ylabel("density")
        axes.legend()

    def _plot_ellipses(self, axes: Any, values: NDArray[np.float64]) -> None:
        some = values[:: len(values) // 20_000 + 1]
        axes.scatter(some[:, 0], some[:, 1], s=4, color="#9aa5b1", linewidths=0)
        turn = np.linspace(0, 2 * np.pi, 200)
        circle = np.sqrt(-2 * np.log(0.05)) * np.stack([np.cos(turn), np.sin(turn)])
        for place, (mean, matrix) in enumerate(zip(self.means, self._matrices())):
            x, y = mean[:, None] + np.linalg.cholesky(matrix) @ circle
            label = f"component {place}: {self.weights[place]:.3g}"
            axes.plot(x, y, lw=2, label=label)
        axes.set_ylabel(self.columns[1])
        axes.legend()


def mixture(
    data: Any,
    n_components: int | Sequence[int] | None = None,
    *,
    covariance_type: Literal["full", "tied", "diag", "spherical"] | None = None,
    columns: str | Sequence[str] | None = None,
    method: Literal["em", "gibbs"] | None = None,
    n_init: int | None = None,
    init_params: Literal["k-means++", "kmeans", "random", "random_from_data"] | None = None,
    weights_init: ArrayLike | None = None,
    means_init: ArrayLike | None = None,
    covariances_init: ArrayLike | None = None,
    precisions_init: ArrayLike | None = None,
    start: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    tol: float | None = None,
    max_iter: int | None = None,
    acceleration: Literal["none", "squarem"] | None = None,
    reg_covar: float | None = None,
    floor: float | None = None,
    criterion: Literal["bic", "aic"] | None = None,
    standard_errors: bool | None = None,
    order: Literal["mean", "weight", "none"] | None = None,
    responsibilities: bool = False,
    chains: int | None = None,
    warmup: int | None = None,
    draws: int | None = None,
    sweep: int | None = None,
    prior: Mapping[str, Any] | None = None,
    confidence_level: float | None = None,
    rng: RngLike = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
) -> MixtureResult:
    """Fit a mixture of normal distributions, or draw from its posterior.

    EM from several starts, or Gibbs sampling by several chains, side by side, each round
    over the rows in parallel; the same bits on any number of workers.

    Parameters
    ----------
    data : path, mapping, data frame or array of shape (n, d)
        See `bootstrap`; contiguous float64 columns are not copied.
    n_components : int or list of int
        Of several numbers, `criterion` picks one.
    covariance_type : {"full", "tied", "diag", "spherical"}, default "full"
    columns : str or list of str, optional
        The columns to fit; by default all that hold numbers.
    method : {"em", "gibbs"}
        The maximum of the likelihood, by default, or draws from the posterior.
    n_init : int, default 10
        Starts for each number of components.
    init_params : {"k-means++", "kmeans", "random", "random_from_data"}
        How a start is made; "k-means++" by default.
    weights_init, means_init, covariances_init, precisions_init : array, optional
        The mixture to start from, in scikit-learn's shapes; at least the means.
    start : mapping or list of mappings, optional
        The same as `weights`, `means` and `covariances`; of a list, one a start or chain.
    tol : float, default 1e-8
        Stop when a step gains less than this much log-likelihood a row.
    max_iter : int, default 1000
    acceleration : {"none", "squarem"}
        SQUAREM takes far fewer steps where components overlap.
    reg_covar : float, default 0
        Added to every variance, in the units of the data squared.
    floor : float, default 1e-6
        The least variance of a component in any direction, over that of all rows.
    criterion : {"bic", "aic"}
    standard_errors : bool, optional
        By the observed information; by default where there are at most 60 parameters.
    order : {"mean", "weight", "none"}
        The order of the components; by the mean of the first column by default.
    responsibilities : bool
        Whether the result keeps what the mixture says of each row, in `index`.
    chains, warmup, draws : int
        Of Gibbs sampling: 4 chains of 500 sweeps thrown away and 1000 kept.
    sweep : int, default 0
        Of Gibbs sampling: the number of the first sweep. A run goes on where `before` ended
        by `start=before.extra["last"], sweep=before.extra["sweep"], warmup=0` and its seed.
    prior : mapping, optional
        Of Gibbs sampling: `concentration` of the weights (1), `shrinkage` (0.01: the rows
        that the prior of a mean counts for), its `centre` (the means of all rows),
        `degrees` of freedom of a covariance (d + 2; 3 if diag) and its `scale` (a matrix,
        or a share of the covariance of all rows, k^(-2/d)).
    confidence_level : float, default 0.95
        Of the credible intervals of Gibbs sampling.
    rng, workers, on, progress, checkpoint
        As for `integrate`.

    Returns
    -------
    MixtureResult
        With `weights`, `means`, `covariances`, `bic`, `predict` and more.

    Examples
    --------
    >>> x = [0.9, 1.0, 1.1, 1.2, 4.7, 5.0, 5.2, 5.3]
    >>> result = windfall.mixture({"x": x}, 2, rng=1)
    >>> result.means.round(6).tolist()
    [[1.05], [5.05]]
    >>> result.predict({"x": [0, 6]}).tolist()
    [0, 1]
    """
    options = given(
        components=n_components,
        covariance=covariance_type,
        columns=columns,
        method=method,
        starts=n_init,
        init=init_params,
        tolerance=tol,
        iterations=max_iter,
        acceleration=acceleration,
        regularisation=reg_covar,
        floor=floor,
        criterion=criterion,
        standard_errors=standard_errors,
        order=order,
        distribution=responsibilities or method == "gibbs" or None,
        chains=chains,
        warmup=warmup,
        draws=draws,
        sweep=sweep,
        prior=None if prior is None else dict(prior),
        level=confidence_level,
    )
    scikit = _start(weights_init, means_init, covariances_init, precisions_init)
    if start is not None and scikit is not None:
        raise ValueError("give `start` or `means_init`, not both")
    options |= given(start=scikit if start is None else start)
    table = table_from(data)
    run = Run(rng, workers, on, progress, checkpoint)
    result = solve(build("mixture", options, run, table=table), run)
    fields = {item.name: getattr(result, item.name) for item in dataclasses.fields(Result)}
    return MixtureResult(**fields, _table=table)


def _start(weights: Any, means: Any, covariances: Any, precisions: Any) -> dict[str, Any] | None:
    """Return the mixture to start from, or None if none is given."""
    if means is None:
        if weights is None and covariances is None and precisions is None:
            return None
        raise ValueError("a start needs `means_init`; weights and covariances may be left out")
    if precisions is not None:
        if covariances is not None:
            raise ValueError("give `covariances_init` or `precisions_init`, not both")
        array = np.asarray(precisions, dtype=np.float64)
        square = array.ndim >= 2 and array.shape[-1] == array.shape[-2] and array.ndim == 3
        tied = array.ndim == 2 and array.shape[0] == array.shape[1] == np.shape(means)[-1]
        covariances = np.linalg.inv(array) if square or tied else 1 / array
    arrays = given(weights=weights, means=means, covariances=covariances)
    return {key: np.asarray(value, dtype=np.float64).tolist() for key, value in arrays.items()}
