"""IPython Parallel's names over the cluster: what people's notebooks do with them."""

import os
import time

import numpy as np
import pytest

import windfall
import windfall.ipyparallel as ipp


@pytest.fixture(scope="module")
def rc():
    with ipp.Cluster(n=4) as client:
        yield client


@pytest.fixture
def dv(rc):
    rc.clear(block=True)
    return rc[:]


@pytest.fixture
def lv(rc):
    return rc.load_balanced_view()


def test_views_are_made_by_indexing(rc):
    assert rc.ids == [0, 1, 2, 3] and len(rc) == 4
    assert repr(rc[:]) == "<DirectView [0, 1, 2, 3]>" and repr(rc[-1]) == "<DirectView 3>"
    assert rc[1:3].targets == [1, 2] and rc[[0, 2]].targets == [0, 2]
    assert rc.direct_view().targets == "all" and rc.load_balanced_view().targets is None
    assert [view.targets for view in rc] == rc.ids
    with pytest.raises(IndexError):
        rc[7]
    with pytest.raises(TypeError):
        rc[None]


def test_a_view_blocks_where_it_is_told_to(rc, dv):
    assert dv.apply_sync(lambda: 41) == [41] * 4 and rc[0].apply_sync(lambda: 41) == 41
    result = dv.apply_async(lambda x: x + 1, 41)
    assert repr(dv.scatter("a", range(4))) == "<AsyncResult: scatter>"
    assert result.get() == [42] * 4 and result.get_dict() == dict.fromkeys(rc.ids, 42)
    dv.block = True
    assert dv.apply(os.getpid) == [rc.core.pids[engine] for engine in rc.ids]
    with dv.temp_flags(block=False):
        assert isinstance(dv.apply(os.getpid), ipp.AsyncResult)
    assert dv.block
    with pytest.raises(KeyError, match="no flag `blok`"):
        dv.set_flags(blok=True)


def test_names_travel_as_items(rc, dv):
    dv["x"] = {"a": [1, 2]}
    assert dv["x"] == [{"a": [1, 2]}] * 4 and rc[2]["x"] == {"a": [1, 2]}
    dv.push({"y": 2, "z": 3}, block=True)
    assert dv.pull(["y", "z"], block=True) == [[2, 3]] * 4 and dv.get("y") == [2] * 4
    dv.execute("class A: pass\na = A(); a.b = 5", block=True)
    dv["a.b"] = 6
    assert dv["a.b"] == [6] * 4
    dv.clear(block=True)
    with pytest.raises(ipp.CompositeError, match="name 'y' is not defined"):
        dv["y"]


def test_sequences_are_scattered_and_gathered(dv):
    for dist in "br":
        dv.scatter("part", list(range(10)), dist=dist, block=True)
        assert dv.gather("part", dist=dist, block=True) == list(range(10))
    dv.scatter("rank", range(4), flatten=True, block=True)
    assert dv["rank"] == [0, 1, 2, 3]
    array = np.arange(40_000.0).reshape(-1, 4)
    dv.scatter("array", array)
    assert [each.shape for each in dv["array"]] == [(2500, 4)] * 4
    gathered = dv.gather("array")
    assert isinstance(gathered, ipp.AsyncMapResult) and np.array_equal(gathered.get(), array)


def test_imports_happen_on_engines_with_their_names(dv, capsys):
    with dv.sync_imports():
        import collections.abc as abc
        from os import getpid as pid
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "importing collections.abc as abc on engine(s)"
    assert shown[1] == "importing getpid as pid from os on engine(s)"
    assert dv["pid()"] != [os.getpid()] * 4 and dv["abc.__name__"] == [abc.__name__] * 4
    with dv.sync_imports(local=False, quiet=True):
        import json
    assert json.__name__ == "json" and dv["json.dumps(1)"] == ["1"] * 4 and callable(pid)


