"""Stands in for IPython Parallel: its names are Windfall's, its tests those of an installed one."""

import os
import sys
import types

import windfall.ipyparallel as face
from windfall.ipyparallel import client, datapub, error, maps, util

CLUSTER = "iptest"
TESTS = os.environ["IPYPARALLEL_TESTS"]


class Process:
    """An engine, as the tests know it: a process that may have ended."""

    def poll(self):
        """Say that it runs."""


def setup():
    """Start the cluster of a test module."""
    cluster = face.Cluster(1, cluster_id=CLUSTER)
    running.append(cluster.start_cluster_sync())


def teardown():
    """Stop it."""
    while running:
        running.pop().stop_cluster_sync()


def add_engines(n=1, profile=CLUSTER, total=False):
    """Add engines; with `total` as many as are missing."""
    with face.Client(profile=profile) as rc:
        n = max(n - len(rc), 0) if total else n
        if n:
            rc.core.add_engines(n)
    return [Process() for _ in range(n)]


def module(name, **names):
    """Have a module of that name."""
    made = types.ModuleType(name)
    vars(made).update(names)
    sys.modules[name] = made
    return made


def new(kind, *args, **kwargs):
    """Make a client; tests put their own in place of this."""
    return object.__new__(kind)


running = []
face.Client.__new__ = staticmethod(new)
sys.modules["ipyparallel"] = face
for part in (error, util, datapub):
    sys.modules[f"ipyparallel.{part.__name__.rpartition('.')[2]}"] = part
view = module(
    "ipyparallel.client.view",
    LazyMapIterator=maps.LazyMapIterator,
    LoadBalancedView=face.LoadBalancedView,
)
module("ipyparallel.client", client=client, view=view)
sys.modules["ipyparallel.client.client"] = client
module("ipyparallel.client._joblib", IPythonParallelBackend=None)
module("ipyparallel.serialize", can=lambda thing: thing, uncan=lambda thing, namespace: thing)
module(
    "ipyparallel.tests",
    __path__=[TESTS],
    __file__=os.path.join(TESTS, "__init__.py"),
    setup=setup,
    teardown=teardown,
    add_engines=add_engines,
    launchers=[],
)
