"""Results: frozen values with attributes, a table, a picture and plain dictionaries."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._plots import DRAWERS

if TYPE_CHECKING:
    from ._core import Answer, Problem

Value: TypeAlias = float | NDArray[np.float64]


class IncompleteWarning(UserWarning):
    """A run was interrupted; its result holds what was done until then."""


class ConfidenceInterval(NamedTuple):
    """The two ends of an interval, as SciPy names them."""

    low: Value
    high: Value


@dataclass(frozen=True)
class Interval:
    """An interval with the Monte Carlo standard error of each end.

    With several quantities each attribute but `level` and `method` is an array.
    """

    low: Value
    high: Value
    level: float
    method: str
    low_mcse: Value
    high_mcse: Value


@dataclass(frozen=True)
class Verification:
    """The answers of several mappings to one problem, compared byte by byte."""

    rows: tuple[tuple[str, str, bool], ...]

    def __bool__(self) -> bool:
        return all(same for _, _, same in self.rows)

    def __str__(self) -> str:
        width = max(len(mapping) for mapping, _, _ in self.rows)
        return "\n".join(
            f"{mapping:<{width}}  {digest[:16]}  {'same' if same else 'DIFFERENT'}"
            for mapping, digest, same in self.rows
        )


class Columns(Mapping[str, Any]):
    """Columns by name, each made when it is first asked for."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._names = answer.names()
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._answer.column(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"{self._answer.rows():,} rows of {', '.join(self._names)}"


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """The answer of a problem; equal to another if all but `run` is the same.

    Attributes
    ----------
    problem, method : str
        What was done.
    names : tuple of str
        What was estimated, one name a quantity.
    estimate, mcse, standard_error, bias : float or array of shape (quantities,)
        The estimate; its Monte Carlo standard error (for the bootstrap, whose
        estimate is exact, that of the bias); standard error and bias of the
        estimate as a statistic, None where the problem gives none.
    interval : Interval or None
    draws : int
        Sample points or resamples behind the answer; also as `n` or `n_resamples`.
    seed : int
        Reproduces the result: pass it as `rng`.
    complete : bool
        False after an interruption.
    notes : tuple of str
        Exact short cuts taken, costs to avoid.
    run : mapping
        What may differ from run to run: seconds, rate, workers, versions.
    table : mapping of str to array or list, or None
        The rows of an answer that is a table by nature, one entry a column, made when it
        is asked for.
    distribution : array of shape (draws,) or (quantities, draws), or None
    index : mapping of str to array or list, or None
        What stands beside each draw of the distribution.
    """

    problem: str
    method: str
    names: tuple[str, ...]
    estimate: Value
    mcse: Value
    standard_error: Value | None
    bias: Value | None
    interval: Interval | None
    draws: int
    seed: int
    complete: bool
    notes: tuple[str, ...]
    extra: Mapping[str, Any]
    run: Mapping[str, Any]
    table: Columns | None = field(default=None)
    distribution: NDArray[np.float64] | None = field(default=None)
    index: Mapping[str, Any] | None = field(default=None)
    _answer: Answer = field(kw_only=True)
    _problem: Problem = field(kw_only=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return self.to_json() == other.to_json() and np.array_equal(
            self.distribution if self.distribution is not None else [],
            other.distribution if other.distribution is not None else [],
        )

    def __hash__(self) -> int:
        return hash(self.to_json())

    @property
    def n(self) -> int:
        """The number of draws."""
        return self.draws

    @property
    def n_resamples(self) -> int:
        """The number of draws, under SciPy's name."""
        return self.draws

    @property
    def confidence_interval(self) -> ConfidenceInterval | None:
        """The interval's ends, under SciPy's name."""
        if self.interval is None:
            return None
        return ConfidenceInterval(self.interval.low, self.interval.high)

    @property
    def bootstrap_distribution(self) -> NDArray[np.float64] | None:
        """The replicates, under SciPy's name."""
        return self.distribution

    @property
    def null_distribution(self) -> NDArray[np.float64] | None:
        """The statistic of every permutation, under SciPy's name."""
        return self.distribution

    @property
    def pvalue(self) -> Value:
        """The p-value of a test, under SciPy's name."""
        if self.problem != "permutation":
            raise AttributeError(f"a {self.problem} result has no p-value")
        return self.estimate

    @property
    def statistic(self) -> Value:
        """The statistic of the data, under SciPy's name."""
        if self.problem != "permutation":
            return self.estimate
        values = self.extra["statistic"]
        return np.array(values) if isinstance(values, list) else float(values)

    def to_dict(self) -> dict[str, Any]:
        """Return the object that the shell prints with `--json`, `run` included."""
        return {**json.loads(self.to_json()), "run": dict(self.run)}

    def to_json(self) -> str:
        """Return the reproducible part as the very text that every door gives."""
        return self._answer.json()

    def to_frame(self) -> Any:
        """Return a tidy pandas DataFrame: the table if there is one, else a row a quantity."""
        import pandas

        if self.table is not None:
            return pandas.DataFrame(dict(self.table))
        return pandas.DataFrame(list(self._rows()))

    def plot(self, ax: Any = None, *, quantity: int = 0, bins: int | str = "auto") -> Any:
        """Draw the distribution with its estimate and interval, or the curve; return the axes.

        Of a permutation test: the null distribution, with the statistic of the data.
        Needs matplotlib and a result that kept its distribution, or that is a curve.
        """
        if self.problem in DRAWERS:
            return DRAWERS[self.problem](self, ax)
        if self.distribution is None:
            raise ValueError(
                f"this {self.problem} result keeps no distribution; plot() serves the bootstrap"
            )
        import matplotlib.pyplot as plt

        axes = plt.subplots()[1] if ax is None else ax
        values = np.atleast_2d(self.distribution)[quantity]
        row = list(self._rows())[quantity]
        axes.hist(values, bins=bins, density=True, color="#9ecae1", edgecolor="none")
        if self.problem == "permutation":
            observed = float(np.atleast_1d(self.statistic)[quantity])
            axes.axvline(observed, color="#08519c", label=f"data: p = {row['estimate']:.3g}")
        else:
            axes.axvline(row["estimate"], color="#08519c", label="estimate")
        if self.interval is not None and self.problem != "permutation":
            label = f"{100 * self.interval.level:g} % {self.interval.method}"
            low, high = row["ci_low"], row["ci_high"]
            axes.axvspan(low, high, color="#08519c", alpha=0.15, label=label)
        axes.set_xlabel(self.names[quantity])
        axes.set_ylabel("density")
        axes.set_title(f"{self.draws:,} {self.problem} replicates")
        axes.legend()
        return axes

    def _rows(self) -> Iterable[dict[str, Any]]:
        def at(values: Any, place: int) -> Any:
            return None if values is None else float(np.atleast_1d(values)[place])

        for place, name in enumerate(self.names):
            row = {
                "name": name,
                "estimate": at(self.estimate, place),
                "mcse": at(self.mcse, place),
                "standard_error": at(self.standard_error, place),
                "bias": at(self.bias, place),
            }
            if self.interval is not None:
                for key in ("low", "high", "low_mcse", "high_mcse"):
                    row[f"ci_{key}"] = at(getattr(self.interval, key), place)
                row["ci_level"] = self.interval.level
                row["ci_method"] = self.interval.method
            yield {**row, "draws": self.n}

    def __repr__(self) -> str:
        lines = [f"windfall {self.problem} ({self.method}), {self.n:,} draws"]
        if not self.complete:
            lines[0] += ", INCOMPLETE"
        for row in self._rows():
            cells = [f"{key}={value:.6g}" for key, value in row.items() if _shown(value)]
            lines.append(f"  {row['name']}: " + ", ".join(cells))
        lines.append(f"  seed={self.seed}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        rows = list(self._rows()) if self.table is None else _table_rows(self.table)
        keys = [key for key in rows[0] if key != "draws"] if rows else []
        head = "".join(f"<th>{key.replace('_', ' ')}</th>" for key in keys)
        body = "".join(
            "<tr>" + "".join(f"<td>{_cell(row[key])}</td>" for key in keys) + "</tr>"
            for row in rows
        )
        state = "" if self.complete else " <b>(incomplete)</b>"
        caption = f"{self.problem} ({self.method}), {self.n:,} draws, seed {self.seed}"
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f"<table><caption>{html.escape(caption)}{state}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            + (f"<ul>{notes}</ul>" if notes else "")
        )


def _shown(value: Any) -> bool:
    return isinstance(value, float) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else html.escape(str(value))


def result_from(
    fields: dict[str, Any],
    run: Mapping[str, Any],
    arrays: tuple[list[NDArray[np.float64]], Mapping[str, Any] | None],
    sources: tuple[Answer, Problem],
) -> Result:
    """Make a result of an answer's fields, which it takes over, and what came with them."""
    (distribution, index), (answer, problem) = arrays, sources
    take = fields.pop
    estimate, names = take("estimate"), take("quantity")
    several = isinstance(estimate, list)
    value: Callable[[Any], Any] = _array if several else _number
    keys = list(fields)
    draws_key = keys[keys.index("interval") + 1]  # each problem has its own word for draws
    return _frozen(
        Result,
        problem=take("problem"),
        method=take("method"),
        names=tuple(names) if several else (names,),
        estimate=value(estimate),
        mcse=value(take("mcse")),
        standard_error=_given(take("standard_error"), value),
        bias=_given(take("bias"), value),
        interval=_interval(take("interval"), value),
        draws=take(draws_key),
        seed=int(take("seed")),
        complete=take("complete"),
        notes=tuple(take("notes")),
        extra=fields,  # what is left
        run=run,
        table=Columns(answer) if answer.is_tabular() else None,
        distribution=_distribution(distribution),
        index=index,
        _answer=answer,
        _problem=problem,
    )


_T = TypeVar("_T")


def _frozen(kind: type[_T], **fields: Any) -> _T:
    """Make a frozen value of all its fields at once, not by a guarded call for each."""
    made = object.__new__(kind)
    vars(made).update(fields)
    return made


def _distribution(values: list[NDArray[np.float64]]) -> NDArray[np.float64] | None:
    if not values:
        return None
    return values[0] if len(values) == 1 else np.stack(values)


def _interval(fields: Any, value: Callable[[Any], Any]) -> Interval | None:
    ends = ("low", "high", "low_mcse", "high_mcse")
    several = isinstance(fields, list)
    rows = fields if several else [fields]
    if not rows or rows[0] is None:
        return None
    columns = {key: [row[key] for row in rows] if several else rows[0][key] for key in ends}
    return _frozen(
        Interval,
        level=rows[0]["level"],
        method=rows[0]["method"],
        **{key: value(column) for key, column in columns.items()},
    )


def _given(fields: Any, value: Callable[[Any], Any]) -> Any:
    """Return None for what a problem does not give, which the answer writes as null."""
    nothing = fields is None or (isinstance(fields, list) and set(fields) == {None})
    return None if nothing else value(fields)


def _table_rows(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the first rows of a table."""
    cells = [list(column[:_ROWS_SHOWN]) for column in table.values()]
    return [dict(zip(table, row)) for row in zip(*cells)]


_ROWS_SHOWN = 40


def _number(value: Any) -> Any:
    return float("nan") if value is None else float(value)


def _array(values: list[Any]) -> Any:
    return np.array([_number(value) for value in values])