def test_functions_of_main_find_their_names_on_engines(dv):
    @ipp.interactive
    def f():
        return here  # noqa: F821

    assert f.__module__ == "__main__"
    with pytest.raises(ipp.CompositeError, match="NameError"):
        dv.apply_sync(f)
    dv["here"] = 7
    assert dv.apply_sync(f) == [7] * 4
    dv["g"] = f
    dv.execute("value = g()", block=True)
    assert dv["value"] == [7] * 4


def test_references_are_looked_up_on_engines(dv):
    dv.scatter("n", range(4), flatten=True, block=True)
    dv.execute("f = lambda x: n * x", block=True)
    assert dv.apply_sync(ipp.Reference("f"), 5) == [0, 5, 10, 15]
    assert dv.apply_sync(lambda x: x, [ipp.Reference("n + 1")]) == [[1], [2], [3], [4]]
    with pytest.raises(ipp.CompositeError, match="NameError"):
        dv.apply_sync(lambda x: x, ipp.Reference("elsewhere"))


@pytest.mark.parametrize("kind", ["direct_view", "load_balanced_view", "broadcast_view"])
def test_maps_keep_their_order(rc, kind):
    view = getattr(rc, kind)()
    assert view.map_sync(lambda x: x**2, range(11)) == [x**2 for x in range(11)]
    assert view.map_sync(lambda x, y: x - y, range(5), iter([1, 1, 1])) == [-1, 0, 1]
    assert view.map_sync(abs, []) == []
    result = view.map_async(lambda x: 1 / x, [1, 0, 2], return_exceptions=True)
    values = result.get()
    assert len(result) == 3 and values[0] == 1 and isinstance(values[1], ipp.RemoteError)


def test_a_balanced_map_has_chunks_and_comes_as_it_is_there(lv):
    result = lv.map_async(lambda x: x, range(10), chunksize=3)
    assert len(result) == 10 and len(result.msg_ids) == 4 and result.get() == list(range(10))
    slow = lv.map_async(lambda s: time.sleep(s) or s, [0.3, 0.0, 0.01], ordered=False)
    assert list(slow)[-1] == 0.3


def test_a_map_without_a_chunk_size_is_claimed_from_an_index(rc, lv):
    def shout(x):
        print("at", x)
        return x + offset  # noqa: F821

    rc[:].push({"offset": 100}, block=True)
    result = lv.map_async(ipp.interactive(shout), range(5000))
    assert (
        len(result) == 5000 and len(result.msg_ids) == len(rc) and repr(result).endswith("shout>")
    )
    assert result.get(30) == list(range(100, 5100)) and result.successful()
    assert result.progress == 5000 and result.stdout[:2] == ["at 0\n", "at 1\n"]
    assert set(result.engine_id) == set(rc.ids) and set(result.status) == {"ok"}
    assert result.serial_time > 0 and result.wall_time > 0
    assert lv.history[-len(rc) :] == result.msg_ids and not rc.outstanding & set(result.msg_ids)
    assert sorted(lv.map_async(abs, range(-50, 0), ordered=False)) == list(range(1, 51))


