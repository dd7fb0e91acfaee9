"""Will parallel pay, and on what? A pilot of a job, and a prediction for every mapping."""

from __future__ import annotations

import html
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

from .. import _core
from .._errors import InputError
from .._result import Result
from .bootstrap import bootstrap
from .jobs import problem_of, run
from .pi import pi
from .solving import Caught, On, Run, _where, catch


@dataclass(frozen=True)
class Prediction:
    """What the planner says of one mapping."""

    mapping: str
    """Its name with its workers, such as `threads × 4`."""
    name: str
    place: str | None
    """Which one of that name, such as the name of a cluster."""
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
    _job: Callable[..., Result] = field(repr=False, compare=False)
    """What solves the job, where it is told to."""
    _on: On = field(repr=False, compare=False)
    _state: str | None = field(repr=False, compare=False)

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
        folder = self._state if state is None else _path(state)
        return os.fspath(_core.keep_run(json.dumps(pair), folder))

    def run(self, mapping: str | None = None) -> Result:
        """Run the job on a mapping, or on the one to take, and keep what that took.

        Parameters
        ----------
        mapping : str, optional
            Its title or name; the recommended one if left out. Mappings that are commands (MPI,
            Slurm, new native engines) run by `windfall plan FILE --run=NAME`.

        Returns
        -------
        Result
            As the function or `windfall.run` returns it.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     windfall.plan(windfall.pi, 1000, rng=1, state=folder).run().draws
        1000
        """
        one = self[self.recommended if mapping is None else mapping]
        if one.missing is not None:
            raise InputError(f"`{one.mapping}` cannot be used from here: {one.missing}")
        began = time.perf_counter()
        result = self._solve(one)
        seconds = time.perf_counter() - began
        if result.complete:
            self.keep(one.mapping, seconds)
        return result

    def _solve(self, one: Prediction) -> Result:
        if one.name in ("serial", "threads"):
            return self._job(workers=one.workers)
        if one.name == "python-engines":
            from .._cluster.cluster import Cluster

            with Cluster(n=one.workers) as client:
                return self._job(on=client)
        if one is self.mappings[-1] and self._on is not None:
            return self._job(on=self._on)
        if one.place is not None:
            return self._job(on=one.place)
        raise InputError.with_hint(
            f"`{one.mapping}` is a command, which starts from a job file",
            f"windfall plan FILE --run={one.name}",
        )

    def __str__(self) -> str:
        heads = ("mapping", "seconds", "90 % interval", "speed-up", "efficiency", "pays from", "")
        rows = [heads]
        for one in self.mappings:
            tasks = one.break_even_tasks
            pays = "never" if tasks is None else f"{tasks:,} tasks"
            rows.append(
                (
                    one.mapping,
                    f"{one.seconds:.3g}",
                    f"{one.low_s:.3g} to {one.high_s:.3g}",
                    f"{one.speedup:.2f}",
                    f"{100 * one.efficiency:.0f} %",
                    pays if one.workers > 1 else "",
                    one.missing or "",
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
        lines = ("   ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        verdict = f"take {self.recommended}" if self.parallel else "do not parallelise"
        return "\n".join([*lines, "", self._shards(), f"{verdict}: {self.reason}"])

    def _shards(self) -> str:
        """Return how the size of shards suits."""
        size = self.facts["run"]["shard_size"]
        least, most = f"{size['tasks_min']:,}", f"{size['tasks_max']:,}"
        suit = most if least == most else f"{least} to {most}"
        return (
            f"shards of {self.facts['tasks_per_shard']:,} tasks on {size['mapping']}:"
            f" {size['verdict']}; {suit} tasks a shard would suit"
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def plan(
    job: str | os.PathLike[str] | Mapping[str, Any] | Callable[..., Any],
    /,
    *args: Any,
    pilot: float = 0.3,
    elsewhere: int | None = None,
    calibrate: bool = False,
    state: str | os.PathLike[str] | None = None,
    **kwargs: Any,
) -> Plan:
    """Predict how long a job takes on each mapping, and which one to take.

    A pilot runs some of the job's shards, on one worker and on all; what each mapping costs
    beside the work is known from `calibrate`, `windfall plan --calibrate` or a table of defaults.
    Nothing is written without `calibrate`.

    Parameters
    ----------
    job : path, mapping or function
        A job file, a job as a mapping with the same keys, or one of the functions that solve a
        problem, such as `windfall.bootstrap`.
    *args, **kwargs
        What that function is called with; `workers` counts the workers of this machine. With
        `on`, the engines that it stands for are one more mapping, with the workers that they
        have; they run already, so that starting them costs nothing.
    pilot : float, default 0.3
        How long the pilot may run shards, in seconds.
    elsewhere : int, optional
        Workers that engines elsewhere (MPI, Slurm, Dask, ...) would have; as many as here by
        default.
    calibrate : bool, default False
        Measure first what the engines of `on` cost beside the work, by some 170 jobs of next to
        no work, and keep it in `state` for later plans.
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
    if elsewhere is not None and elsewhere < 1:
        raise InputError(f"`elsewhere` is `{elsewhere}`; it must be at least 1")
    began = time.perf_counter()
    caught, solve = _caught(job, args, kwargs)
    build_s = time.perf_counter() - began
    on = caught.run.on
    if calibrate and on is None:
        raise InputError.with_hint(
            "`calibrate` measures the engines of `on`, and there are none",
            "`windfall plan --calibrate` measures what is on this machine",
        )
    asked: dict[str, Any] = {
        "workers": caught.run.workers,
        "pilot_s": float(pilot),
        "elsewhere": elsewhere,
        "state": _path(state),
        "build_s": build_s,
        "beside_s": _beside_s(on) if calibrate else None,
    }
    where = _where(on)
    try:
        asked["given"] = None if where is None else (_mapping_of(on, where), where)
        facts = json.loads(caught.problem.plan(asked))
    finally:
        if hasattr(where, "close"):
            where.close()
    return _plan_of(facts, solve, on, _path(state))


_WARM, _RUNS = 50, 11
"""Turns until an engine has warmed up (Spark's Java compiles what it runs for some hundred jobs),
and turns that are measured: the median counts."""


def _beside_s(on: On) -> tuple[float, float]:
    """Return the seconds to open a run on engines, and to bring a table to them."""

    def opened() -> None:
        where = _where(on)
        if hasattr(where, "close"):
            where.close()

    mean = partial(bootstrap, {"x": [1.0, 2.0]}, "mean(x)", n_resamples=1, method="percentile")
    place: dict[str, Any] = {"rng": 1, "on": on, "progress": False}
    turn = (opened, partial(pi, 1, **place), partial(mean, **place))
    found: list[list[float]] = []
    for _ in range(_WARM + _RUNS):
        times = []
        for each in turn:
            began = time.perf_counter()
            each()
            times.append(time.perf_counter() - began)
        found.append(times)
    open_s, alone_s, reading_s = (statistics.median(one) for one in zip(*found[_WARM:]))
    return open_s, max(reading_s - alone_s, 0.0)


def _caught(job: Any, args: Any, kwargs: Any) -> tuple[Caught, Callable[..., Result]]:
    """Return the problem, and what solves it where it is told to."""
    place = {key: kwargs.pop(key) for key in ("workers", "on") if key in kwargs}
    if callable(job):
        caught = catch(job, args, {**kwargs, **place})
        if caught is None:
            raise InputError(f"`{job!r}` solves no problem; give one such as `windfall.bootstrap`")
        return caught, partial(job, *args, **kwargs)
    if args or kwargs:
        raise InputError("a job that is a file or a mapping holds its arguments; give no others")
    return Caught(problem_of(job, Run()), Run(**place)), partial(run, job)


def _mapping_of(on: On, where: Any) -> str:
    """Return the name of the mapping that `on` is; `where` is what `_where` made of it."""
    if not isinstance(where, tuple):
        return str(where.backend.mapping)
    from .._cluster.client import Client

    if isinstance(on, str):
        with Client(on) as client:
            has_ranks = client._are_ranks()
    else:
        theirs: Any = getattr(on, "client", on)
        has_ranks = theirs._are_ranks()
    return "rank-engines" if has_ranks else "engines"


def _plan_of(
    facts: dict[str, Any], solve: Callable[..., Result], on: On, state: str | None
) -> Plan:
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
        _job=solve,
        _on=on,
        _state=state,
    )


def _path(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)
