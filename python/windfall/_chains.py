"""The result of chains: their draws as arrays, for ArviZ, data frames, files, and as pictures."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._core import Table
from ._result import Result

Array = NDArray[np.float64]

_ARVIZ_NAMES = {
    "log_density": "lp",
    "divergent": "diverging",
    "depth": "tree_depth",
    "steps": "n_steps",
    "acceptance": "acceptance_rate",
}
"""What ArviZ calls what our samplers put beside each draw."""

_ELEMENT = re.compile(r"(.+)\[([^\[\]]+)\]")


class ConvergenceWarning(UserWarning):
    """The chains cannot be believed yet, or hardly; the result's notes say why and what helps."""


@dataclass(frozen=True, repr=False, eq=False)
class ChainsResult(Result):
    """The draws of many Markov chains, with what tells whether they can be believed.

    Everything that `Result` has, and:

    Attributes
    ----------
    draws : array of shape (chains, draws, quantities)
        In the order of `names`. The walkers of an ensemble count as chains here.
    chain_stats : mapping of str to array of shape (chains, draws)
        What the sampler says of each draw: log density, energy, divergence and more.
    table : mapping of str to array
        `quantity`, `median`, `r_hat`, `ess_bulk`, `ess_tail`, `mcse_median`.
    extra : mapping
        `divergences`, `e_bfmi`, `step_size`, `acceptance`, `evaluations` and more.
    """

    draws: Array  # type: ignore[assignment]
    chain_stats: Mapping[str, Array] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """The number of draws of all chains."""
        return int(self.draws.shape[0] * self.draws.shape[1])

    def __getitem__(self, name: str) -> Array:
        """Return the draws of one quantity: an array of shape (chains, draws)."""
        if name not in self.names:
            raise KeyError(f"`{name}` is none of {', '.join(self.names)}")
        return self.draws[:, :, self.names.index(name)]

    def to_frame(self) -> Any:
        """Return the summary as a pandas DataFrame, a row a quantity: moments and diagnostics."""
        import pandas

        if self.table is None:
            return super().to_frame()
        frame = pandas.DataFrame(list(self._rows())).drop(columns=["bias", "draws"])
        frame = frame.rename(columns={"estimate": "mean", "standard_error": "sd"})
        told = pandas.DataFrame(dict(self.table)).drop(columns="quantity")
        return pandas.concat([frame, told], axis=1).set_index("name")

    def to_pandas(self) -> Any:
        """Return the draws as a pandas DataFrame, after chain, draw and what stands beside."""
        import pandas

        return pandas.DataFrame(self._columns())

    def to_arrow(self) -> Any:
        """Return the draws as a `pyarrow.Table` with the columns of `to_pandas`."""
        import pyarrow

        return pyarrow.table(self._columns())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the draws to a .parquet, .csv or .tsv file, with the columns of `to_pandas`."""
        Table.from_columns(list(self._columns().items())).write(os.fspath(path))

    def to_arviz(self) -> Any:
        """Return the draws for ArviZ: `InferenceData` for version 0, a `DataTree` from 1 on.

        Names such as `theta[3]` become elements of one variable `theta`, and of `theta[Deerfield]`
        the label a coordinate.
        """
        import arviz

        stats = {
            _ARVIZ_NAMES.get(name, name): values > 0 if name == "divergent" else values
            for name, values in self.chain_stats.items()
        }
        variables, labels = _variables(self.names, self.draws)
        groups = {"posterior": variables, "sample_stats": stats}
        version = int(arviz.__version__.split(".")[0])
        from_dict: Any = arviz.from_dict
        return from_dict(groups, **labels) if version >= 1 else from_dict(**groups, **labels)

    def plot(self, ax: Any = None, *, quantity: int | None = None, bins: int | str = 20) -> Any:
        """Draw density, trace and ranks of each quantity; return the axes, one row a quantity.

        Parameters
        ----------
        ax : array of axes of shape (quantities, 3), optional
        quantity : int, optional
            Draw this one alone.
        bins : int
            Bins of the ranks.
        """
        import matplotlib.pyplot as plt

        chosen = range(len(self.names)) if quantity is None else [quantity]
        if ax is None:
            size = (12, 2.4 * len(chosen))
            _, ax = plt.subplots(len(chosen), 3, figsize=size, squeeze=False, layout="constrained")
        axes = np.asarray(ax).reshape(len(chosen), 3)
        for row, place in zip(axes, chosen):
            draws = self.draws[:, :, place]
            _densities(row[0], draws)
            row[1].plot(draws.T, lw=0.5)
            _ranks(row[2], draws, bins if isinstance(bins, int) else 20)
            row[0].set_title(self.names[place])
            row[1].set_xlabel("draw")
            row[2].set_xlabel("rank")
        return axes

    def _columns(self) -> dict[str, Array]:
        index = {} if self.index is None else dict(self.index)
        flat = self.draws.reshape(-1, len(self.names))
        return {**index, **{name: flat[:, place] for place, name in enumerate(self.names)}}


def chains_from(result: Result) -> ChainsResult:
    """Return the result of chains with its draws in the shape (chains, draws, quantities)."""
    fields = {key: getattr(result, key) for key in Result.__dataclass_fields__}
    fields.pop("draws")
    if result.distribution is None or result.index is None:
        shape = (0, 0)
        draws = np.empty((0, 0, len(result.names)))
    else:
        length = int(result.extra["draws_per_chain"])
        stacked = np.atleast_2d(result.distribution)
        shape = (stacked.shape[1] // length, length)
        draws = np.moveaxis(stacked.reshape(len(result.names), *shape), 0, -1)
    beside = {
        name: np.asarray(values).reshape(shape)
        for name, values in (result.index or {}).items()
        if name not in ("chain", "walker", "draw")
    }
    return ChainsResult(**fields, draws=draws, chain_stats=beside)


def _variables(
    names: Sequence[str], draws: Array
) -> tuple[dict[str, Array], dict[str, dict[str, list[str]]]]:
    """Return arrays by variable, and `coords` and `dims` of those whose elements have labels.

    `theta[0]`, `theta[1]`, … are elements of `theta`, and so are `theta[A]`, `theta[B]`, ….
    """
    elements: dict[str, dict[tuple[str, ...], int]] = {}
    for place, name in enumerate(names):
        found = _ELEMENT.fullmatch(name)
        stem = found[1] if found else name
        where = tuple(part.strip() for part in found[2].split(",")) if found else ()
        elements.setdefault(stem, {})[where] = place
    variables: dict[str, Array] = {}
    coords: dict[str, list[str]] = {}
    dims: dict[str, list[str]] = {}
    for stem, places in elements.items():
        axes = [list(dict.fromkeys(labels)) for labels in zip(*places)]
        if not _is_whole(axes, places):  # a name that only looks like an element
            variables.update({names[place]: draws[:, :, place] for place in places.values()})
            continue
        values = np.empty((*draws.shape[:2], *map(len, axes)))
        for where, place in places.items():
            index = (axis.index(label) for axis, label in zip(axes, where))
            at: tuple[Any, ...] = (slice(None), slice(None), *index)
            values[at] = draws[:, :, place]
        variables[stem] = values
        own = [f"{stem}_dim_{axis}" for axis in range(len(axes))]
        named = {dim: axis for dim, axis in zip(own, axes) if not axis[0].isdigit()}
        if named:
            coords.update(named)
            dims[stem] = own
    return variables, {"coords": coords, "dims": dims} if dims else {}


def _is_whole(axes: list[list[str]], places: Mapping[tuple[str, ...], int]) -> bool:
    """Whether elements fill an array, and those that are counted are so from zero on."""
    if len({len(where) for where in places}) > 1 or math.prod(map(len, axes)) != len(places):
        return False
    counted = (axis for axis in axes if any(label.isdigit() for label in axis))
    return all(axis == [str(number) for number in range(len(axis))] for axis in counted)


def _densities(axes: Any, draws: Array) -> None:
    """Draw a kernel density of each chain over one grid."""
    low, high = np.quantile(draws, [0.002, 0.998])
    quartiles = np.subtract(*np.quantile(draws, [0.75, 0.25]))
    spread = quartiles / 1.34 if quartiles > 0 else max(high - low, 1e-12)
    width = 0.9 * spread * draws.shape[1] ** -0.2
    grid = np.linspace(low - 2 * width, high + 2 * width, 160)
    edges = np.append(grid, 2 * grid[-1] - grid[-2]) - 0.5 * (grid[1] - grid[0])
    kernel = np.exp(-0.5 * ((grid[:, None] - grid) / width) ** 2)
    for chain in draws:
        counts, _ = np.histogram(chain, edges)
        axes.plot(grid, kernel @ counts / (len(chain) * width * np.sqrt(2 * np.pi)), lw=1)
    axes.set_ylim(bottom=0)
    axes.set_yticks([])


def _ranks(axes: Any, draws: Array, bins: int) -> None:
    """Draw how many draws of each chain lie in each bin of the ranks of all."""
    ranks = np.argsort(np.argsort(draws, axis=None, kind="stable")).reshape(draws.shape)
    edges = np.linspace(0, draws.size, bins + 1)
    for chain in ranks:
        axes.stairs(np.histogram(chain, edges)[0], edges, lw=1)
    axes.axhline(draws.shape[1] / bins, color="0.6", lw=0.8, ls="--")
    axes.set_ylim(bottom=0)