def test_errors_of_such_a_map_are_those_of_its_elements(lv):
    result = lv.map_async(lambda x: 1 // x, [1, 0, 2, 0])
    with pytest.raises(ipp.CompositeError, match="ZeroDivisionError") as told:
        result.get(30)
    assert len(told.value.errors) == 2 and not result.successful()
    values = iter(result)
    assert next(values) == 1
    with pytest.raises(ipp.RemoteError, match="ZeroDivisionError"):
        next(values)
    kept = lv.map(lambda x: 1 // x, [1, 0, 2], block=True, return_exceptions=True)
    assert [kept[0], kept[2]] == [1, 0] and isinstance(kept[1], ipp.RemoteError)
    slow = lv.map_async(time.sleep, [0.2] * 100)
    with pytest.raises(TimeoutError):
        slow.get(timeout=0.05)
    slow.abort()
    with pytest.raises(ipp.TaskAborted):
        slow.get(30)


def test_imap_has_few_tasks_under_way(lv):
    import itertools

    before = len(lv.history)
    values = lv.imap(lambda x: 2 * x, itertools.count(), max_outstanding=3)
    assert [next(values) for _ in range(5)] == [0, 2, 4, 6, 8]
    values.cancel()
    assert len(lv.history) - before == 8


def test_decorators_call_on_engines(rc, dv):
    @dv.remote(block=True)
    def add(x, y=5):
        """Add."""
        return x + y

    assert add(1) == [6] * 4 and add.__name__ == "add" and "Add." in add.__doc__

    @ipp.parallel(dv, block=True)
    def double(part):
        return [2 * x for x in part]

    assert double(range(10)) == [2 * x for x in range(10)]

    @rc.load_balanced_view().parallel(block=True)
    def product(x, y):
        return x * y

    assert product.map([1, 2, 3], [4, 5, 6]) == [4, 10, 18]


def test_what_is_known_of_tasks(rc, dv):
    result = dv.execute("print('hello'); 6 * 7", silent=False)
    assert result.get()[0].execute_result["data"] == {"text/plain": "42"}
    assert repr(result.get()[1]) == f"<ExecuteReply[{result.get()[1].execution_count}]: 42>"
    assert result.stdout == ["hello\n"] * 4 and result["engine_id"] == rc.ids
    assert all(a <= b for a, b in zip(result.started, result.completed))
    assert result.metadata[0].status == "ok" and result.progress == 4
    with pytest.raises(AttributeError):
        result.nothing  # noqa: B018
    slow = rc[0].apply_async(time.sleep, 0.2)
    assert slow.completed is None
    with pytest.raises(TimeoutError):
        slow.wall_time  # noqa: B018
    slow.get()
    assert 0.2 <= slow.serial_time <= slow.wall_time < 1 and slow.speedup > 0.5


def test_waiting_has_limits_and_reasons(rc, dv):
    result = rc[0].apply_async(time.sleep, 0.3)
    with pytest.raises(TimeoutError):
        result.get(0.01)
    assert not result.ready() and not result.wait(0.01) and result.wait() and result.successful()

    def fail(seconds):
        time.sleep(seconds)
        return 1 / (seconds > 0)

    result = dv.map_async(fail, [0, 0.4, 0.4, 0.4])
    done, pending = result.wait(return_when=ipp.FIRST_EXCEPTION)
    assert len(done) == 1 and len(pending) == 3
    assert rc.wait(result) and not result.successful() and rc.outstanding == set()


def test_outputs_are_shown_with_their_engines(rc, dv, capsys):
    result = dv.execute("print('one'); print('two')")
    result.display_outputs()
    assert capsys.readouterr().out.startswith("[stdout:0]\none\ntwo\n[stdout:1]\n")
    rc[0].execute("print('one')").display_outputs()
    assert capsys.readouterr().out == "one\n"
    dv.execute("1", silent=False).display_outputs("engine")
    assert capsys.readouterr().out.splitlines()[1].startswith("Out[1:")
    with dv.execute("print('live')").stream_output() as result:
        result.wait()
    assert sorted(capsys.readouterr().out.splitlines()) == [f"[stdout:{n}] live" for n in range(4)]


def test_errors_tell_where_they_are_from(rc, dv):
    with pytest.raises(ipp.CompositeError) as caught:
        dv.apply_sync(lambda: 1 / 0)
    error = caught.value
    assert len(error.elist) == 4 and str(error).splitlines()[0].endswith("raised in: <lambda>")
    assert error.elist[2][:2] == ("ZeroDivisionError", "division by zero")
    assert error.elist[2][3]["engine_id"] == 2
    with pytest.raises(ipp.RemoteError, match="ZeroDivisionError: division by zero") as caught:
        error.raise_exception(1)
    assert "Traceback" in caught.value.traceback
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(ipp.RemoteError) as caught:
        rc[3].execute("{}['k']", block=True)
    assert caught.value.ename == "KeyError" and caught.value.engine_info["method"] == "execute"


def test_tasks_are_taken_back(rc):
    first = rc[0].apply_async(time.sleep, 0.3)
    second = rc[0].apply_async(abs, -1)
    second.abort()
    with pytest.raises(ipp.TaskAborted):
        second.get()
    first.get()


def test_an_engine_that_dies_is_an_error_and_comes_back(rc, lv):
    with pytest.raises(ipp.EngineError) as caught:
        lv.apply_sync(os._exit, 3)
    assert caught.value.ename == "EngineError" and isinstance(caught.value, ipp.RemoteError)
    rc.wait_for_engines(4, timeout=10)
    assert rc[:].apply_sync(abs, -1) == [1] * 4


def test_tasks_wait_for_others_and_are_tried_again(rc, lv):
    first = lv.apply_async(time.sleep, 0.2)
    with lv.temp_flags(after=first):
        second = lv.apply_async(abs, -1)
    assert second.get() == 1 and second.started >= first.completed
    with lv.temp_flags(follow=first):
        assert lv.apply_async(abs, -1).get() == 1
    failed = ipp.Dependency(first, success=False, failure=True)
    with lv.temp_flags(after=failed), pytest.raises(ipp.ImpossibleDependency):
        lv.apply_sync(abs, -1)

    with lv.temp_flags(after="12345"), pytest.raises(ipp.InvalidDependency):
        lv.apply_async(abs, -1)

    def fail_here(engine):
        import windfall

        return 1 / (windfall.engine_id() - engine)

    with lv.temp_flags(retries=1):
        assert [lv.apply_async(fail_here, 0).get() for _ in range(4)]


def test_tasks_wait_for_others_no_longer_than_they_may(lv):
    first = lv.apply_async(time.sleep, 1.0)
    with lv.temp_flags(after=first, timeout=0.1):
        late = lv.apply_async(abs, -1)
    with pytest.raises(ipp.error.DependencyTimeout, match="has not ended after 0.1 s"):
        late.get(0.9)
    with lv.temp_flags(after=first, timeout=30):
        assert lv.apply_async(abs, -1).get(30) == 1


def test_tasks_go_where_they_can(rc, lv):
    @ipp.depend(lambda wanted: windfall.engine_id() == wanted, 2)
    def where():
        import windfall

        return windfall.engine_id()

    assert [lv.apply_sync(where) for _ in range(3)] == [2, 2, 2]

    @ipp.require("base64", double=lambda x: 2 * x)
    @ipp.interactive
    def encode(text):
        return base64.b64encode(double(text))  # noqa: F821

    assert lv.apply_sync(encode, b"a") == b"YWE="


def test_dependencies_are_met_or_out_of_reach():
    some = ipp.Dependency(["1", "2"])
    assert some.check({"1", "2"}) and not some.check({"1"}, {"2"})
    assert some.unreachable({"1"}, {"2"}) and not some.unreachable({"1"})
    some.all = False
    assert some.check({"1"}, {"2"}) and not some.unreachable({"1"}, {"2"})
    with pytest.raises(ValueError):
        ipp.Dependency(["1"], success=False)


def test_results_are_joined_split_and_found_again(rc, dv):
    whole = dv.apply_async(os.getpid)
    parts = whole.split()
    assert [part.get() for part in parts] == whole.get()
    assert ipp.AsyncResult.join(*parts).get() == whole.get()
    assert rc.get_result(whole.msg_ids).get() == whole.get()
    dv.execute("kept = 1", block=True)
    assert isinstance(rc.get_result(-1).get(), ipp.ExecuteReply)
    with pytest.raises(KeyError):
        rc.get_result("12345")


def test_two_clients_wait_for_one_task(rc):
    result = rc[0].apply_async(lambda: __import__("time").sleep(0.3) or 7)
    assert not result.wait(0.05)
    with ipp.Client(cluster_id=rc.core.name) as second:
        assert second.get_result(result.msg_ids[0]).get(10) == 7
    assert result.get(10) == 7


def test_callbacks_and_awaits(dv):
    import asyncio
    import threading

    called = threading.Event()
    dv.apply_async(time.sleep, 0.05).add_done_callback(lambda _: called.set())
    assert called.wait(5)

    async def main():
        return await dv.apply_async(abs, -1)

    assert asyncio.run(main()) == [1] * 4


def test_a_view_is_an_executor(rc):
    with rc.executor() as executor:
        futures = [executor.submit(pow, 2, n) for n in range(5)]
        assert [future.result() for future in futures] == [1, 2, 4, 8, 16]
        assert list(executor.map(abs, [-1, -2])) == [1, 2]
        with pytest.raises(ipp.RemoteError):
            executor.submit(pow, 0, -1).result()


def test_published_values_are_seen_while_a_task_runs(rc):
    code = "import windfall.ipyparallel.datapub as d\nd.publish_data({'i': 3})"
    result = rc[0].execute(code)
    result.get()
    assert result.data == {"i": 3}


def test_queues_histories_and_what_is_kept(rc, lv):
    assert set(rc.queue_status()) == {*rc.ids, "unassigned"}
    assert set(rc.queue_status(0)) >= {"queue", "completed", "tasks"}
    result = rc[0].apply_async(time.sleep, 0.2)
    assert set(result.msg_ids) <= rc.outstanding
    with pytest.raises(RuntimeError, match="have not ended"):
        rc.purge_results("all")
    result.get()
    rc.purge_everything()
    assert rc.history == []


def test_clusters_are_found_stopped_and_grown():
    import asyncio

    async def main():
        async with ipp.Cluster(n=1, cluster_id="grown") as rc:
            found = ipp.Cluster.from_file(cluster_id="grown")
            assert "controller=<running>" in repr(found)
            await found.start_engines(1, "more")
            with await found.connect_client() as second:
                second.wait_for_engines(2, timeout=30)
                assert second.ids == [0, 1]
                second[:].apply_sync(abs, 1)
            await found.stop_engines("more")
            assert rc.core.name == "grown"

    asyncio.run(main())
    with pytest.raises(FileNotFoundError):
        ipp.Cluster.from_file(cluster_id="grown")


def test_joblib_runs_on_engines(rc, lv):
    joblib = pytest.importorskip("joblib")
    windfall.register_joblib_backend("windfall", lv)
    with joblib.parallel_config("windfall", n_jobs=4):
        pids = joblib.Parallel()(joblib.delayed(os.getpid)() for _ in range(40))
        with pytest.raises(ZeroDivisionError):
            joblib.Parallel()(joblib.delayed(divmod)(1, 0) for _ in range(4))
    assert set(pids) <= set(rc.core.pids.values())
    ipp.register_joblib_backend()
    with joblib.parallel_config("ipyparallel"):
        assert joblib.Parallel()(joblib.delayed(abs)(-n) for n in range(5)) == [0, 1, 2, 3, 4]


def test_scikit_learn_runs_on_engines(lv):
    joblib = pytest.importorskip("joblib")
    model_selection = pytest.importorskip("sklearn.model_selection")
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3))
    y = (x[:, 0] + 0.1 * rng.normal(size=200) > 0).astype(int)
    model = LogisticRegression()
    alone = model_selection.cross_val_score(model, x, y, cv=4)
    windfall.register_joblib_backend("windfall", lv)
    with joblib.parallel_config("windfall", n_jobs=4):
        assert np.array_equal(model_selection.cross_val_score(model, x, y, cv=4), alone)
