"""Estimate pi: the first example of every lecture."""

from __future__ import annotations

from .._result import Result
from .._rng import RngLike
from .solving import Checkpoint, On, Progress, Run, build, given, solve


def pi(
    n: int | float | None = None,
    *,
    rng: RngLike = None,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
) -> Result:
    """Estimate pi by the share of random points that fall inside its circle.

    Parameters
    ----------
    n : int, default 100,000,000
        Sample points.
    rng : int, SeedSequence, Generator or None
        See `integrate`.
    workers : int, optional
        Threads; by default every core that this process may use.
    on : Cluster, Client, view or str, optional
        See `integrate`.
    progress : bool or callable, optional
        See `integrate`.
    checkpoint : path, optional
        See `integrate`.

    Examples
    --------
    >>> result = windfall.pi(1_000_000, rng=7)
    >>> abs(result.estimate - 3.141592653589793) < 5 * result.mcse
    True
    """
    run = Run(rng, workers, on, progress, checkpoint)
    return solve(build("pi", given(n=n), run), run)
