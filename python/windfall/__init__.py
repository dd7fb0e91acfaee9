"""Embarrassingly parallel statistics, done right.

The same seed gives the same bytes on any mapping; every answer carries its Monte
Carlo error; nothing hangs and nothing is lost.

>>> import windfall
>>> result = windfall.integrate("exp(-(x0^2 + x1^2))", [(-1, 1), (-1, 1)], rng=1)
>>> abs(result.estimate - 2.230985141404) < 5 * result.mcse
True
"""

from ._chains import ChainsResult, ConvergenceWarning
from ._core import __version__
from ._errors import (
    ExpressionError,
    FileError,
    InputError,
    NotFiniteError,
    TaskError,
    TooFewError,
    UnknownNameError,
    UnsupportedError,
    WindfallError,
)
from ._problems import (
    FitResult,
    MixtureResult,
    SimulationResult,
    bootstrap,
    fit_many,
    integrate,
    jackknife,
    mixture,
    pi,
    run,
    sample,
    simulate,
    verify,
)
from ._result import IncompleteWarning, Interval, Result, Verification

__all__ = [
    "ChainsResult",
    "ConvergenceWarning",
    "ExpressionError",
    "FileError",
    "FitResult",
    "IncompleteWarning",
    "InputError",
    "Interval",
    "MixtureResult",
    "NotFiniteError",
    "Result",
    "SimulationResult",
    "TaskError",
    "TooFewError",
    "UnknownNameError",
    "UnsupportedError",
    "Verification",
    "WindfallError",
    "__version__",
    "bootstrap",
    "fit_many",
    "integrate",
    "jackknife",
    "mixture",
    "pi",
    "run",
    "sample",
    "simulate",
    "verify",
]
