"""The power of a test, by simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .._result import Result
from .._rng import RngLike
from .designs import Design, Numbers, Test, design_options, numbers, own_test
from .solving import Checkpoint, On, Progress, Run, build, given, solve

if TYPE_CHECKING:
    from typing_extensions import Unpack


def power(
    test: Test,
    n: Numbers,
    *,
    data: Callable[..., Any] | None = None,
    effect: Numbers | None = None,
    alpha: float | None = None,
    alternative: Literal["two-sided", "less", "greater"] | None = None,
    n_simulations: int | float | None = None,
    tolerance: float | None = None,
    confidence_level: float | None = None,
    rng: RngLike = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
    **design: Unpack[Design],
) -> Result:
    """Estimate the power of a test: how often it rejects when the effect is there.

    Parameters
    ----------
    test : str or callable
        "t-test", "welch", "one-sample-t", "paired-t", "anova", "equivalence", "cluster",
        "proportion", "proportions", "fisher", "goodness-of-fit", "independence",
        "correlation", "linear-regression", "logistic-regression", "mann-whitney",
        "wilcoxon" or "log-rank". Or a function of the samples, one array each, that
        returns a p-value, or something with one as `pvalue`, as SciPy's tests do; with an
        `axis` argument it is called on many simulations at once. A compiled callback gets
        the samples one after the other.
    n : int, sequence of int, or str
        The sample size, of each sample where there are several. Several, as a list or a
        range such as "20:100:10", make a curve, whose points see the same draws.
    data : callable, optional
        Where the test is a function: `data(rng, n, effect)` makes the data of one
        simulation with a NumPy `Generator` over a stream of its own. It may leave out
        `n` and `effect`. A tuple is the arguments of the test, anything else its only one.
        Without it the samples come from the laws of `groups` or, as for the t test, from
        `law` and `effect`, and are those that a test called by its name sees.
    effect : float or sequence of float, optional
        In the test's measure: Cohen's d, f, h or w, a correlation, a slope, an odds or a
        hazard ratio. Left out where the laws or proportions of the samples are given.
    alpha : float, default 0.05
        The level at which the test rejects.
    alternative : {"two-sided", "less", "greater"}
        Of a test that is called by its name.
    n_simulations : int, default 100,000
        Of each point; with `tolerance` the most there may be.
    tolerance : float, optional
        Stop as soon as the Monte Carlo standard error of every point is at most this.
    confidence_level : float, default 0.95
        Of the interval (Clopper-Pearson).
    rng, workers, on, progress, checkpoint
        As for `integrate`.
    **design
        What only some tests read. Data: `groups` (the law of each sample, such as
        "normal(0.5, 1)", "gamma(2, 1.5)" or "bernoulli(0.3)"), `law` (of data that the
        effect moves), `ratio` (of the second sample size to the first), `arms` (samples of
        an analysis of variance or of a function), `margin` (of equivalence), `proportions`, `null`,
        `probabilities`, `null_probabilities` and `cells` (of tables), `predictor`,
        `covariates`, `r_squared` and `base_rate` (of regressions), `cluster_size`, `icc`,
        `median`, `accrual`, `follow_up` and `dropout` (of survival). `full_data=True` draws
        every value, even where sums or counts of them, drawn by their exact law, would do.

    Returns
    -------
    Result
        `estimate` is the power, an array along a curve, whose points are also `table`;
        `plot()` draws it.

    Examples
    --------
    >>> result = windfall.power("t-test", 64, effect=0.5, rng=1)
    >>> abs(result.estimate - 0.80145956) < 5 * result.mcse
    True
    >>> curve = windfall.power("mann-whitney", [20, 40], effect=0.5, n_simulations=2000, rng=1)
    >>> bool(curve.estimate[0] < curve.estimate[1])
    True

    A test of SciPy, on data of Windfall's laws, then on data of one's own:

    >>> from scipy import stats
    >>> own = windfall.power(
    ...     stats.brunnermunzel, 40, effect=0.8, law="gamma(2)", n_simulations=400, rng=1
    ... )
    >>> bool(0.9 < own.estimate < 1)
    True
    >>> def pairs(rng, n, effect):
    ...     before = rng.normal(size=n)
    ...     return before, before + effect + rng.standard_t(3, size=n)
    >>> own = windfall.power(
    ...     stats.wilcoxon, [20, 40], data=pairs, effect=0.5, n_simulations=100, rng=1
    ... )
    >>> own.estimate.shape
    (2,)
    """
    function, named = own_test(test, data)
    options = {
        **named,
        **design_options(effect, alpha, alternative, design),
        **given(
            n=numbers(n),
            simulations=n_simulations,
            tolerance=tolerance,
            level=confidence_level,
        ),
    }
    run = Run(rng, workers, on, progress, checkpoint)
    return solve(build("power", options, run, function=function), run)
