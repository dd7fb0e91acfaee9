"""What power and sample size share: the test and the data it is to see, as options of a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypedDict

from .solving import given

Numbers: TypeAlias = float | Sequence[float] | str


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


def design_options(
    test: str | None,
    effect: Numbers | None,
    alpha: float | None,
    alternative: Literal["two-sided", "less", "greater"] | None,
    design: Design,
) -> dict[str, Any]:
    """Return the options of a job, those that were given."""
    every = given(test=test, effect=numbers(effect), alpha=alpha, alternative=alternative)
    return {**every, **{key: numbers(value) for key, value in design.items()}}


def numbers(value: Any) -> Any:
    """Return a range or tuple as a list, anything else as it is."""
    if isinstance(value, (range, tuple)):
        return [numbers(item) for item in value]
    return value
