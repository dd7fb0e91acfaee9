"""The problems as functions, one file each: check arguments, build, solve, wrap the answer."""

from .bootstrap import bootstrap
from .integrate import integrate
from .jackknife import jackknife
from .jobs import run, verify
from .mixture import MixtureResult, mixture
from .pi import pi
from .power import power
from .sample import sample
from .sample_size import sample_size

__all__ = [
    "MixtureResult",
    "bootstrap",
    "integrate",
    "jackknife",
    "mixture",
    "pi",
    "power",
    "run",
    "sample",
    "sample_size",
    "verify",
]
