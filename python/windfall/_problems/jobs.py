"""Run and verify jobs: files, mappings, results."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from .. import _core
from .._result import Result, Verification
from .solving import Checkpoint, On, Progress, Run, plain, solve


def run(
    job: str | os.PathLike[str] | Mapping[str, Any],
    *,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
    checkpoint: Checkpoint = None,
) -> Result:
    """Run a job file, or a job given as a mapping with the same keys.

    The other parameters are those of `integrate`.

    Examples
    --------
    >>> windfall.run({"problem": "pi", "n": 1000, "seed": 1}).draws
    1000
    """
    run = Run(None, workers, on, progress, checkpoint)
    return solve(problem_of(job, run), run)


def verify(job: Result | str | os.PathLike[str] | Mapping[str, Any]) -> Verification:
    """Solve a job serially, on 1, 2, 3 and 7 threads and in shuffled order, and compare.

    Parameters
    ----------
    job : Result, path or mapping
        A result is solved again as it was asked for.

    Returns
    -------
    Verification
        True if the bytes are the same on every mapping.

    Examples
    --------
    >>> bool(windfall.verify({"problem": "pi", "n": 3_000_000, "seed": 1}))
    True
    """
    problem = job._problem if isinstance(job, Result) else problem_of(job, Run())
    if problem is None:
        raise ValueError("this result has lost its problem and cannot be solved again")
    return Verification(tuple(problem.verify()))


def problem_of(job: str | os.PathLike[str] | Mapping[str, Any], run: Run) -> _core.Problem:
    """Return the problem of a job; one without a seed takes that of the checkpoint, if any."""
    if isinstance(job, Mapping):
        fields = dict(job)
        fields["seed"] = str(run._replace(rng=fields.get("seed")).seed())
        return _core.Problem(json.dumps(fields, default=plain))
    return _core.Problem.from_file(os.fspath(job), run.kept_seed())
