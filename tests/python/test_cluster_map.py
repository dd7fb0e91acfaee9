"""Maps on a cluster: balanced, ordered, reproducible, and right whatever dies meanwhile."""

import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import windfall
from windfall._cluster import durations
from windfall._cluster.errors import SerializationError

ENGINES = 4


@pytest.fixture(scope="module")
def cluster():
    with windfall.Cluster(n=ENGINES) as client:
        yield client


@pytest.fixture
def view(cluster):
    durations.forget()
    return cluster.load_balanced_view()


def busy_s(result):
    """Return the seconds that each engine was busy with a map's items."""
    return [busy_ns / 1e9 for _, _, _, busy_ns, _ in result._state.seen()]


def test_results_stand_in_the_order_of_items(view):
    assert view.map(lambda x: x + 1, range(100_000)).get() == list(range(1, 100_001))
    assert view.map(lambda x: x + 1, range(10, 0, -3)).get() == [11, 8, 5, 2]
    assert view.map(str, [1, None, "a", (2,)]).get() == ["1", "None", "a", "(2,)"]
    assert view.map(abs, (-n for n in range(5))).get() == [0, 1, 2, 3, 4]
    assert view.map(str.upper, {"a": 1, "b": 2}).get() == ["A", "B"]
    assert view.map(abs, []).get() == []
    assert list(view.map(abs, [-1, -2])) == [1, 2]


def test_sequences_go_side_by_side_until_the_shortest_ends(view):
    assert view.map(pow, [2, 3, 4], (3, 2)).get() == [8, 9]
    three = view.map(lambda a, b, c: (a, b, c), range(9), [1, 2, 3], itertools.count(7))
    assert three.get() == [(0, 1, 7), (1, 2, 8), (2, 3, 9)]
    endless = view.map(lambda a, b: a + b, iter([1, 2]), iter([3, 4, 5]))
    assert endless.get() == [4, 6]
    assert view.starmap(pow, [(2, 3), [3, 2]]).get() == [8, 9]


def test_arrays_are_mapped_by_row_and_results_may_be_large(view):
    rows = np.arange(12.0).reshape(4, 3)
    assert view.map(np.sum, rows).get() == list(rows.sum(axis=1))
    assert view.map(float, rows[::2, 1]).get() == [1.0, 7.0]
    large = view.map(lambda n: np.full(200_000, n), range(6)).get()
    assert [array[0] for array in large] == list(range(6))
    large[0][:] = 7  # what came back is writable
    doubled = view.map(lambda array: array * 2, large).get()
    assert all((two == 2 * one).all() for one, two in zip(large, doubled))


def test_classes_of_main_travel(view):
    code = "class Point:\n    def __init__(self, x): self.x = x\n"
    space = {"__name__": "__main__"}
    exec(code, space)
    point = space["Point"]
    found = view.map(lambda p: type(p)(p.x + 1), [point(1), point(2)]).get()
    assert [each.x for each in found] == [2, 3]


def test_uneven_items_are_balanced_and_the_longest_first_when_known(view):
    units, unit_s = [5] + [1] * 12 + [5] * 3, 0.04

    def wait(count):
        time.sleep(count * unit_s)
        return count

    first = view.map(wait, units)
    assert first.get() == units
    assert sum(busy_s(first)) >= 32 * unit_s
    second = view.map(wait, units)
    assert second.get() == units
    # Eight units each is the optimum.
    assert max(busy_s(second)) < 8.9 * unit_s


def test_an_order_by_durations_changes_no_result(cluster, view):
    def wait(n):
        time.sleep(float(n) % 7 / 2_000)
        return float(n), windfall.rng().random()

    for items in (range(60), [*map(float, range(60))], np.arange(60.0)):
        durations.forget()
        first = view.map(wait, items, rng=1).get()
        again = view.map(wait, items, rng=1)
        assert again._state._order is not None
        assert again.get() == first and list(again) == first
        assert [x for x, _ in first] == list(map(float, range(60)))


