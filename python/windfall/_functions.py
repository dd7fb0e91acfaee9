"""Recognise user functions: compiled pointers, vectorised NumPy code, scalar Python."""

from __future__ import annotations

import ctypes
import inspect
from typing import Any

import numpy as np

from ._core import Function

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
    try:
        takes_axis = "axis" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        takes_axis = False
    return Function.python(function, takes_axis)


def _compiled(function: Any) -> Function | None:
    """Return a compiled callback of signature `double (int, double *[, void *])`."""
    if type(function).__name__ == "LowLevelCallable" and isinstance(function, tuple):
        return Function.low_level(function)
    if isinstance(function, _FUNCTION_POINTER):
        address = ctypes.cast(function, ctypes.c_void_p).value or 0
        _check_signature(function.restype, function.argtypes)
        return Function.pointer(address, len(function.argtypes or ()) == 3, function)
    if hasattr(function, "ctypes") and hasattr(function, "address"):  # numba's CFunc
        pointer = function.ctypes
        _check_signature(pointer.restype, pointer.argtypes)
        with_data = len(pointer.argtypes) == 3
        return Function.pointer(int(function.address), with_data, function)
    return None


def _check_signature(result: Any, arguments: Any) -> None:
    kinds = list(arguments or ())
    numbers = (ctypes.c_double,)
    pointers = (ctypes.c_void_p, ctypes.POINTER(ctypes.c_double))
    good = (
        result in numbers
        and len(kinds) in (2, 3)
        and ctypes.sizeof(kinds[0]) == ctypes.sizeof(ctypes.c_int)
        and kinds[1] in pointers
    )
    if not good:
        shown = ", ".join(getattr(kind, "__name__", str(kind)) for kind in kinds)
        raise ValueError(
            f"the callback has the signature `{getattr(result, '__name__', result)}"
            f" ({shown})`; it must be `double (int, double *)` or"
            " `double (int, double *, void *)`"
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
