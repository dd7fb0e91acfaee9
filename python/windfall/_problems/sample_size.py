"""The smallest sample size with which a test has a given power, by simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .._result import Result
from .._rng import RngLike
from .designs import Design, Test, design_options, own_test
from .solving import Checkpoint, On, Progress, Run, build, given, solve

if TYPE_CHECKING:
    from typing_extensions import Unpack


def sample_size(
    test: Test,
    power: float | None = None,
    *,
    data: Callable[..., Any] | None = None,
    effect: float | None = None,
    alpha: float | None = None,
    alternative: Literal["two-sided", "less", "greater"] | None = None,
    n_simulations: int | float | None = None,
    tolerance: float | None = None,
    confidence_level: float | None = None,
    n_min: int | None = None,
    n_max: int | None = None,
    rng: RngLike = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
    **design: Unpack[Design],
) -> Result:
    """Find the smallest sample size with which a test has the power asked for.

    Parameters
    ----------
    test : str or callable
        See `power`.
    power : float, default 0.8
        The power to reach.
    data, effect, alpha, alternative, rng, workers, on, progress, checkpoint, **design
        See `power`.
    n_simulations : int, optional
        The most simulations there may be: by default 10^7 where the test sees sums or
        counts that are drawn in place of data, else 200,000.
    tolerance : float, optional
        Stop when the interval for n reaches no further than this from its middle; by
        default when it holds a single n.
    confidence_level : float, default 0.95
        Of the intervals.
    n_min : int, optional
        The smallest n to try: by default the least that the test allows, 2 for a function.
    n_max : int, default 100,000
        The largest n to try.

    Returns
    -------
    Result
        Its quantities are n, with an interval, and the power at n and just below,
        simulated anew; its `table` has every n that was looked at, and `plot()` draws it.

    Examples
    --------
    >>> result = windfall.sample_size("t-test", 0.8, effect=0.5, rng=1)
    >>> result.names
    ('n', 'power at n = 64', 'power at n = 63')
    >>> float(result.estimate[0])
    64.0
    """
    function, named = own_test(test, data)
    options = {
        **named,
        **design_options(effect, alpha, alternative, design),
        **given(
            power=power,
            simulations=n_simulations,
            tolerance=tolerance,
            level=confidence_level,
            n_min=n_min,
            n_max=n_max,
        ),
    }
    run = Run(rng, workers, on, progress, checkpoint)
    return solve(build("sample_size", options, run, function=function), run)
