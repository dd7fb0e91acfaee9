"""Chaos: engines are killed, stopped and broken at random while 100,000 tasks run; none is lost.

The seeds are fixed, what they meet is not: whatever the moment, every result is right or a named
error, and nothing is left behind.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from conftest import cluster_processes, nothing_of_clusters_left

import windfall

TASKS = 100_000


def slow_square(x):
    """A few microseconds of work, and now and then a hundred times as much."""
    sum(range(20_000 if x % 100 == 0 else 200))
    return x * x


def deadly(x):
    """A square, but for two items: one breaks the process, one leaves it."""
    if x == 777:
        import ctypes

        ctypes.string_at(0)
    if x == 999:
        os._exit(3)
    return x * x


class Storm(threading.Thread):
    """Does something bad to a random engine, again and again, until it is told to stop."""

    def __init__(self, cluster, seed, *acts, pause_s=0.4):
        super().__init__()
        self.cluster, self.random, self.acts, self.pause_s = (
            cluster,
            random.Random(seed),
            acts,
            pause_s,
        )
        self.over, self.strokes = threading.Event(), 0

    def run(self):
        while not self.over.wait(self.pause_s * self.random.random()):
            pids = [pid for pid in self.cluster.client.pids.values() if pid]
            if pids:
                with contextlib.suppress(ProcessLookupError):
                    self.random.choice(self.acts)(self.random.choice(pids))
                self.strokes += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def stop_for_a_moment(pid):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.05)
    os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("acts", [(kill,), (stop_for_a_moment,), (kill, stop_for_a_moment)])
def test_a_map_of_many_tasks_loses_nothing_in_a_storm(acts):
    with nothing_of_clusters_left(), windfall.Cluster(n=3) as rc:
        view = rc.load_balanced_view()
        with Storm(rc._cluster, 1, *acts) as storm:
            while storm.strokes < 8:
                try:
                    found = view.map(slow_square, range(TASKS), on_error="return").get(120)
                except windfall.ClusterError as error:
                    # Engines were killed faster than they could begin, again and again.
                    assert kill in acts and "no engine is left" in str(error)
                    continue
                wrong = [(x, y) for x, y in enumerate(found) if y != x * x]
                # An item is given up only after it was under way in two engines that were killed.
                assert len(wrong) <= 3 * storm.strokes
                assert all(isinstance(y, windfall.EngineError) for _, y in wrong)
        rc.wait_for_engines()
        assert view.map(slow_square, range(TASKS)).get(120) == [x * x for x in range(TASKS)]


def test_items_that_break_their_process_are_named_and_the_rest_is_done():
    with nothing_of_clusters_left(), windfall.Cluster(n=3) as rc:
        found = rc.load_balanced_view().map(deadly, range(TASKS), on_error="return").get(120)
        broken = {x: y for x, y in enumerate(found) if y != x * x}
        assert set(broken) == {777, 999}
        assert all(isinstance(error, windfall.EngineError) for error in broken.values())
        assert "SIGSEGV" in str(broken[777]) and "777" in str(broken[777])


def test_single_tasks_in_a_storm_end_as_results_or_as_named_losses():
    with nothing_of_clusters_left(), windfall.Cluster(n=3) as rc:
        view = rc.load_balanced_view().options(retries=3)
        with Storm(rc._cluster, 2, kill, pause_s=0.3) as storm:
            while storm.strokes < 5:
                tasks = [view.apply(slow_square, x) for x in range(5000)]
                for x, task in enumerate(tasks):
                    error = task.exception(60)
                    assert isinstance(error, windfall.EngineError) or task.get() == x * x


def test_memory_that_runs_out_is_an_error_of_its_task():
    def hungry(gigabytes):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        return len(bytearray(gigabytes << 30))

    with nothing_of_clusters_left(), windfall.Cluster(n=2) as rc:
        task = rc[0].apply(hungry, 8)
        assert isinstance(task.exception(30), (windfall.RemoteError, windfall.EngineError))
        assert "MemoryError" in str(task.exception(30)) or "died" in str(task.exception(30))
        assert rc[1].apply(pow, 2, 3).get(10) == 8


PROGRAM = """
    import os, signal, sys, threading, time, windfall
    rc = windfall.Cluster(n=3).client
    tasks = rc.load_balanced_view().map(lambda x: time.sleep(0.001) or x, range(100_000))
    time.sleep(float(sys.argv[2]))
    os.kill(os.getpid() if sys.argv[1] == "client" else rc._cluster._process.pid, signal.SIGKILL)
    began = time.monotonic()
    try:
        tasks.get(30)
    except windfall.ControllerLostError:
        assert time.monotonic() - began < 5
        print("told at once")
"""


@pytest.mark.parametrize("delay", ["0.01", "0.2", "0.5"])
@pytest.mark.parametrize("victim", ["client", "controller"])
def test_whoever_is_killed_nothing_is_left(victim, delay):
    with nothing_of_clusters_left():
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), victim, delay],
            capture_output=True,
            text=True,
            timeout=60,
        )
        if victim == "client":
            assert done.returncode == -signal.SIGKILL, done.stderr
        else:
            assert (done.returncode, done.stdout) == (0, "told at once\n"), done.stderr
    assert not cluster_processes()
