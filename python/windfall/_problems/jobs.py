"""Run and verify jobs: files, mappings, results."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from .. import _core
from .._result import Result, Verification
from .._rng import seed_from
from .solving import On, Progress, plain, solve


def run(
    job: str | os.PathLike[str] | Mapping[str, Any],
    *,
    workers: int | None = None,
    on: On = None,
    progress: Progress = None,
) -> Result:
    """Run a job file, or a job given as a mapping with the same keys.

    Examples
    --------
    >>> windfall.run({"problem": "pi", "n": 1000, "seed": 1}).draws
    1000
    """
    return solve(_problem_of(job), workers, progress, on)


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
    problem = job._problem if isinstance(job, Result) else _problem_of(job)
    if problem is None:
        raise ValueError("this result has lost its problem and cannot be solved again")
    return Verification(tuple(problem.verify()))


def _problem_of(job: str | os.PathLike[str] | Mapping[str, Any]) -> _core.Problem:
    if isinstance(job, Mapping):
        fields = dict(job)
        fields["seed"] = str(seed_from(fields.get("seed")))
        return _core.Problem(json.dumps(fields, default=plain))
    return _core.Problem.from_file(os.fspath(job))
