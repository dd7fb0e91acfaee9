"""Make data many times, analyse them each way, and say how each way performs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import _core
from .._data import column
from .._result import Result
from .._rng import RngLike
from .._study import FIELDS, Code, Condition, aims, conditions_from, conditions_table
from .solving import Checkpoint, On, Progress, Run, build, given, solve


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SimulationResult(Result):
    """The answer of a simulation study: a row a condition, method and measure in `table`."""

    _study: _Study | None = dataclasses.field(default=None)

    @property
    def failures(self) -> Mapping[str, Any]:
        """The replicates that failed, one entry a column: condition, task, seed, error."""
        failures: Mapping[str, Any] = self.extra["failures"]
        return failures

    @property
    def replicates(self) -> Mapping[str, Any]:
        """What each method found in each replicate, one entry a column."""
        return self.index or {}

    def measure(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of one measure: condition, method, estimate, mcse, replicates.

        Examples
        --------
        >>> result = windfall.simulate(
        ...     "x = normal(0, 1)", "mean(x)", rows=9, truth=0, n_replicates=100, rng=1
        ... )
        >>> [row["method"] for row in result.measure("coverage")]
        ['mean(x)']
        """
        table: Mapping[str, Any] = self.table or {}
        names = sorted(set(table["measure"]))
        if name not in names:
            raise ValueError(f"there is no measure `{name}` here; there are {names}")
        columns = (np.asarray(cells).tolist() for cells in table.values())
        rows = (dict(zip(table, cells)) for cells in zip(*columns))
        return [
            {key: value for key, value in row.items() if key != "measure"}
            for row in rows
            if row["measure"] == name
        ]

    def extend(
        self,
        n_replicates: int,
        *,
        workers: int | None = None,
        on: On = None,
        progress: Progress = None,
        checkpoint: Checkpoint = None,
    ) -> SimulationResult:
        """Run more replicates, to `n_replicates` of each condition, on the same streams.

        Those that are here are not run again; the answer is that of one long run.
        """
        study = self._of_study()
        study = dataclasses.replace(
            study, options={**study.options, "replicates": int(n_replicates)}
        )
        columns = [(name, column(values)) for name, values in self.replicates.items()]
        kept = _core.Table.from_columns(columns)
        return study.run(Run(self.seed, workers, on, progress, checkpoint), kept)

    def replay(
        self, condition: int | Mapping[str, Any], replicate: int, *, method: str | None = None
    ) -> dict[str, dict[str, float]]:
        """Run one replicate again, here and now: under a debugger, with its exceptions.

        Parameters
        ----------
        condition : int or mapping
            The place of a condition, or the levels of factors that single one out.
        replicate : int
        method : str, optional
            Look at this method alone: exceptions of the others do not pass.

        Returns
        -------
        dict
            For each method what it found.
        """
        study = self._of_study()
        return study.replay(self.seed, study.place(condition), replicate, method)

    def plot(  # type: ignore[override]
        self, ax: Any = None, *, measure: str = "bias", errors: float = 2.0
    ) -> Any:
        """Draw one measure under every condition with `errors` of its errors; return the axes.

        Needs matplotlib.
        """
        import matplotlib.pyplot as plt

        axes = plt.subplots()[1] if ax is None else ax
        rows = self.measure(measure)
        told = ("method", "estimate", "mcse", "replicates")
        labels = [
            ", ".join(f"{k}={_short(v)}" for k, v in r.items() if k not in told) for r in rows
        ]
        places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
        methods = list(dict.fromkeys(row["method"] for row in rows))
        for shift, method in enumerate(methods):
            own = [(places[at], row) for at, row in zip(labels, rows) if row["method"] == method]
            off = 0.4 * (shift + 0.5) / len(methods) - 0.2
            axes.errorbar(
                [row["estimate"] for _, row in own],
                [place + off for place, _ in own],
                xerr=[errors * row["mcse"] for _, row in own],
                fmt="o",
                label=method,
            )
        axes.set_yticks(list(places.values()), list(places))
        axes.set_xlabel(f"{measure.replace('_', ' ')} ± {errors:g} MCSE")
        axes.legend()
        return axes

    def _of_study(self) -> _Study:
        if self._study is None:
            raise ValueError("this result has lost its study; run it again by `simulate`")
        return self._study


