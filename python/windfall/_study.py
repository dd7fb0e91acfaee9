"""Simulation studies of Python code: conditions, calls, and what methods may return."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from . import _core
from ._data import column
from ._result import Result

Condition: TypeAlias = dict[str, Any]
Numbers: TypeAlias = tuple[float, float, float, float, float, float]

_NAN = float("nan")
FIELDS = ("estimate", "standard_error", "low", "high", "p_value", "truth")
_ALIASES = {
    "se": "standard_error",
    "stderr": "standard_error",
    "bse": "standard_error",
    "ci_low": "low",
    "ci_high": "high",
    "p": "p_value",
    "pvalue": "p_value",
}


def conditions_from(conditions: Any) -> list[Condition]:
    """Return one mapping of factors to levels for each condition.

    A mapping of factors to lists of levels is a grid, whose last factor changes
    fastest; a list of mappings, or a data frame, gives the conditions one by one.
    """
    if conditions is None:
        return [{}]
    if isinstance(conditions, Mapping):
        levels = [_levels(name, given) for name, given in conditions.items()]
        return [dict(zip(conditions, chosen)) for chosen in itertools.product(*levels)]
    if hasattr(conditions, "to_dict") and hasattr(conditions, "columns"):
        names = list(conditions.columns)
        columns = [list(conditions[name]) for name in names]
        return [dict(zip(names, row)) for row in zip(*columns)]
    return [dict(condition) for condition in conditions]


def _levels(name: str, given: Any) -> list[Any]:
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"the levels of `{name}` are `{given!r}`; give a list of them")
    levels = list(given)
    if not levels:
        raise ValueError(f"the factor `{name}` has no levels")
    return levels


def conditions_table(conditions: Sequence[Condition]) -> _core.Table | None:
    """Return the conditions as a table: numbers as they are, anything else by its text."""
    names = list(conditions[0])
    for condition in conditions:
        if list(condition) != names:
            raise ValueError(f"the condition {condition} does not have the factors {names}")
    if not names:
        return None
    return _core.Table.from_columns(
        [(name, _factor([c[name] for c in conditions])) for name in names]
    )


def _factor(levels: list[Any]) -> Any:
    if all(isinstance(level, (int, float, np.number, np.bool_)) for level in levels):
        return column(levels)
    return [getattr(level, "__name__", None) or str(level) for level in levels]


class _Method(NamedTuple):
    """A function that analyses data, and what it takes beside them."""

    label: str
    function: Callable[..., Any]
    factors: list[str]
    wants_rng: bool

    def of(self, data: Any, condition: Condition, rng: np.random.Generator) -> Numbers:
        given = {name: condition[name] for name in self.factors}
        if self.wants_rng:
            given["rng"] = rng
        return numbers(self.function(data, **given))


class Code:
    """Data made and analysed: what the core calls for each replicate."""

    def __init__(
        self,
        conditions: list[Condition],
        generate: Callable[..., Any],
        methods: Mapping[str, Callable[..., Any]],
    ) -> None:
        check_call(generate, conditions[0])
        self._conditions = conditions
        self._generate = generate
        self._factors = chosen(generate, conditions[0])
        self._methods = [
            _Method(label, method, chosen(method, conditions[0]), "rng" in _parameters(method))
            for label, method in methods.items()
        ]

    def _data(self, rng: np.random.Generator, condition: Condition) -> Any:
        return self._generate(rng, **{name: condition[name] for name in self._factors})

    def __call__(self, rng: np.random.Generator, place: int, _: int) -> list[Any] | str:
        """Return six numbers or a message for each method, or one message for all."""
        condition = self._conditions[place]
        try:
            data = self._data(rng, condition)
        except Exception as error:
            return _told(error)
        found: list[Any] = []
        for method in self._methods:
            try:
                found.append(method.of(data, condition, rng))
            except Exception as error:
                found.append(_told(error))
        return found

    def once(
        self, rng: np.random.Generator, place: int, only: str | None
    ) -> dict[str, dict[str, float]]:
        """Run one replicate and let exceptions pass; of one method alone, if it is named."""
        condition = self._conditions[place]
        data = self._data(rng, condition)
        found = {}
        for method in self._methods:
            is_wanted = only in (None, method.label)
            try:
                values = method.of(data, condition, rng)
            except Exception:
                if is_wanted:
                    raise
                continue
            if is_wanted:
                found[method.label] = dict(zip(FIELDS, values))
        return found


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def chosen(function: Callable[..., Any], condition: Condition) -> list[str]:
    """Return the factors that a function takes: all, if it takes any keyword."""
    parameters = _parameters(function)
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()):
        return list(condition)
    # The first parameter takes the generator or the data, whatever its name.
    return [name for name in list(parameters)[1:] if name in condition]


def check_call(generate: Callable[..., Any], condition: Condition) -> None:
    try:
        signature = inspect.signature(generate)
    except (TypeError, ValueError):
        return
    try:
        signature.bind("rng", **dict.fromkeys(chosen(generate, condition)))
    except TypeError as error:
        name = getattr(generate, "__name__", repr(generate))
        raise TypeError(
            f"`{name}` is called with a generator and the factors {list(condition)}: {error}"
        ) from None


def numbers(found: Any) -> Numbers:
    """Return estimate, standard error, interval, p-value and truth of what a method returned."""
    if isinstance(found, Mapping):
        return _of_mapping(found)
    if isinstance(found, Result):
        interval = found.interval
        low, high = (interval.low, interval.high) if interval is not None else (_NAN, _NAN)
        error = _NAN if found.standard_error is None else found.standard_error
        return (float(found.estimate), float(error), float(low), float(high), _NAN, _NAN)
    if hasattr(found, "pvalue"):  # what SciPy's tests return, tuples among them
        estimate = getattr(found, "statistic", found.pvalue)
        return (float(estimate), _NAN, _NAN, _NAN, float(found.pvalue), _NAN)
    if np.ndim(found) == 0:
        return (float(found), _NAN, _NAN, _NAN, _NAN, _NAN)
    values = [float(value) for value in found]
    match values:
        case [estimate] | [estimate, _] | [estimate, _, _, _] | [estimate, _, _, _, _]:
            padded = [*values, *[_NAN] * (6 - len(values))]
            return (estimate, padded[1], padded[2], padded[3], padded[4], _NAN)
    raise ValueError(
        f"the method returned {len(values)} numbers; it may return an estimate, then a standard"
        " error, then the two ends of an interval, then a p-value, or a mapping of these"
    )


def _of_mapping(found: Mapping[str, Any]) -> Numbers:
    values = dict.fromkeys(FIELDS, _NAN)
    for key, value in found.items():
        if key == "interval":
            values["low"], values["high"] = float(value[0]), float(value[1])
            continue
        name = _ALIASES.get(key, key)
        if name not in values:
            known = ", ".join([*FIELDS, "interval"])
            raise ValueError(f"the method returned `{key}`; it may return {known}")
        values[name] = _NAN if value is None else float(value)
    return (
        values["estimate"],
        values["standard_error"],
        values["low"],
        values["high"],
        values["p_value"],
        values["truth"],
    )


def aims(
    what: str, given: Any, conditions: Sequence[Condition], methods: Sequence[str]
) -> list[float | None] | None:
    """Return a number for each condition and, within it, each method."""
    if given is None:
        return None
    each = given if isinstance(given, Mapping) else dict.fromkeys(methods, given)
    unknown = [label for label in each if label not in methods]
    if unknown:
        raise ValueError(f"`{what}` names the method `{unknown[0]}`; there are {list(methods)}")
    return [_aim(what, each.get(m), condition) for condition in conditions for m in methods]


def _aim(what: str, given: Any, condition: Condition) -> float | None:
    if given is None:
        return None
    if isinstance(given, str):
        if given not in condition:
            raise ValueError(f"`{what}` is `{given}`, which is none of {list(condition)}")
        return float(condition[given])
    if callable(given):
        keys = [name for name in _parameters(given) if name in condition]
        if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in _parameters(given).values()):
            keys = list(condition)
        return float(given(**{key: condition[key] for key in keys}))
    return float(given)
