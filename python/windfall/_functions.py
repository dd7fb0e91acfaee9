"""Recognise user functions: compiled pointers, vectorised NumPy code, scalar Python."""

from __future__ import annotations

import ctypes
import inspect
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._core import Function
from ._errors import InputError
from ._naming import Name, name_of

_TRIAL_POINTS = 3
_FUNCTION_POINTER: type[Any] = ctypes.CFUNCTYPE(None).__mro__[1]
"""The base class of everything that ctypes can call."""


def integrand(function: Any, *, dimensions: int) -> Function:
    """Return `function` as an integrand of `dimensions` variables.

    Compiled code is taken as it is. A Python function is tried on a few points: if one
    call on an array of shape (d, m) gives what m calls on shape (d,) give, it is
    vectorised. If a point gives k values instead of one, they are k integrands.
    """
    compiled = _compiled(function)
    if compiled is not None:
        return compiled
    _check_callable(function, "an integrand")
    return Function.python(function, *_trial(function, dimensions))


def statistic_function(function: Any) -> Function:
    """Return `function` as a statistic of one array a column.

    With an `axis` parameter it is called as `function(*columns, axis=-1)` on columns of
    shape (resamples, rows); without, once for each resample.
    """
    compiled = _compiled(function)
    if compiled is not None:
        return compiled
    _check_callable(function, "a statistic")
    return Function.python(function, _takes_axis(function))


def dump(function: Function) -> bytes:
    """Return the bytes in which a function travels."""
    from ._cluster.errors import SerializationError
    from ._cluster.pack import by_value

    try:
        return by_value(function, "the function")
    except SerializationError as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        raise


def load(code: bytes) -> Function:
    """Return the function that `dump` wrote."""
    function: Function = pickle.loads(code)
    return function


def reduced(owner: Any, vectorised: bool | None, outputs: int) -> tuple[Any, ...]:
    """Return how a pickled function is made again: Python by its code, numba's by its source."""
    if vectorised is not None:
        return _python, (owner, vectorised, outputs)
    source = getattr(owner, "_pyfunc", None)
    signature = getattr(owner, "_sig", None)
    if source is not None and signature is not None:
        options = dict(getattr(owner._compiler, "targetoptions", {}))
        return _compiled_again, (signature, source, options)
    kind = type(owner).__name__
    error = InputError(
        f"a {kind} is the address of compiled code in this process, which means nothing in another"
    )
    error.hint = "compile with numba's @cfunc, which is compiled again there, or run it on threads"
    raise error


def named(function: Function) -> Name:
    """Return the name of a function: equal names mean the same code, in whatever process."""
    try:
        parts = function.__reduce__()
    except InputError as error:
        hint = "compile with numba's @cfunc, which has a source, or leave `checkpoint` out"
        raise InputError.with_hint(f"`checkpoint` names code, and {error}", hint) from None
    return name_of(parts)


def _python(function: Any, vectorised: bool, outputs: int) -> Function:
    return Function.python(function, vectorised, outputs)


def _compiled_again(signature: Any, source: Any, options: dict[str, Any]) -> Function:
    import numba

    function = _compiled(numba.cfunc(signature, **options)(source), gradient=True)
    assert function is not None, "numba makes callbacks of known signatures"
    return function


def _takes_axis(function: Any) -> bool:
    try:
        return "axis" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def p_value_function(function: Any) -> Function:
    """Return `function` as a test of samples, which gives its p-value.

    As for a statistic, `axis` says that one call takes many simulations. It may return a
    p-value or, as SciPy's tests do, something with one as `pvalue`.
    """
    compiled = _compiled(function)
    if compiled is not None:
        return compiled
    _check_callable(function, "a test")
    if _takes_axis(function):
        return Function.python(lambda *s, axis: _bare(function(*s, axis=axis)), True)
    return Function.python(lambda *samples: p_value_of(function(*samples)), False)


def p_value_of(found: Any) -> float:
    """Return the p-value of what a test returned."""
    bare = _bare(found)
    try:
        return float(bare)
    except (TypeError, ValueError):
        raise TypeError(
            f"the test returned `{found!r}`; it must return a p-value, or something that has"
            " one as `pvalue`"
        ) from None


