"""One engine at a time, started for its tests and gone after them."""

import gc
import os
import sys
import threading
import time

import psutil
import pytest
from engines import ENGINES

# Functions of the modules here travel by name: workers must find them too.
HERE = os.path.dirname(os.path.abspath(__file__))
# The table of mappings has jobs of its own: what a worker's death costs is tried on those too.
BENCHES = os.path.join(HERE, "../../benches/mappings")
sys.path.append(BENCHES)
FOLDERS = [HERE, BENCHES, os.environ.get("PYTHONPATH")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, FOLDERS))


def pytest_collection_modifyitems(items):
    """Bring the tests of an engine together."""
    order = list(ENGINES)
    items.sort(key=lambda item: order.index(_engine(item)) if _engine(item) else -1)


def _engine(item):
    spec = getattr(item, "callspec", None)
    return spec.params.get("engine") if spec else None


@pytest.fixture(scope="session", params=ENGINES)
def engine(request):
    before = {process.pid for process in psutil.process_iter()}
    ours = psutil.Process()
    segments = shared_memory()
    with ENGINES[request.param]() as found:
        yield found
    deadline = time.monotonic() + 20
    while True:
        # Python's own resource tracker lives as long as this process.
        left = [
            process
            for process in ours.children(recursive=True)
            if process.pid not in before and not _is_tracker(process)
        ]
        gc.collect()  # loky's semaphores go with the last reference to its pool
        segments_left = shared_memory() - segments
        if not (left or segments_left) or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert not left, f"{request.param} leaves {left}"
    assert not segments_left, f"{request.param} leaves {segments_left}"


def shared_memory():
    """The segments that have a name, but for those of others: joblib's go when its process ends.

    So do the semaphores of a pool of loky whose workers were killed while its feeder was writing to
    them: that thread waits for a reader as long as the process lives.
    """
    names = os.listdir("/dev/shm") if os.path.isdir("/dev/shm") else []
    others = ["vader", "mpich", "joblib_memmapping"]
    if any(thread.name == "QueueFeederThread" for thread in threading.enumerate()):
        others.append(f"sem.loky-{os.getpid()}-")
    return {name for name in names if not name.startswith(tuple(others))}


def _is_tracker(process):
    try:
        return any("resource_tracker" in part for part in process.cmdline())
    except psutil.Error:
        return True
