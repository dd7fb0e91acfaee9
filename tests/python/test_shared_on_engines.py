"""Shared objects on a cluster: passed as anything else, freed when an engine dies."""

import contextlib
import os
import signal

import numpy as np
import pytest
from conftest import nothing_of_clusters_left

import windfall
from windfall import shared


@pytest.fixture(scope="module")
def rc():
    with nothing_of_clusters_left(), windfall.Cluster(n=3) as client:
        yield client


def hammer(total, lock, plain, rows, barrier):
    barrier.wait()
    slot = rows.slot()
    for _ in range(1000):
        total.add(1)
        with lock:
            plain.set(plain.value + 1)
        slot += 1


def test_engines_change_what_the_client_made(rc):
    total, lock, plain = shared.Value("int64"), shared.Lock(), shared.Value("int64")
    rows, barrier = shared.Array(3, "int64"), shared.Barrier(3)
    rc[:].apply(hammer, total, lock, plain, rows, barrier).get(30)
    assert (total.value, plain.value, rows.array.tolist()) == (3000, 3000, [1000] * 3)


def test_objects_are_pushed_pulled_and_made_on_engines(rc):
    rc[:].push({"total": shared.Value("int64")})
    rc[:].execute("from windfall import shared; _ = total.add(1)").get(30)
    total = rc[0].pull("total").get(30)
    assert total.value == 3
    made = rc[1].apply(lambda: shared.Queue(name="made there")).get(30)
    rc[2].apply(lambda items: items.put(windfall.engine_id()), made).get(30)
    assert made.get(timeout=30) == 2


@pytest.mark.parametrize("form", ["object", "view", "rows", "columns", "backwards"])
def test_an_array_in_shared_memory_is_scattered_in_place(rc, form):
    grid = shared.Array((9, 4), "int64")
    seen = {
        "object": grid.array,
        "view": grid.array,
        "rows": grid.array[3:],
        "columns": grid.array[:, 1::2],
        "backwards": grid.array[::-1],
    }[form]
    rc[:].scatter("mine", grid if form == "object" else seen).get(30)

    def fill():
        mine[...] = windfall.engine_id() + 1  # noqa: F821
        return mine.shape  # noqa: F821

    shapes = rc[:].apply(fill).get(30)
    assert shapes == [(len(seen) // 3, seen.shape[1])] * 3
    assert seen[:, 0].tolist() == [n + 1 for n in range(3) for _ in range(len(seen) // 3)]
    assert int(grid.array.sum()) == int(seen.sum())
    assert np.array_equal(rc[:].gather("mine").get(30), seen)


def test_the_memory_of_a_shared_array_outlives_its_object(rc):
    view = shared.Array(600, "float64").array
    rc[:].scatter("mine", view, "r").get(30)
    rc[:].execute("mine += __import__('windfall').engine_id()").get(30)
    assert view.reshape(-1, 3).sum(axis=0).tolist() == [0.0, 200.0, 400.0]
    pushed = shared.Array.of(np.ones(3))
    rc[0].push({"own": pushed.array, "common": pushed}).get(30)
    rc[0].execute("own += 1; common.array[1] = 5").get(30)
    assert pushed.array.tolist() == [1.0, 5.0, 1.0]


def die_with(lock):
    lock.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_lock_of_a_killed_engine_is_free_and_the_engine_named(rc):
    lock = shared.Lock("ledger")
    dying = rc[1].apply(die_with, lock)
    with pytest.raises(windfall.EngineError):
        dying.get(30)
    with (
        pytest.warns(shared.HolderDiedWarning, match=r"engine 1 \(process \d+\) died while it"),
        lock,
    ):
        pass


def take_both(first, second, barrier):
    with first:
        barrier.wait()
        with contextlib.suppress(TimeoutError), second:
            pass


def test_engines_that_wait_for_one_another_are_named(rc):
    a, b, barrier = shared.Lock("a"), shared.Lock("b"), shared.Barrier(2)
    both = [rc[0].apply(take_both, a, b, barrier), rc[2].apply(take_both, b, a, barrier)]
    said = []
    for one in both:
        try:
            one.get(30)
        except windfall.RemoteError as error:
            said.append(str(error))
    assert len(said) == 1 and "DeadlockError" in said[0]
    assert "engine 0 (process" in said[0] and "engine 2 (process" in said[0]