def test_a_chunk_is_split_while_others_are_idle(view):
    def cheap_then_dear(n):
        if n >= 50_000:
            time.sleep(0.005)
        return n

    result = view.map(cheap_then_dear, range(50_080))
    assert result.get() == list(range(50_080))
    # Eighty dear items: a chunk by the cost of cheap ones would hold them all.
    assert max(busy_s(result)) < 0.5 * sum(busy_s(result))


def test_an_exception_comes_with_its_item_traceback_and_cause(view):
    def fail(n):
        if n == 70:
            raise ValueError("no seventy")
        return n

    result = view.map(fail, range(100))
    with pytest.raises(windfall.RemoteError, match="no seventy") as caught:
        result.get()
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.item == 70
    assert "in fail" in str(caught.value) and "item 70 of the map: fail(70)" in str(caught.value)
    assert not result.successful() and result.exception() is caught.value
    with pytest.raises(ValueError, match="no seventy"):
        result.replay(70)
    assert result.replay(3) == 3

    kept = view.map(fail, range(100), on_error="return").get()
    assert isinstance(kept[70], windfall.RemoteError)
    assert kept[:70] + kept[71:] == list(range(70)) + list(range(71, 100))


def test_what_cannot_travel_is_named(view):
    with pytest.raises(SerializationError, match="item 2 of the map"):
        view.map(id, [1, 2, (n for n in range(3))] + [4] * 5)
    with pytest.raises(windfall.RemoteError, match="result of item 1"):
        view.map(lambda n: sys._getframe() if n == 1 else n, range(3)).get()
    mixed = view.map(lambda n: sys._getframe() if n == 1 else n, range(3), on_error="return")
    assert mixed.get()[::2] == [0, 2]


def test_bad_options_are_refused_with_a_hint(view):
    with pytest.raises(windfall.InputError, match="on_error"):
        view.map(abs, [1], on_error="ignore")
    with pytest.raises(windfall.InputError, match="chunk"):
        view.map(abs, [1], chunk=0)
    with pytest.raises(windfall.InputError, match="timeout_s"):
        view.map(abs, [1], timeout_s=-1)
    with pytest.raises(windfall.InputError, match="go over"):
        view.map(abs)


def test_what_tasks_print_is_kept_by_item(view):
    def say(n):
        print("item", n)
        print("!", file=sys.stderr, end="")
        return n

    result = view.map(say, range(20))
    result.get()
    assert result.stdout == [f"item {n}\n" for n in range(20)]
    assert result.stderr == ["!"] * 20


def test_results_come_as_they_are_done(view):
    def late(n):
        time.sleep(0.3 if n == 0 else 0.01)
        return n

    assert list(view.map(late, range(8), ordered=False))[-1] == 0
    assert list(view.map(late, range(8))) == list(range(8))


def test_quick_results_do_not_wait_for_a_slow_item(view):
    def quick_then_slow(n):
        if n >= 400:
            time.sleep(1)
        return n

    result = view.map(quick_then_slow, range(420))
    began = time.monotonic()
    assert list(itertools.islice(result, 300)) == list(range(300))
    assert time.monotonic() - began < 0.8 and not result.ready()
    assert result.progress >= 300 and len(result.partial()) == 420
    result.stop()
    with pytest.raises(windfall.TaskAborted, match="the map was stopped"):
        result.get()


def test_waiting_and_callbacks(view):
    seen = []
    result = view.map(lambda n: (time.sleep(0.2), n)[1], range(4))
    with pytest.raises(windfall.TimeoutError, match="of 4 items"):
        result.get(timeout_s=0.01)
    assert not result.wait(0.01)
    with pytest.raises(ValueError):
        result.successful()
    result.add_done_callback(lambda r: seen.append(r.get()))
    assert result[2] == 2 and result[1:3] == [1, 2]
    assert result.wait(10) and result.successful()
    deadline = time.monotonic() + 5
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == [[0, 1, 2, 3]]
    first = view.map(abs, range(3))
    assert set(windfall.as_completed([first, result])) == {first, result}
    assert result.serial_time >= 0.8 and result.speedup > 1.5
    assert "4 items" in repr(result)


