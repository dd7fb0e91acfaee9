"""Will parallel pay, and on what? A pilot of a job, and a prediction for every mapping."""

from __future__ import annotations

import html
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .. import _core
from .._errors import InputError
from .jobs import problem_of
from .solving import Caught, Run, catch


@dataclass(frozen=True)
class Prediction:
    """What the planner says of one mapping."""

    mapping: str
    """Its name with its workers, such as `threads × 4`."""
    name: str
    workers: int
    seconds: float
    """From the job to the answer."""
    low_s: float
    """Lower end of the interval that should hold 9 of 10 runs."""
    high_s: float
    speedup: float
    """The time of one worker over this one."""
    efficiency: float
    """Speed-up over workers."""
    break_even_tasks: int | None
    """From how many tasks on it is faster than one worker; `None` if it never is."""
    available: bool
    missing: str | None
    """Why it cannot be used from here."""
    costs: dict[str, Any] = field(repr=False)
    """Seconds to start, each round, each worker, each order and each shard; bytes a second."""
    costs_source: str = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """A pilot's findings and a prediction for every mapping, the simplest first."""

    mappings: tuple[Prediction, ...]
    recommended: str
    """The mapping to take."""
    parallel: bool
    """Whether more than one worker is worth it."""
    reason: str
    """Why, in a sentence."""
    serial_share: float
    """The share of one worker's time that no other can take off it (Amdahl)."""
    speedup_limit: float | None
    """The speed-up that no number of workers exceeds, `1 / serial_share`."""
    facts: dict[str, Any] = field(repr=False)
    """Everything, as `windfall plan --json` prints it."""

    def __getitem__(self, mapping: str) -> Prediction:
        """Return the prediction of the mapping with this title, or the first of this name."""
        for one in self.mappings:
            if mapping in (one.mapping, one.name):
                return one
        known = ", ".join(one.mapping for one in self.mappings)
        raise InputError(f"unknown mapping `{mapping}`; known are: {known}")

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self.mappings)

    def __len__(self) -> int:
        return len(self.mappings)

    def keep(
        self, mapping: str, seconds: float, *, state: str | os.PathLike[str] | None = None
    ) -> str:
        """Keep what a run on `mapping` took beside what was predicted; return the file's path.

        `windfall plan --history` then shows how far predictions were off, and later intervals
        are as wide as that.
        """
        one = self[mapping]
        if not seconds > 0:
            raise InputError(f"`seconds` is `{seconds}`; it must be above 0")
        pair = {
            "time_us": 0,
            "host": "",
            "version": "",
            "job": self.facts["problem"],
            "mapping": one.name,
            "workers": one.workers,
            "predicted_s": one.seconds,
            "low_s": one.low_s,
            "high_s": one.high_s,
            "actual_s": float(seconds),
        }
        return os.fspath(_core.keep_run(json.dumps(pair), _path(state)))

    def __str__(self) -> str:
        rows = [("mapping", "seconds", "90 % interval", "speed-up", "efficiency", "")]
        for one in self.mappings:
            rows.append(
                (
                    one.mapping,
                    f"{one.seconds:.3g}",
                    f"{one.low_s:.3g} to {one.high_s:.3g}",
                    f"{one.speedup:.2f}",
                    f"{100 * one.efficiency:.0f} %",
                    one.missing or "",
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        lines = ("   ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        verdict = f"take {self.recommended}" if self.parallel else "do not parallelise"
        return "\n".join([*lines, "", f"{verdict}: {self.reason}"])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def plan(
    job: str | os.PathLike[str] | Mapping[str, Any] | Callable[..., Any],
    /,
    *args: Any,
    pilot: float = 0.3,
    elsewhere: int | None = None,
    state: str | os.PathLike[str] | None = None,
    **kwargs: Any,
) -> Plan:
    """Predict how long a job takes on each mapping, and which one to take.

    A pilot runs some of the job's shards, on one worker and on all; what each mapping costs
    beside the work is known from `windfall plan --calibrate` or a table of defaults. Nothing is
    written.

    Parameters
    ----------
    job : path, mapping or function
        A job file, a job as a mapping with the same keys, or one of the functions that solve a
        problem, such as `windfall.bootstrap`.
    *args, **kwargs
        What that function is called with; `workers` counts the workers of this machine.
    pilot : float, default 0.3
        How long the pilot may run shards, in seconds.
    elsewhere : int, optional
        Workers that engines elsewhere (MPI, Slurm, Dask, ...) would have; as many as here by
        default.
    state : path, optional
        The folder of calibration and history; by default `windfall` in `$XDG_STATE_HOME` or
        `~/.local/state`.

    Returns
    -------
    Plan
        With `recommended`, `reason`, and a `Prediction` for each mapping.

    Examples
    --------
    >>> plan = windfall.plan(windfall.pi, 1_000_000, rng=1)
    >>> plan["serial"].seconds < 1
    True
    >>> windfall.plan({"problem": "pi", "n": 1000, "seed": 1}).reason
    'all its tasks lie in one shard, and a shard is never shared'
    """
    if not 0 < pilot <= 3600:
        raise InputError(f"`pilot` is `{pilot}`; it must be a number of seconds from 0 to 3600")
    began = time.perf_counter()
    caught = _caught(job, args, kwargs)
    build_s = time.perf_counter() - began
    if elsewhere is not None and elsewhere < 1:
        raise InputError(f"`elsewhere` is `{elsewhere}`; it must be at least 1")
    asked = {
        "pilot_s": float(pilot),
        "elsewhere": elsewhere,
        "state": _path(state),
        "build_s": build_s,
    }
    return _plan_of(json.loads(caught.problem.plan(caught.workers, asked)))


def _caught(job: Any, args: Any, kwargs: Any) -> Caught:
    if callable(job):
        caught = catch(job, args, kwargs)
        if caught is None:
            raise InputError(f"`{job!r}` solves no problem; give one such as `windfall.bootstrap`")
        return caught
    workers = kwargs.pop("workers", None)
    if args or kwargs:
        raise InputError("a job that is a file or a mapping holds its arguments; give no others")
    return Caught(problem_of(job, Run()), workers)


def _plan_of(facts: dict[str, Any]) -> Plan:
    run = facts["run"]
    names = {one.name for one in fields(Prediction)}
    rows = ({key: value for key, value in row.items() if key in names} for row in run["mappings"])
    return Plan(
        mappings=tuple(Prediction(**row) for row in rows),
        recommended=run["recommended"],
        parallel=run["parallel"],
        reason=run["reason"],
        serial_share=run["serial_share"],
        speedup_limit=run["speedup_limit"],
        facts=facts,
    )


def _path(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)
