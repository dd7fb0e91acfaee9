"""Results: waiting, order of arrival, errors, times, callbacks, other threads."""

import asyncio
import gc
import threading
import time
import weakref

import pytest

import windfall


def slow(value, seconds=0.05):
    import time

    time.sleep(seconds)
    return value


def fail():
    raise KeyError("no such key")


def test_a_result_is_there_when_its_task_has_ended(rc):
    result = rc[0].apply(slow, 7, 0.2)
    assert not result.ready() and result.progress == 0
    assert not result.wait(0.01)
    with pytest.raises(ValueError, match="not there yet"):
        result.successful()
    with pytest.raises(windfall.TimeoutError, match="0 of 1 tasks.*\nhint: ") as caught:
        result.get(0.01)
    assert isinstance(caught.value, TimeoutError)
    assert result.get(10) == 7 and result.get() == 7
    assert result.ready() and result.successful() and result.exception() is None
    assert repr(result) == "<AsyncResult: slow>"


def test_values_come_as_they_arrive(rc):
    lags = {0: 0.4, 1: 0.0, 2: 0.2}
    rc[:].apply(slow, 0, 0).get(20)  # engines have imported this module
    result = rc[:].apply(lambda: slow(windfall.engine_id(), lags[windfall.engine_id()]))
    assert list(result.as_completed(10)) == [1, 2, 0]
    assert list(result) == [0, 1, 2]
    singles = [rc[n].apply(slow, n, lags[n]) for n in range(3)]
    assert [each.get() for each in windfall.as_completed(singles, 10)] == [1, 2, 0]
    with pytest.raises(windfall.TimeoutError):
        list(windfall.as_completed([rc[0].apply(slow, 1, 0.2)], 0.01))


def test_an_exception_comes_with_its_traceback_and_itself(rc):
    result = rc[1].apply(fail)
    with pytest.raises(windfall.RemoteError, match="no such key") as caught:
        result.get(10)
    error = caught.value
    assert (error.ename, error.engine, error.task) == ("KeyError", 1, result.tasks[0])
    assert 'raise KeyError("no such key")' in error.traceback
    assert "engine.py" not in error.traceback
    assert type(error.__cause__) is KeyError and error.__cause__.args == ("no such key",)
    assert not result.successful()
    assert type(result.exception()) is windfall.RemoteError


def test_the_causes_of_an_exception_come_too(rc):
    def chained():
        try:
            {}["x"]
        except KeyError as error:
            raise ValueError("bad") from error

    with pytest.raises(windfall.RemoteError) as caught:
        rc[0].apply(chained).get(10)
    assert type(caught.value.__cause__.__cause__) is KeyError
    assert "direct cause" in caught.value.traceback


def test_an_exception_that_cannot_be_pickled_is_told(rc):
    def odd():
        import threading

        class Odd(Exception):
            pass

        raise Odd(threading.Lock())

    with pytest.raises(windfall.RemoteError, match="Odd: <unlocked") as caught:
        rc[0].apply(odd).get(10)
    assert caught.value.__cause__ is None