@dataclasses.dataclass(frozen=True)
class _Study:
    """A study as it was asked for, ready to be run with another number of replicates."""

    conditions: list[Condition]
    code: Code | None
    options: dict[str, Any]

    def run(self, run: Run, kept: _core.Table | None) -> SimulationResult:
        result = solve(self.problem(run, kept), run)
        fields = {field.name: getattr(result, field.name) for field in dataclasses.fields(Result)}
        return SimulationResult(**fields, _study=self)

    def problem(self, run: Run, kept: _core.Table | None) -> _core.Problem:
        table = conditions_table(self.conditions)
        function = None if self.code is None else _core.Function.python(self.code, False)
        return build("simulate", self.options, run, table=table, function=function, kept=kept)

    def place(self, condition: int | Mapping[str, Any]) -> int:
        if not isinstance(condition, Mapping):
            if not 0 <= condition < len(self.conditions):
                raise ValueError(f"condition {condition} is none of {len(self.conditions)}")
            return int(condition)
        found = [
            place
            for place, known in enumerate(self.conditions)
            if all(name in known and known[name] == level for name, level in condition.items())
        ]
        if len(found) != 1:
            raise ValueError(f"{dict(condition)} is {len(found)} conditions; name one")
        return found[0]

    def replay(
        self, seed: int, place: int, replicate: int, method: str | None
    ) -> dict[str, dict[str, float]]:
        if self.code is None:
            return self._replay_formulas(seed, place, replicate, method)
        table = conditions_table(self.conditions)
        own = "simulate" if table is None else table.stream_names()[place]
        name = "simulate" if self.options.get("common_random_numbers") else own
        bits: Any = _core.StreamBits(str(seed), name, replicate)
        return self.code.once(np.random.Generator(bits), place, method)

    def _replay_formulas(
        self, seed: int, place: int, replicate: int, method: str | None
    ) -> dict[str, dict[str, float]]:
        task = replicate * len(self.conditions) + place
        words = np.frombuffer(self.problem(Run(seed), None).run_task(task)[24:], "<u8")
        texts = self.options["method"]
        labels = [_label(text) for text in texts]
        values = words[: 6 * len(labels)].view("<f8").reshape(len(labels), 6)
        return {
            label: dict(zip(FIELDS, map(float, found)))
            for label, found in zip(labels, values)
            if method in (None, label)
        }