def test_an_engine_that_dies_costs_nothing_but_time(view, tmp_path):
    mark = tmp_path / "died"

    def die_once(n):
        if n == 5_000 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return n

    assert view.map(die_once, range(20_000)).get() == list(range(20_000))
    assert mark.exists()


def test_an_item_that_kills_twice_ends_with_an_error_and_the_map_goes_on(view):
    def kill(n):
        if n == 5_000:
            os.kill(os.getpid(), signal.SIGSEGV)
        return n

    result = view.map(kill, range(20_000), on_error="return").get()
    assert isinstance(result[5_000], windfall.EngineError)
    assert "item 5000: kill(5000)" in str(result[5_000]) and "SIGSEGV" in str(result[5_000])
    assert [n for n in range(20_000) if result[n] != n] == [5_000]
    with pytest.raises(windfall.EngineError, match="item 5000"):
        view.map(kill, range(20_000)).get()


def test_random_kills_lose_nothing(cluster, view):
    dice = random.Random(5)
    result = view.map(lambda n: (time.sleep(2e-4), n)[1], range(20_000))
    kills = 0
    while kills < 4 and not result.ready():
        time.sleep(0.02)
        pids = [pid for pid in cluster.pids.values() if pid]
        if pids:
            with contextlib.suppress(ProcessLookupError):  # it died just now
                os.kill(dice.choice(pids), signal.SIGKILL)
                kills += 1
    assert result.get(timeout_s=60) == list(range(20_000))
    assert kills == 4
    cluster.wait_for_engines()


def test_engines_that_were_stopped_by_one_that_died_go_on(view):
    result = view.map(lambda n: (time.sleep(0.002), n)[1], range(200))
    assert result[0] == 0
    result._state.claims.stop()  # as an engine does that dies before it can tell why
    assert result.get(timeout_s=30) == list(range(200))


def test_a_controller_that_dies_is_told():
    with windfall.Cluster(n=1) as client:
        result = client[:].map(lambda n: (time.sleep(0.01), n)[1], range(10_000))
        assert result[0] == 0
        os.kill(client._cluster.info["controller"], signal.SIGKILL)
        with pytest.raises(windfall.ControllerLostError):
            result.get(timeout_s=30)
        assert result.partial()[0] == 0


def test_an_item_that_takes_too_long_is_ended(view):
    def hang(n):
        if n == 7:
            while True:
                time.sleep(60)
        return n

    began = time.monotonic()
    result = view.map(hang, range(100), on_error="return", timeout_s=0.3).get(timeout_s=30)
    assert isinstance(result[7], windfall.TaskTimeout)
    assert [n for n in range(100) if result[n] != n] == [7]
    assert time.monotonic() - began < 10


def test_ctrl_c_keeps_what_is_done(view):
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt) as caught:
        view.map(lambda n: (time.sleep(0.01 if n < 16 else 60), n)[1], range(40)).get()
    result = caught.value.result
    assert time.monotonic() - began < 5
    assert result.partial()[:16] == list(range(16)) and result.partial()[-1] is None
    # The engines are free again at once.
    assert view.map(abs, range(8)).get(timeout_s=10) == list(range(8))


def test_a_task_draws_from_its_own_stream_wherever_it_runs(cluster, view):
    def draw(_):
        return windfall.rng().normal()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        once = view.map(draw, range(500), rng=5).get()
    assert len(set(once)) == 500
    assert cluster[1:3].map(draw, range(500), rng=5, chunk=7).get() == once
    assert list(view.imap(draw, iter(range(500)), rng=5)) == once
    assert view.map(draw, range(500), rng=6).get() != once
    result = view.map(draw, range(500))
    assert result.get() == view.map(draw, range(500), rng=int(result.seed)).get()
    assert result.replay(17) == result[17]
    seeds = [np.random.SeedSequence(3), np.random.SeedSequence(3)]
    assert len({tuple(view.map(draw, range(3), rng=seed).get()) for seed in seeds}) == 1
    with pytest.raises(RuntimeError, match="default_rng"):
        windfall.rng()


