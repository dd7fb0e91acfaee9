"""The problems as functions, one file each: check arguments, build, solve, wrap the answer."""

from .bootstrap import bootstrap
from .fit_many import FitResult, fit_many
from .integrate import integrate
from .jackknife import jackknife
from .jobs import run, verify
from .mixture import MixtureResult, mixture
from .pi import pi
from .sample import sample
from .simulate import SimulationResult, simulate

__all__ = [
    "MixtureResult",
    "FitResult",
    "bootstrap",
    "fit_many",
    "integrate",
    "jackknife",
    "mixture",
    "pi",
    "run",
    "sample",
    "SimulationResult",
    "simulate",
    "verify",
]
