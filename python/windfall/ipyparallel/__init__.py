"""IPython Parallel's names over Windfall's cluster.

`import windfall.ipyparallel as ipp` runs notebooks that were written for IPython Parallel.
"""

from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION

from .. import __version__
from . import error
from .balanced import LoadBalancedView
from .client import Client
from .cluster import Cluster
from .direct import BroadcastView, DirectView
from .error import (
    AlreadyDisplayedError,
    CompositeError,
    DependencyTimeout,
    EngineError,
    ImpossibleDependency,
    InvalidDependency,
    IPythonError,
    KernelError,
    NoEnginesRegistered,
    RemoteError,
    TaskAborted,
    TaskTimeout,
    TimeoutError,
    UnmetDependency,
)
from .executor import ViewExecutor
from .functions import (
    Dependency,
    ParallelFunction,
    Reference,
    RemoteFunction,
    depend,
    dependent,
    interactive,
    parallel,
    remote,
    require,
)
from .joblib import register_joblib_backend
from .maps import AsyncMapResult, LazyMapIterator
from .record import ExecuteReply, Metadata
from .results import AsyncHubResult, AsyncResult

version_info = tuple(map(int, __version__.split(".")[:3]))

__all__ = [
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "AlreadyDisplayedError",
    "AsyncHubResult",
    "AsyncMapResult",
    "AsyncResult",
    "BroadcastView",
    "Client",
    "Cluster",
    "CompositeError",
    "Dependency",
    "DependencyTimeout",
    "DirectView",
    "EngineError",
    "ExecuteReply",
    "IPythonError",
    "ImpossibleDependency",
    "InvalidDependency",
    "KernelError",
    "LazyMapIterator",
    "LoadBalancedView",
    "Metadata",
    "NoEnginesRegistered",
    "ParallelFunction",
    "Reference",
    "RemoteError",
    "RemoteFunction",
    "TaskAborted",
    "TaskTimeout",
    "TimeoutError",
    "UnmetDependency",
    "ViewExecutor",
    "__version__",
    "depend",
    "dependent",
    "error",
    "interactive",
    "parallel",
    "register_joblib_backend",
    "remote",
    "require",
    "version_info",
]
