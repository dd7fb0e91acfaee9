"""Exceptions of a task as they travel: name, message, traceback as text, and themselves."""

from __future__ import annotations

import json
import pickle
from typing import Any

from .._core import Segment
from .errors import (
    ClusterError,
    ControllerLostError,
    EngineError,
    ImpossibleDependency,
    RemoteError,
    TaskAborted,
    TaskTimeout,
    UnmetDependency,
)
from .pack import by_value, unpack

OK, ERROR, ABORTED, LOST, UNMET, TIMED_OUT, IMPOSSIBLE = range(7)
"""How a task ended, as the controller numbers it."""

CONTROLLER_LOST = 100
"""The controller is gone and took the task with it."""

_CHAIN_MAX = 10
"""Causes of causes that travel."""


def describe(
    error: BaseException, frames: int, traceback: str | None = None, alone: bool = False
) -> bytes:
    """Pack an exception; the first `frames` of its traceback are ours and left out.

    If `alone`, only what can be said of it travels, not the exception itself.
    """
    if traceback is None:
        traceback = _format(error, frames)
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be had)"
    told = (type(error).__name__, message, traceback, [] if alone else _chain(error))
    return pickle.dumps(told, 5)


def _format(error: BaseException, frames: int) -> str:
    import traceback

    trace = error.__traceback__
    for _ in range(frames):
        if trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def _chain(error: BaseException) -> list[tuple[bool, bytes]]:
    """Pickle an exception and its causes: each with whether it is a cause or a context."""
    chain: list[tuple[bool, bytes]] = []
    link: BaseException | None = error
    is_cause, seen = True, set[int]()
    while link is not None and len(chain) < _CHAIN_MAX and id(link) not in seen:
        seen.add(id(link))
        try:
            body = pickle.dumps(link, 5)
            if b"__main__" in body:
                body = by_value(link, "the exception")
        except Exception:
            try:
                body = by_value(link, "the exception")
            except Exception:
                break
        chain.append((is_cause, body))
        is_cause = link.__cause__ is not None
        link = link.__cause__ if is_cause or link.__suppress_context__ else link.__context__
    return chain


def _rebuild(chain: list[tuple[bool, bytes]]) -> BaseException | None:
    """Return the exception with its causes, as far as they can be made here."""
    found: list[tuple[bool, BaseException]] = []
    for is_cause, body in chain:
        try:
            error = pickle.loads(body)
        except Exception:
            break
        if not isinstance(error, BaseException):
            break
        found.append((is_cause, error))
    for (_, error), (is_cause, cause) in zip(found, found[1:]):
        if is_cause:
            error.__cause__ = cause
        else:
            error.__context__ = cause
    return found[0][1] if found else None


def remote_error(body: bytes, segment: Segment | None, engine: int, task: int) -> RemoteError:
    """Return what `describe` packed, as the error that is raised here."""
    name, message, traceback, chain = unpack(body, segment)
    error = RemoteError(name, message, traceback, engine, task)
    error.__cause__ = _rebuild(chain)
    return error


def error_of(event: tuple[Any, ...]) -> BaseException | None:
    """Return the error that a result event stands for; None if the task returned."""
    _, task, status, engine, _, _, _, body, segment = event
    if status == OK:
        return None
    if status == ERROR:
        return remote_error(body, segment, engine, task)
    if status == ABORTED:
        return TaskAborted(f"task {task} was taken back before it began")
    if status == CONTROLLER_LOST:
        return controller_lost(body.decode())
    if status == UNMET:
        return UnmetDependency(f"task {task} cannot run on engine {engine}")
    told: dict[str, Any] = {}
    if body[:1] == b"{":
        told = json.loads(body)
    if status == LOST:
        return EngineError(told, task)
    if status == TIMED_OUT:
        error = TaskTimeout(
            f"task {task} took longer than its limit on engine {engine}",
            "`view.options(timeout_s=…)` sets the limit",
        )
        if body and not told:
            error.__cause__ = remote_error(body, segment, engine, task)
        return error
    message = told.get("message", "it was refused")
    if not told.get("refused", False):
        return ImpossibleDependency(f"task {task}: {message}")
    return ClusterError(f"task {task} was refused: {message}")


def controller_lost(reason: str) -> ControllerLostError:
    """Return the error of a cluster that is no more."""
    return ControllerLostError(
        f"the controller of the cluster is gone: {reason}",
        "start a new cluster with `windfall.Cluster()` or `windfall start`",
    )