def test_several_failures_are_told_together(rc):
    with pytest.raises(windfall.CompositeError, match="3 tasks failed: KeyError") as caught:
        rc[:].apply(fail).get(10)
    assert [error.engine for error in caught.value.errors] == [0, 1, 2]
    with pytest.raises(windfall.RemoteError):
        caught.value.raise_exception(1)
    some = rc[:].apply(lambda: 1 // (windfall.engine_id() - 1))
    assert [type(each) for each in some.outcomes()] == [int, windfall.RemoteError, int]


def test_a_result_that_cannot_be_pickled_names_the_part(rc):
    with pytest.raises(windfall.RemoteError, match=r"the result\['lock'\].*cannot be pickled"):
        rc[0].apply(lambda: {"lock": __import__("threading").Lock()}).get(10)


def test_exiting_in_a_task_is_an_error_of_the_task(rc):
    with pytest.raises(windfall.RemoteError, match="SystemExit"):
        rc[0].apply(__import__("sys").exit, 3).get(10)
    assert rc[0].apply(abs, -1).get(10) == 1


def test_records_tell_where_when_and_how(rc):
    result = rc[:].apply(slow, 1, 0.02)
    result.get(10)
    for engine, record in enumerate(result.records):
        assert (record.engine, record.status, record.label) == (engine, "ok", "slow")
        assert record.submitted <= record.started <= record.completed
    assert result.metadata[0].task == result.tasks[0]
    assert 0.06 <= result.serial_time < 1
    assert 0.02 <= result.wall_time <= result.serial_time + 1
    assert result.elapsed == result.wall_time and result.speedup > 0
    single = rc[0].apply(fail)
    single.wait(10)
    assert single.metadata.status == "error" and single.metadata.error.ename == "KeyError"
    assert single.engines == [0]


def test_callbacks_are_called_once_whenever_they_are_added(rc):
    seen, all_there = [], threading.Event()
    results = [rc[n].apply(slow, n) for n in range(3)]

    def note(result):
        seen.append(result.get())
        if len(seen) == 3:
            all_there.set()

    for result in results:
        result.add_done_callback(note)
    assert all_there.wait(10) and sorted(seen) == [0, 1, 2]
    results[0].add_done_callback(note)
    assert len(seen) == 4
    wait_for(lambda: rc._thread is None)


def test_a_callback_that_fails_disturbs_nobody(rc, caplog):
    result = rc[0].apply(slow, 1)
    result.add_done_callback(lambda _: 1 / 0)
    assert rc[0].apply(abs, -2).get(10) == 2
    wait_for(lambda: "ZeroDivisionError" in caplog.text)


def test_results_are_awaited(rc):
    async def main():
        first, second = rc[0].apply(slow, 1), rc[1].apply(slow, 2)
        return await asyncio.gather(wrap(first), wrap(second))

    async def wrap(result):
        return await result

    assert asyncio.run(main()) == [1, 2]


def test_many_threads_wait_at_once(rc):
    view, found = rc.load_balanced_view(), []

    def work(start):
        results = [view.apply(pow, n, 2) for n in range(start, start + 50)]
        found.extend(result.get(20) for result in results)

    threads = [threading.Thread(target=work, args=(50 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == [n * n for n in range(400)]


def test_results_nobody_refers_to_are_dropped(rc):
    view = rc.load_balanced_view()
    result = view.apply(slow, 1, 0.0)
    dropped = weakref.ref(result)
    del result
    rc.wait([view.apply(abs, n) for n in range(20)], 10)
    wait_for(lambda: rc._drain() or not rc._pending)
    gc.collect()
    assert dropped() is None


def test_tasks_that_have_not_begun_are_taken_back(rc):
    first = rc[0].apply(slow, 1, 0.5)
    second = [rc[0].apply(slow, n) for n in range(3)]
    rc.queue_status()
    assert sum(result.abort() for result in second) == 3
    with pytest.raises(windfall.TaskAborted, match="taken back"):
        second[0].get(10)
    assert first.get(10) == 1
    assert second[0].metadata.status == "aborted"


def test_a_running_task_is_cancelled(rc):
    result = rc[0].apply(slow, 1, 30)
    wait_for(lambda: rc.status()["engines"][0]["line"] == 1)
    time.sleep(0.05)
    began = time.monotonic()
    result.cancel()
    with pytest.raises(windfall.RemoteError, match="KeyboardInterrupt"):
        result.get(10)
    assert time.monotonic() - began < 5
    assert rc[0].apply(abs, -1).get(10) == 1


def test_an_idle_engine_is_not_interrupted(rc):
    rc.interrupt()
    rc.signal(2)
    time.sleep(0.05)
    assert rc[:].apply(abs, -1).get(10) == [1, 1, 1]


def test_a_task_has_its_time(rc):
    view = rc.load_balanced_view().options(timeout_s=0.1)
    with pytest.raises(windfall.TaskTimeout, match="longer than its limit"):
        view.apply(slow, 1, 30).get(20)
    assert view.apply(abs, -1).get(10) == 1


def test_an_executor_of_the_standard_library(rc):
    with rc.executor() as executor:
        assert list(executor.map(pow, range(5), [2] * 5)) == [0, 1, 4, 9, 16]
        future = executor.submit(fail)
        with pytest.raises(KeyError, match="no such key") as caught:
            future.result(10)
        assert isinstance(caught.value.__cause__, windfall.RemoteError)
        blockers = [executor.submit(slow, n, 0.3) for n in range(3)]
        last = [executor.submit(slow, n) for n in range(8)]
        assert last[-1].cancel() and last[-1].cancelled()
        assert [future.result(10) for future in blockers] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(abs, 1)


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
