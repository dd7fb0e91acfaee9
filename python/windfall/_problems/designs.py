"""What power and sample size share: the test and the data it is to see, as options of a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np

from .. import _core
from .._functions import p_value_function, p_value_of
from .._study import check_call, chosen
from .solving import given

Numbers: TypeAlias = float | Sequence[float] | str
Test: TypeAlias = str | Callable[..., Any]


class Design(TypedDict, total=False):
    """Keyword arguments that only some tests read; see `power`."""

    groups: Sequence[str]
    law: str
    predictor: str
    ratio: float
    arms: int
    margin: float
    proportions: Numbers
    null: float
    probabilities: Numbers | Sequence[Sequence[float]]
    null_probabilities: Numbers
    cells: Numbers
    covariates: int
    r_squared: float
    base_rate: float
    cluster_size: int
    icc: float
    median: float
    accrual: float
    follow_up: float
    dropout: float
    full_data: bool


def own_test(
    test: Test, data: Callable[..., Any] | None
) -> tuple[_core.Function | None, dict[str, Any]]:
    """Return the function that is the test, if one is, and what the job says of the test."""
    if isinstance(test, str):
        if data is not None:
            raise ValueError(
                f"with `data` of your own the test is a function too, not `{test}`: one of what"
                " `data` returns, such as a test of SciPy"
            )
        return None, {"test": test}
    if data is None:
        return p_value_function(test), {}
    return _core.Function.python(_Trial(data, test), False), {"draws_data": True}


class _Trial:
    """Data made and tested: what the core calls for each simulation."""

    def __init__(self, data: Callable[..., Any], test: Callable[..., Any]) -> None:
        for function in (data, test):
            if not callable(function):
                raise TypeError(f"`{function!r}` is no function, which data and test must be")
        known = dict.fromkeys(("n", "effect"))
        check_call(data, known)
        self._names = chosen(data, known)
        self._data, self._test = data, test

    def __call__(self, rng: np.random.Generator, n: int, effect: float | None) -> float:
        known = {"n": n, "effect": effect}
        made = self._data(rng, **{name: known[name] for name in self._names})
        samples = made if isinstance(made, tuple) else (made,)
        return p_value_of(self._test(*samples))


def design_options(
    effect: Numbers | None,
    alpha: float | None,
    alternative: Literal["two-sided", "less", "greater"] | None,
    design: Design,
) -> dict[str, Any]:
    """Return the options of a job, those that were given."""
    every = given(effect=numbers(effect), alpha=alpha, alternative=alternative)
    return {**every, **{key: numbers(value) for key, value in design.items()}}


def numbers(value: Any) -> Any:
    """Return a range or tuple as a list, anything else as it is."""
    if isinstance(value, (range, tuple)):
        return [numbers(item) for item in value]
    return value
