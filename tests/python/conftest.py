"""What the Python tests share: paths, the law schools, and a watch for things left behind."""

import contextlib
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import windfall

ROOT = Path(__file__).resolve().parents[2]

# Law school admissions, Efron & Tibshirani (1993), table 3.1.
LSAT = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
GPA = [
    *(3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43),
    *(3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96),
]


@pytest.fixture
def law():
    return {"lsat": np.array(LSAT, float), "gpa": np.array(GPA)}


@pytest.fixture
def examples():
    return ROOT / "examples"


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """Fail a test that leaves threads or shared-memory segments behind."""
    segments = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    before = {thread.ident for thread in threading.enumerate()}
    yield
    after = {t.ident for t in threading.enumerate() if not t.daemon}
    assert after <= before
    if segments:
        assert set(os.listdir("/dev/shm")) <= segments


@pytest.fixture(scope="module")
def cluster():
    """A cluster of three engines for the tests of a module, which leaves no process behind."""
    with nothing_of_clusters_left(), contextlib.closing(_Stopping(3)) as found:
        yield found.cluster


class _Stopping:
    def __init__(self, n):
        self.cluster = windfall.Cluster(n)
        self.close = self.cluster.stop


@pytest.fixture
def rc(cluster):
    """The client of that cluster, with clean engines."""
    cluster.client.wait_for_engines()
    cluster.client[:].clear().get(10)
    return cluster.client


MARK = f"WINDFALL_TESTS={os.getpid()}"
os.environ.update([MARK.split("=")])


@contextlib.contextmanager
def nothing_of_clusters_left():
    """See that no process of a cluster is there that was not there before."""
    before = cluster_processes()
    yield
    deadline = time.monotonic() + 5
    while left := cluster_processes() - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def cluster_processes():
    """The controllers and engines that these tests have started, directly or not."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            marks = (entry / "environ").read_bytes().split(b"\0")
            if b"windfall._cluster." in command and MARK.encode() in marks:
                found.add(int(entry.name))
    return found