def test_a_generator_goes_on_within_its_task(view):
    def two(_):
        return windfall.rng().normal(), windfall.rng().normal()

    first, second = zip(*view.map(two, range(50), rng=1).get())
    assert not set(first) & set(second)
    assert list(first) == view.map(lambda _: windfall.rng().normal(), range(50), rng=1).get()


def test_draws_from_global_generators_are_reported_once(cluster, view):
    cluster[:].apply(lambda: np.random.seed(1)).get()
    result = view.map(lambda _: (time.sleep(0.01), np.random.rand())[1], range(40))
    with pytest.warns(windfall.GlobalRandomWarning) as told:
        draws = result.get()
    assert len(set(draws)) < 40  # the trap: engines draw the same numbers
    assert {each.filename for each in told} == {__file__}
    texts = [str(each.message) for each in told]
    assert sum("depend on the engine" in text for text in texts) == 1
    assert any("same state on the engines" in text for text in texts)
    assert all("windfall.rng()" in text for text in texts)
    with pytest.warns(windfall.GlobalRandomWarning, match="`random`"):
        view.map(lambda _: random.random(), range(4)).get()


def test_a_lazy_map_takes_what_it_needs(view):
    taken = []

    def source():
        for n in itertools.count():
            taken.append(n)
            yield n

    results = view.imap(lambda n: n * n, source())
    assert list(itertools.islice(results, 200)) == [n * n for n in range(200)]
    results.close()
    assert 200 <= len(taken) < 2_000
    assert sorted(view.imap(abs, range(100), ordered=False)) == list(range(100))
    assert list(view.imap(pow, [2, 3], [3, 2])) == [8, 9]


def test_maps_within_tasks_come_to_an_end_on_one_engine_too(cluster, view):
    def total(numbers):
        if len(numbers) <= 3:
            return sum(numbers)
        middle = len(numbers) // 2
        return sum(windfall.here().map(total, [numbers[:middle], numbers[middle:]]).get())

    numbers = list(range(200))
    assert cluster[0].apply(total, numbers).get(timeout_s=60) == sum(numbers)
    # As many at once as there are engines: none is free to help another.
    assert view.map(total, [numbers] * ENGINES).get(timeout_s=60) == [sum(numbers)] * ENGINES
    with pytest.raises(windfall.InputError, match="for tasks"):
        windfall.here()


def test_a_map_within_a_task_has_streams_that_follow_from_its_own(view):
    def inner(_):
        draws = windfall.here().map(lambda _: windfall.rng().normal(), range(5)).get()
        return windfall.rng().normal(), *draws

    once = view.map(inner, range(6), rng=3).get(timeout_s=60)
    assert once == view.map(inner, range(6), rng=3).get(timeout_s=60)
    assert len({draw for draws in once for draw in draws}) == 36


def test_maps_of_several_clients_and_threads_go_on_side_by_side(cluster, view):
    with windfall.Client(cluster.name) as other:
        found = {}

        def run(name, client):
            found[name] = client.load_balanced_view().map(abs, range(30_000)).get(timeout_s=60)

        threads = [
            threading.Thread(target=run, args=(name, client))
            for name, client in enumerate([cluster, cluster, other])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == dict.fromkeys(range(3), list(range(30_000)))


def test_engines_leave_the_map_of_a_client_that_died(cluster, view):
    code = (
        "import sys, time, windfall\n"
        f"view = windfall.Client({cluster.name!r}).load_balanced_view()\n"
        "result = view.map(lambda n: (time.sleep(0.02), n)[1], range(100_000))\n"
        "print(result[3], flush=True)\n"
        "result.get()\n"
    )
    client = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"3\n"
    client.kill()
    client.wait()
    assert view.map(abs, range(100)).get(timeout_s=10) == list(range(100))


def test_a_view_of_some_engines_maps_on_those(cluster):
    pids = set(cluster[1:3].map(lambda _: (time.sleep(0.005), os.getpid())[1], range(40)).get())
    assert pids == {cluster.pids[1], cluster.pids[2]}
    assert cluster[0].map(lambda n: n + 1, [1, 2]).get() == [2, 3]