def simulate(
    generate: Callable[..., Any] | str | Sequence[str],
    methods: Any,
    *,
    conditions: Any = None,
    truth: Any = None,
    null: Any = None,
    rows: str | int | None = None,
    n_replicates: int | float | None = None,
    confidence_level: float | None = None,
    alpha: float | None = None,
    reference: str | None = None,
    measures: str | Sequence[str] | None = None,
    common_random_numbers: bool = False,
    rng: RngLike = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
) -> SimulationResult:
    """Run a simulation study: bias, standard errors, coverage and power of methods.

    Parameters
    ----------
    generate : callable, or str or list of str
        `generate(rng, **factors)` returns the data of one replicate; `rng` is a NumPy
        `Generator` over the replicate's own stream, and factors are those that the
        function names. Or columns as formulas, such as
        `["x = normal(0, 1)", "y = 2*x + e"]`, which run on every core.
    methods : mapping of label to callable, callable, or str or list of str
        `method(data, **factors)` returns an estimate; or a tuple: estimate, standard
        error, ends of an interval, p-value; or a mapping with these by name (`estimate`,
        `se`, `interval` or `low` and `high`, `p`, `truth`); or what a test of SciPy or
        a function of Windfall returns. With a parameter `rng` it may draw too. With
        formulas, methods such as `"mean(x)"` or `"cv = sd(x)/mean(x); interval = bca"`.
    conditions : mapping, list of mappings or data frame, optional
        A mapping of factors to lists of levels is a grid of all combinations.
    truth, null : number, str, callable or mapping of label to these, optional
        What the methods estimate, and what the null hypothesis of tests made of
        standard errors says (0): a number, the name of a factor, a function of factors;
        with formulas, a formula of the factors.
    rows : str or int, optional
        With formulas, the rows of a data set: a formula of the factors; by default the
        factor `n`.
    n_replicates : int, default 1,000
        Of each condition.
    confidence_level : float, default 0.95
        Of the intervals that formulas make, and of normal ones that stand in where a
        method returns a standard error and no interval.
    alpha : float, default 0.05
        A test rejects at a p-value of at most this.
    reference : str, optional
        The method against which the precision of the others is measured.
    measures : str or list of str, optional
        What to tell of `mean`, `bias`, `relative_bias`, `empirical_se`, `mse`, `rmse`,
        `model_se`, `model_se_error`, `coverage`, `bias_eliminated_coverage`,
        `rejection`, `width`, `precision_gain` and `failures`; all by default.
    common_random_numbers : bool
        Whether conditions draw from the same streams.
    rng, workers, on, progress, checkpoint
        As for `integrate`.

    Returns
    -------
    SimulationResult
        `table` holds one row a condition, method and measure, each with its Monte
        Carlo standard error (Morris, White & Crowther 2019, table 6); `to_frame()`
        makes a data frame of it. `replicates` holds every estimate, `failures` what
        failed. `extend` runs more replicates, `replay` one again.

    Notes
    -----
    Replicate r of a condition draws from a stream of its own, named by the condition:
    more replicates or more conditions never change those that were there.

    Python code runs under the interpreter's lock, on one core in effect, but for what
    it does outside (BLAS, I/O). An exception makes a failed replicate, not a failed run.

    Examples
    --------
    Does the usual interval of a mean cover, if data are skewed?

    >>> def sample(rng, n):
    ...     return rng.exponential(size=n)
    >>> def mean(x):
    ...     return x.mean(), x.std(ddof=1) / len(x) ** 0.5
    >>> result = windfall.simulate(
    ...     sample, {"mean": mean}, conditions={"n": [5, 50]}, truth=1, n_replicates=400, rng=1
    ... )
    >>> [round(row["estimate"], 1) for row in result.measure("coverage")]
    [0.8, 0.9]
    """
    known = conditions_from(conditions)
    options = given(
        replicates=n_replicates,
        level=confidence_level,
        alpha=alpha,
        reference=reference,
        measure=measures,
        common_random_numbers=common_random_numbers or None,
        distribution=True,
    )
    if callable(generate):
        if rows is not None:
            raise ValueError("`rows` belongs to formulas; the function makes what rows it likes")
        named = _named(methods)
        code = Code(known, generate, named)
        options["method"] = list(named)
        options |= given(
            truths=aims("truth", truth, known, list(named)),
            nulls=aims("null", null, known, list(named)),
        )
        study = _Study(known, code, options)
    else:
        options["generate"] = [generate] if isinstance(generate, str) else list(generate)
        options["method"] = _texts(methods)
        options |= given(
            rows=_text("rows", rows), truth=_text("truth", truth), null=_text("null", null)
        )
        study = _Study(known, None, options)
    return study.run(Run(rng, workers, on, progress, checkpoint), None)


def _named(methods: Any) -> dict[str, Callable[..., Any]]:
    if callable(methods):
        methods = [methods]
    if not isinstance(methods, Mapping):
        methods = {getattr(m, "__name__", f"method {i}"): m for i, m in enumerate(methods)}
    for label, analyse in methods.items():
        if not callable(analyse):
            raise TypeError(
                f"the method `{label}` is `{analyse!r}`; with a function that makes the data"
                " it must be a function"
            )
    return {str(label): analyse for label, analyse in methods.items()}


def _texts(methods: Any) -> list[str]:
    if isinstance(methods, str):
        return [methods]
    if isinstance(methods, Mapping):
        methods = [f"{label} = {text}" for label, text in methods.items()]
    texts = list(methods)
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"the method `{text!r}` is no formula, as the data are")
    return texts


def _text(what: str, formula: Any) -> str | None:
    if formula is None or isinstance(formula, str):
        return formula
    if isinstance(formula, (int, float, np.number)):
        return repr(float(formula))
    raise TypeError(f"`{what}` is `{formula!r}`; with formulas it is a number or a formula")


def _short(level: Any) -> str:
    return f"{level:g}" if isinstance(level, float) else str(level)


def _label(text: str) -> str:
    main = text.split(";")[0].strip()
    name, equals, rest = main.partition("=")
    is_label = re.fullmatch(r"[\w .-]+", name) is not None
    labelled = equals and is_label and not rest.startswith("=")
    return name.strip() if labelled else main