def _bare(found: Any) -> Any:
    return getattr(found, "pvalue", found)


def density(function: Any, start: Sequence[float]) -> Function:
    """Return `function` as a log density of parameters on their own scale.

    Compiled code has the signature `double (int, const double *, double *[, void *])` and
    writes its gradient, or `double (int, double *)` and has none. A Python function takes
    an array and returns a value and its gradient, or a value alone; which of the two is
    found by a trial at `start`.
    """
    compiled = _compiled(function, gradient=True)
    if compiled is not None:
        return compiled
    _check_callable(function, "a log density")
    found = function(np.asarray(start, dtype=np.float64))
    if not isinstance(found, (tuple, list)):
        return Function.python(function, False)
    if len(found) == 2 and np.shape(found[1]) == (len(start),):
        return Function.python(function, True)
    raise ValueError(
        f"the log density returned `{found!r}`; it must return a number, or a number and"
        f" a gradient of shape ({len(start)},)"
    )


def _compiled(function: Any, *, gradient: bool = False) -> Function | None:
    """Return a compiled callback of signature `double (int, double *[, void *])`.

    With `gradient` it may have the gradient as another `double *` before the last.
    """
    if type(function).__name__ == "LowLevelCallable" and isinstance(function, tuple):
        return Function.low_level(function)
    if isinstance(function, _FUNCTION_POINTER):
        address = ctypes.cast(function, ctypes.c_void_p).value or 0
        result, arguments = function.restype, list(function.argtypes or ())
    elif hasattr(function, "ctypes") and hasattr(function, "address"):  # numba's CFunc
        address = int(function.address)
        result, arguments = function.ctypes.restype, list(function.ctypes.argtypes)
    else:
        return None
    _check_signature(result, arguments, gradient=gradient)
    if gradient:
        return Function.pointer(address, len(arguments) > 2, len(arguments) == 4, function)
    return Function.pointer(address, False, len(arguments) == 3, function)


def _check_signature(result: Any, arguments: list[Any], *, gradient: bool) -> None:
    pointers = (ctypes.c_void_p, ctypes.POINTER(ctypes.c_double))
    good = (
        result is ctypes.c_double
        and len(arguments) in ((2, 3, 4) if gradient else (2, 3))
        and ctypes.sizeof(arguments[0]) == ctypes.sizeof(ctypes.c_int)
        and all(kind in pointers for kind in arguments[1:])
    )
    if not good:
        shown = ", ".join(getattr(kind, "__name__", str(kind)) for kind in arguments)
        allowed = "`double (int, double *)` or `double (int, double *, void *)`"
        if gradient:
            allowed = (
                "`double (int, double *)`, with a gradient `double (int, double *, double *)`"
                " or `double (int, double *, double *, void *)`"
            )
        raise ValueError(
            f"the callback has the signature `{getattr(result, '__name__', result)}"
            f" ({shown})`; it must be {allowed}"
        )


def _trial(function: Any, dimensions: int) -> tuple[bool, int]:
    """Return whether one call takes many points, and how many values a point has."""
    points = np.linspace(0.2, 0.8, dimensions * _TRIAL_POINTS)
    points = points.reshape(dimensions, _TRIAL_POINTS)
    outputs = 1

    def single(place: int) -> Any:
        return np.asarray(function(points[:, place].copy()), dtype=np.float64)

    try:
        with np.errstate(all="ignore"):
            first = single(0)
            outputs = max(first.size, 1)
            values = np.asarray(function(points), dtype=np.float64)
            if values.shape != (*first.shape, _TRIAL_POINTS):
                return False, outputs
            singles = [first, *map(single, range(1, _TRIAL_POINTS))]
            same = np.allclose(values, np.stack(singles, axis=-1), equal_nan=True)
            return same, outputs
    except Exception:  # the run will name what is wrong
        return False, outputs


def _check_callable(function: Any, what: str) -> None:
    if not callable(function):
        raise TypeError(
            f"`{function!r}` is not {what}: give a formula, a compiled callback or a function"
        )
