"""Embarrassingly parallel statistics, done right.

The same seed gives the same bytes on any mapping; every answer carries its Monte
Carlo error; nothing hangs and nothing is lost.

>>> import windfall
>>> result = windfall.integrate("exp(-(x0^2 + x1^2))", [(-1, 1), (-1, 1)], rng=1)
>>> abs(result.estimate - 2.230985141404) < 5 * result.mcse
True
"""

from typing import TYPE_CHECKING, Any

from ._core import __version__

if TYPE_CHECKING:
    from ._chains import ChainsResult, ConvergenceWarning
    from ._cluster.client import Client
    from ._cluster.cluster import Cluster
    from ._cluster.engine import engine_id, publish
    from ._cluster.errors import (
        CaptureWarning,
        ClusterError,
        CompositeError,
        ControllerLostError,
        EngineError,
        ImpossibleDependency,
        RemoteError,
        SerializationError,
        TaskAborted,
        TaskTimeout,
        UnmetDependency,
    )
    from ._cluster.errors import (
        TimeoutError as TimeoutError,
    )
    from ._cluster.joblib import register_joblib_backend
    from ._cluster.map_result import AsyncMapResult, MapInterrupted
    from ._cluster.nested import here
    from ._cluster.pool import Pool
    from ._cluster.randomness import GlobalRandomWarning, rng
    from ._cluster.results import AsyncResult, as_completed
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
    from ._problems.bootstrap import bootstrap
    from ._problems.fit_many import FitResult, fit_many
    from ._problems.integrate import integrate
    from ._problems.jackknife import jackknife
    from ._problems.jobs import run, verify
    from ._problems.mixture import MixtureResult, mixture
    from ._problems.permutation import permutation_test
    from ._problems.pi import pi
    from ._problems.planning import Plan, Prediction, plan
    from ._problems.power import power
    from ._problems.sample import sample
    from ._problems.sample_size import sample_size
    from ._problems.simulate import SimulationResult, simulate
    from ._result import IncompleteWarning, Interval, Result, Verification

# What is imported when it is first used: an engine starts without NumPy.
_HOMES = {
    "_chains": "ChainsResult ConvergenceWarning",
    "_cluster.client": "Client",
    "_cluster.cluster": "Cluster",
    "_cluster.engine": "engine_id publish",
    "_cluster.errors": (
        "CaptureWarning ClusterError CompositeError ControllerLostError EngineError"
        " ImpossibleDependency RemoteError SerializationError TaskAborted TaskTimeout"
        " TimeoutError UnmetDependency"
    ),
    "_cluster.joblib": "register_joblib_backend",
    "_cluster.map_result": "AsyncMapResult MapInterrupted",
    "_cluster.nested": "here",
    "_cluster.pool": "Pool",
    "_cluster.randomness": "GlobalRandomWarning rng",
    "_cluster.results": "AsyncResult as_completed",
    "_errors": (
        "ExpressionError FileError InputError NotFiniteError TaskError TooFewError"
        " UnknownNameError UnsupportedError WindfallError"
    ),
    "_problems": (
        "FitResult MixtureResult Plan Prediction SimulationResult bootstrap fit_many integrate"
        " jackknife mixture permutation_test pi plan power run sample sample_size simulate verify"
    ),
    "_result": "IncompleteWarning Interval Result Verification",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

# `TimeoutError` is left out: `from windfall import *` must not hide the builtin.
__all__ = [
    "AsyncMapResult",
    "AsyncResult",
    "CaptureWarning",
    "ChainsResult",
    "Client",
    "Cluster",
    "ClusterError",
    "CompositeError",
    "ControllerLostError",
    "ConvergenceWarning",
    "EngineError",
    "ExpressionError",
    "FileError",
    "FitResult",
    "GlobalRandomWarning",
    "ImpossibleDependency",
    "IncompleteWarning",
    "InputError",
    "Interval",
    "MapInterrupted",
    "MixtureResult",
    "NotFiniteError",
    "Plan",
    "Pool",
    "Prediction",
    "RemoteError",
    "Result",
    "SerializationError",
    "SimulationResult",
    "TaskAborted",
    "TaskError",
    "TaskTimeout",
    "TooFewError",
    "UnknownNameError",
    "UnmetDependency",
    "UnsupportedError",
    "Verification",
    "WindfallError",
    "__version__",
    "as_completed",
    "bootstrap",
    "engine_id",
    "fit_many",
    "here",
    "integrate",
    "jackknife",
    "mixture",
    "permutation_test",
    "pi",
    "plan",
    "power",
    "publish",
    "register_joblib_backend",
    "rng",
    "run",
    "sample",
    "sample_size",
    "simulate",
    "verify",
]


# Modules that are found as attributes though nobody has imported them.
_MODULES = frozenset({"backends", "shared"})


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{name}", __name__)
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module `windfall` has no attribute `{name}`")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: Any) -> None:
    """Do what `%load_ext windfall` does: `%px` and its kin run on the default cluster."""
    from ._cluster.magics import load

    load(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
