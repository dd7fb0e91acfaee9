"""The problems as functions, one file each: check arguments, build, solve, wrap the answer."""

from .bootstrap import bootstrap
from .fit_many import FitResult, fit_many
from .integrate import integrate
from .jackknife import jackknife
from .jobs import run, verify
from .mixture import MixtureResult, mixture
from .permutation import permutation_test
from .pi import pi
from .planning import Plan, Prediction, plan
from .power import power
from .sample import sample
from .sample_size import sample_size
from .simulate import SimulationResult, simulate

__all__ = [
    "MixtureResult",
    "FitResult",
    "Plan",
    "Prediction",
    "bootstrap",
    "fit_many",
    "integrate",
    "jackknife",
    "mixture",
    "permutation_test",
    "pi",
    "plan",
    "power",
    "run",
    "sample",
    "SimulationResult",
    "simulate",
    "sample_size",
    "verify",
]
