"""Clusters: started, found, left, lost, stopped; nothing of them stays."""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from conftest import cluster_processes, nothing_of_clusters_left

import windfall
from windfall import _core


@pytest.fixture(autouse=True)
def nothing_left():
    with nothing_of_clusters_left():
        yield


def script(code, **options):
    """Run a program that uses a cluster."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def test_the_import_brings_nothing_heavy():
    code = """
        import sys, windfall
        heavy = {"numpy", "pandas", "IPython", "cloudpickle", "asyncio", "traceback"}
        print(sorted(heavy & set(sys.modules)))
        from windfall._cluster import engine
        print(sorted(heavy & set(sys.modules)))
        from windfall import *
        print(bootstrap.__name__, Cluster.__name__, TimeoutError.__module__, "pi" in dir(windfall))
        print(windfall.TimeoutError.__mro__[2].__name__)
    """
    done = script(code)
    assert done.stdout.splitlines() == [
        "[]",
        "[]",
        "bootstrap Cluster builtins True",
        "WindfallError",
    ]
    with pytest.raises(AttributeError, match="no attribute `nothing`"):
        windfall.nothing  # noqa: B018


def test_a_cluster_is_started_and_stopped():
    with windfall.Cluster(n=2, name="here") as rc:
        assert rc.ids == [0, 1] and "here" in _core.clusters()
        cluster = rc._cluster
        assert repr(cluster).startswith("<Cluster `here`: 2 engines, ")
        info = cluster.info
        assert set(info["engines"]) == {0, 1} and info["threads"] == cluster.threads
    assert "here" not in _core.clusters()
    assert repr(cluster) == "<Cluster `here`: stopped>"
    cluster.stop()


def test_a_cluster_that_nobody_refers_to_ends():
    client = windfall.Cluster(n=1).client
    gc.collect()
    assert client[0].apply(abs, -1).get(10) == 1
    processes = cluster_processes()
    del client
    gc.collect()
    assert not processes & cluster_processes()


def test_arguments_are_checked_before_anything_starts():
    with pytest.raises(windfall.InputError, match="`n` is `0`"):
        windfall.Cluster(n=0)
    with pytest.raises(windfall.InputError, match="`threads` is `0`"):
        windfall.Cluster(n=1, threads=0)


def test_engines_that_cannot_start_say_why(tmp_path):
    # Python ends where it finds this module.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys; sys.stderr.write('broken on purpose'); sys.stderr.flush(); os._exit(1)\n"
    )
    with pytest.raises(windfall.ClusterError, match="(?s)cannot be started.*broken on purpose"):
        windfall.Cluster(n=1, environment={"PYTHONPATH": str(tmp_path)})


def test_a_name_is_used_once():
    with (
        windfall.Cluster(n=1, name="twice"),
        pytest.raises(windfall.ClusterError, match="`twice` runs already"),
    ):
        windfall.Cluster(n=1, name="twice")


def test_a_name_taken_in_the_same_moment_stays_with_its_first_owner(monkeypatch):
    from windfall._cluster import cluster

    with windfall.Cluster(n=1, name="twins") as rc:
        monkeypatch.setattr(cluster, "_is_taken", lambda name: False)
        with pytest.raises(windfall.ClusterError, match="`twins` did not start"):
            windfall.Cluster(n=1, name="twins")
        with pytest.raises(windfall.WindfallError, match="its controller is process"):
            _core.ClientLink("twins", True, os.getpid())
        assert rc[0].apply(abs, -1).get(10) == 1


def test_clients_find_a_cluster_and_work_side_by_side():
    with pytest.raises(windfall.ClusterError, match="no cluster `none`.*there run: "):
        windfall.Client("none")
    with windfall.Cluster(n=1, name="found") as rc:
        with windfall.Client("found") as other, windfall.Client("found") as third:
            rc[0]["a"] = 5
            assert other[0]["a"] == 5 and third[0]["a"] == 5
            assert len(rc.status()["clients"]) == 3
        with pytest.raises(windfall.ControllerLostError, match="this client was closed"):
            other[0].apply(abs, 1)
        assert rc[0].apply(abs, -1).get(10) == 1


def test_the_results_of_a_client_that_died_are_fetched():
    with windfall.Cluster(n=1, name="kept") as rc:
        code = """
            import os, signal, windfall
            rc = windfall.Client("kept")
            late = rc.load_balanced_view().apply(__import__("time").sleep, 0.3)
            result = rc.load_balanced_view().apply(pow, 2, 10)
            print(result.tasks[0], late.tasks[0], flush=True)
            rc.status()
            os.kill(os.getpid(), signal.SIGKILL)
        """
        first, late = map(int, script(code).stdout.split())
        assert rc.result(first).get(10) == 1024
        assert rc.result(late).get(10) is None
        with pytest.raises(windfall.ClusterError, match="no result of the tasks"):
            rc.result(first)
        with pytest.raises(windfall.ClusterError, match="no tasks"):
            rc.result([])


def test_results_that_a_client_had_received_when_it_died_are_fetched():
    with windfall.Cluster(n=1, name="received") as rc:
        code = """
            import os, signal, sys, windfall
            rc = windfall.Client("received")
            results = [rc.load_balanced_view().apply(pow, 2, n) for n in range(10)]
            assert results[9].get() == 512
            print(*(result.tasks[0] for result in results), flush=True)
            if sys.argv[1:] == ["close"]:
                rc.close()
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        """
        tasks = list(map(int, script(code).stdout.split()))
        assert rc.result(tasks).get(10) == [2**n for n in range(10)]
        own = rc[0].apply(abs, -3)
        assert own.get(10) == 3
        with windfall.Client("received") as other:
            assert other.result(own.tasks[0]).get(10) == 3
        closed = script(code.replace('["close"]', "[]"))
        with pytest.raises(windfall.ClusterError, match="no result of the tasks"):
            rc.result(int(closed.stdout.split()[0]))


def test_a_controller_that_was_killed_is_replaced_by_a_new_cluster_of_its_name():
    with windfall.Cluster(n=2, name="again") as rc:
        other = windfall.Client("again")
        done, waits = rc[0].apply(abs, -1), other[1].apply(time.sleep, 60)
        rc[0]["x"] = 1
        os.kill(rc._cluster.info["controller"], signal.SIGKILL)
        # Whoever waits, or asks for something new, is told at once; what had come stays.
        with pytest.raises(windfall.ControllerLostError, match="start a new cluster"):
            waits.get(10)
        for client in (other, rc):
            with pytest.raises(windfall.ControllerLostError, match="start a new cluster"):
                client[0].apply(abs, -1).get(10)
        assert done.get() == 1
        # A new cluster of that name is another one: it has no names and no tasks of the old one.
        with windfall.Cluster(n=1, name="again") as fresh:
            assert windfall.Client("again").ids == [0]
            with pytest.raises(windfall.RemoteError, match="NameError"):
                fresh[0]["x"]
            with pytest.raises(windfall.ClusterError, match="no result of the tasks"):
                fresh.result(waits.tasks[0])
            with pytest.raises(windfall.ControllerLostError):
                other.load_balanced_view().apply(abs, -1).get(10)


def test_a_lost_controller_is_an_error_at_once():
    cluster = windfall.Cluster(n=1)
    rc = cluster.client
    waits = rc[0].apply(time.sleep, 60)
    threading.Timer(0.2, os.kill, (cluster.info["controller"], signal.SIGKILL)).start()
    began = time.monotonic()
    with pytest.raises(windfall.ControllerLostError, match="hint: start a new cluster"):
        waits.get()
    for call in (lambda: rc[:], rc.queue_status, lambda: waits.get(), lambda: rc.ids):
        with pytest.raises(windfall.ControllerLostError):
            call()
    assert time.monotonic() - began < 5
    assert waits.metadata.status == "controller lost"
    cluster.stop()


def test_closing_wakes_who_waits():
    with windfall.Cluster(n=1) as rc:
        other = windfall.Client(rc.name)
        result = other[0].apply(time.sleep, 1)
        threading.Timer(0.2, other.close).start()
        with pytest.raises(windfall.ControllerLostError, match="closed"):
            result.get(10)


@pytest.mark.parametrize(
    "end", ["", "os.kill(os.getpid(), 9)", "1 / 0", "sys.exit(3)", "os._exit(0)"]
)
def test_a_cluster_ends_with_its_process(end):
    code = f"""
        import os, sys, windfall
        rc = windfall.Cluster(n=2).client
        rc[:].apply(__import__("time").sleep, 30)
        print(rc.ids, flush=True)
        {end}
    """
    assert script(code).stdout == "[0, 1]\n"


def test_a_forked_child_leaves_the_cluster_alone():
    code = """
        import os, sys, windfall
        rc = windfall.Cluster(n=1).client
        if os.fork() == 0:
            try:
                rc[0].apply(abs, 1).get(5)
            except windfall.ControllerLostError as error:
                print(error, flush=True)
            sys.exit()
        os.wait()
        print(rc[0].apply(abs, -7).get(5))
    """
    done = script(code)
    assert "forked" in done.stdout and done.stdout.splitlines()[-1] == "7", done.stderr


def test_engines_are_added_and_leave():
    with windfall.Cluster(n=1) as rc:
        assert rc.add_engines(2) == [1, 2]
        assert rc.ids == [0, 1, 2]
        rc[1].shutdown()
        deadline = time.monotonic() + 10
        while rc.ids != [0, 2]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert rc[:].apply(windfall.engine_id).get(10) == [0, 2]
        with pytest.raises(windfall.ClusterError, match="no engine 1"):
            rc.restart([1])


def test_engines_have_the_path_and_the_core_budget_of_their_client(tmp_path):
    (tmp_path / "beside_the_script.py").write_text("def f(x):\n    return x + 1\n")
    code = """
        import sys; sys.path.insert(0, "."); import os, windfall
        from beside_the_script import f
        with windfall.Cluster(n=1, threads=3, environment={"MINE": "x"}) as rc:
            names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MINE"]
            print(rc[0].apply(f, 1).get(5), [rc[0].apply(os.getenv, n).get(5) for n in names])
    """
    done = script(code, cwd=tmp_path)
    assert done.stdout == "2 ['3', '3', 'x']\n", done.stderr


def test_a_pool_has_the_methods_of_multiprocessing():
    with windfall.Pool(2, initializer=exec, initargs=("import math",)) as pool:
        assert pool.map(lambda x: x * x, range(10)) == [x * x for x in range(10)]
        assert pool.map(abs, []) == [] and pool.map(abs, iter([-1])) == [1]
        assert pool.starmap(pow, [(2, 3), (3, 2)], chunksize=1) == [8, 9]
        assert list(pool.imap(abs, iter(range(-50, 0)))) == list(range(50, 0, -1))
        assert sorted(pool.imap_unordered(abs, range(-50, 0), 7)) == list(range(1, 51))
        assert pool.apply(divmod, (7, 2)) == (3, 1)
        found, there = [], threading.Event()
        result = pool.map_async(abs, [-1, -2], callback=lambda v: (found.append(v), there.set()))
        assert result.get(10) == [1, 2] and there.wait(10) and found == [[1, 2]]
        assert result.ready() and result.successful()
        with pytest.raises(ZeroDivisionError):
            pool.map(lambda x: 1 // x, [1, 0])
        errors, failed = [], threading.Event()
        note = lambda error: (errors.append(error), failed.set())  # noqa: E731
        pool.apply_async(divmod, (1, 0), error_callback=note)
        assert failed.wait(10) and type(errors[0]) is ZeroDivisionError
        with pytest.raises(TimeoutError):
            pool.apply_async(time.sleep, (0.5,)).get(0.01)
        with pytest.raises(windfall.InputError, match="`chunksize` is `0`"):
            pool.map(abs, [1], chunksize=0)
        with pytest.raises(windfall.EngineError):
            pool.apply(os._exit, (1,))
        assert pool.apply(abs, (-1,)) == 1
        with pytest.raises(ValueError, match="close"):
            pool.join()
        pool.close()
        with pytest.raises(ValueError, match="closed"):
            pool.map(abs, [1])
        pool.join()


def test_a_thread_that_waits_for_callbacks_ends_with_the_client():
    with windfall.Cluster(n=1) as rc:
        result = rc[0].apply(time.sleep, 30)
        ended = threading.Event()
        result.add_done_callback(lambda _: ended.set())
    assert ended.wait(5)
    deadline = time.monotonic() + 5
    while any(thread.name == "windfall-client" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_processes_of_this_test_are_seen():
    with contextlib.closing(_Held()) as held:
        assert len(cluster_processes()) >= 2, held


class _Held:
    def __init__(self):
        self.cluster = windfall.Cluster(n=1)
        self.close = self.cluster.stop
