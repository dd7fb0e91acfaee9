"""Shared objects on a cluster: passed as anything else, freed when an engine dies."""

import contextlib
import os
import signal

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
