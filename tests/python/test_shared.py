"""Shared memory: nothing lost, nothing stuck, nothing left, whatever is killed."""

import multiprocessing
import os
import pickle
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from windfall import InputError, WindfallError, shared

FORK, SPAWN = map(multiprocessing.get_context, ("fork", "spawn"))
PATIENCE_S = 20.0


def start(target, *args, context=FORK):
    process = context.Process(target=target, args=args)
    process.start()
    return process


def end(*processes):
    for process in processes:
        process.join(PATIENCE_S)
        assert process.exitcode is not None, "it hangs"


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def wait_until(done):
    limit = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.001)


# What is counted stays counted.


def hammer(total, half, lock, plain, counter, claims, array, times):
    slot = array.slot()
    for _ in range(times):
        total.add(1)
        half += 0.5
        with lock:
            plain.set(plain.value + 1)
        array.add((0, 1), 1)
        slot[0] += 1
    for number in counter:
        claims.add(number, 1)


@pytest.mark.parametrize("context", [FORK, SPAWN], ids=["fork", "spawn"])
def test_nothing_is_lost_among_processes(context):
    total, half = shared.Value("int64"), shared.Value("float64")
    lock, plain = shared.Lock(), shared.Value("uint64")
    counter, claims = shared.Counter(stop=2000), shared.Array(2000, "int64")
    array = shared.Array((4, 2), "int64")
    state = (total, half, lock, plain, counter, claims, array, 3000)
    workers = [start(hammer, *state, context=context) for _ in range(4)]
    end(*workers)
    assert (total.value, half.value, plain.value) == (12_000, 6_000.0, 12_000)
    assert (claims.array == 1).all()
    assert array.array[:, 0].tolist() == [3000] * 4 and array[0, 1] == 12_000
    assert not lock.locked()


def test_threads_share_too():
    total, lock, plain = shared.Value(int), shared.Lock(), [0]

    def work():
        for _ in range(2000):
            total.add(1)
            with lock:
                plain[0] += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (total.value, plain[0]) == (8000, 8000)


def square(total, number):
    total.add(number * number)
    return os.getpid()


def test_an_executor_passes_them_on():
    total = shared.Value("int64")
    with ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        list(pool.map(square, [total] * 100, range(100)))
    assert total.value == sum(number * number for number in range(100))


# Values.


def test_a_value_changes_in_one_step_or_not_at_all():
    value = shared.Value("int64", 2**63 - 1, name="count")
    with pytest.raises(OverflowError, match="the value is as it was"):
        value.add(1)
    with pytest.raises(AttributeError, match="hint: `add"):
        value.value += 1
    value -= 2
    assert (value.value, value.name, value.kind) == (2**63 - 3, "count", "int64")
    value.set(5)
    assert (value.swap(6), value.max(9), value.min(7), value.value) == (5, 6, 9, 7)
    assert not value.compare_exchange(8, 1) and value.compare_exchange(7, 1)
    assert bool(value) and repr(value) == "<windfall.shared.Value int64 1>"
    flag = shared.Value(bool)
    assert not flag and flag.value is False
    flag.set(True)
    assert flag and flag.value is True
    with pytest.raises(TypeError, match="set and compared"):
        flag.add(True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: shared.Value("int32"), "must be one of int64, uint64, float64, bool"),
        (lambda: shared.Value(complex), "`complex` cannot be shared"),
        (lambda: shared.Value("int64", 0.5), "float"),
        (lambda: shared.Value("int64", name="x" * 65), "at most 64 bytes"),
        (lambda: shared.Counter(3, 2), "`start` is `3`"),
        (lambda: shared.Barrier(0), "`0`"),
        (lambda: shared.Queue(bytes_max=1), "`1`"),
        (lambda: shared.Array(-1), "no dimension may be negative"),
        (lambda: shared.Array("int64", 4), "hint: as in `Array((4, 100)"),
        (lambda: shared.Array(2.5), "must be a whole number or several"),
        (lambda: shared.Array(2, object), "cannot be shared"),
        (lambda: shared.Array(2, "int64").add(2, 1), "no element"),
        (lambda: shared.Array(2, "int64").add((0, 0), 1), "no element"),
        (lambda: shared.Array(2, "int32").add(0, 1), "hint: choose one of these types"),
        (lambda: shared.Array(1 << 62), "memory"),
        (lambda: shared.Lock().acquire(timeout=-2), "at least 0 seconds"),
        (lambda: shared.Lock().release(), "nobody holds it"),
        (lambda: shared.Queue(bytes_max=64).put(bytes(100)), "hint: give the queue more"),
    ],
)
def test_bad_input_is_named(wrong, said):
    with pytest.raises((ValueError, TypeError, LookupError, OSError, MemoryError)) as caught:
        wrong()
    assert said in str(caught.value)


# Arrays.


def test_an_array_is_numpys():
    array = shared.Array((2, 3), "int64")
    array.array[1] = (1, 2, 3)
    assert np.asarray(array) is array.array and array.shape == (2, 3)
    assert (array.add((-1, -1), 4), array[1, 2], len(array)) == (3, 7, 2)
    copied = shared.Array.of([[1.5, 2.5]], name="copy")
    assert copied.array.tolist() == [[1.5, 2.5]] and copied.dtype == float
    assert np.array(copied, dtype=int).tolist() == [[1, 2]]
    fields = shared.Array(2, np.dtype([("a", "i4"), ("b", "f8")]))
    assert pickle.loads(pickle.dumps(fields)).array["b"].tolist() == [0, 0]
    assert shared.Array(0).array.size == 0 and shared.Array((), int).array.shape == ()
    view = shared.Array(1000).array[5:]
    view[:] = 1  # the view alone keeps the memory
    assert view.sum() == 995


def test_a_row_for_each_worker_and_no_more():
    array = shared.Array((2, 8))
    assert np.shares_memory(array.slot(), array.array[0])
    assert np.shares_memory(array.slot(), array.array[0])
    rows = []

    def claim():
        try:
            rows.append(array.slot())
        except InputError as error:
            rows.append(error)

    for _ in range(2):
        thread = threading.Thread(target=claim)
        thread.start()
        thread.join()
    assert np.shares_memory(rows[0], array.array[1])
    assert "at least the number of workers" in str(rows[1])


# Locks.


def hold(lock, is_held):
    with lock:
        is_held.set(True)
        time.sleep(PATIENCE_S)


@pytest.mark.parametrize("context", [FORK, SPAWN], ids=["fork", "spawn"])
def test_a_killed_holder_frees_its_lock(context):
    lock, is_held = shared.Lock("ledger"), shared.Value(bool)
    holder = start(hold, lock, is_held, context=context)
    wait_until(lambda: is_held)
    assert lock.locked() and f"process {holder.pid}" in lock.holder
    assert not lock.acquire(blocking=False) and not lock.acquire(timeout=0.02)
    with pytest.raises(WindfallError, match=f"process {holder.pid} holds it"):
        lock.release()
    os.kill(holder.pid, signal.SIGKILL)  # it stays a zombie meanwhile
    began = time.perf_counter()
    with pytest.warns(shared.HolderDiedWarning, match=f"{holder.pid} died while it held lock `led"):
        assert lock.acquire()
    assert time.perf_counter() - began < 1.0
    assert f"process {holder.pid}" in lock.former_holder
    lock.release()
    with lock:
        assert lock.former_holder is None
    end(holder)


def test_a_warning_that_is_an_error_leaves_the_lock_free():
    lock, is_held = shared.Lock(), shared.Value(bool)
    holder = start(hold, lock, is_held)
    wait_until(lambda: is_held)
    kill(holder)
    with warnings.catch_warnings():
        warnings.simplefilter("error", shared.HolderDiedWarning)
        with pytest.raises(shared.HolderDiedWarning):
            lock.acquire(blocking=False)
        with lock:
            pass
    assert not lock.locked()


def test_a_thread_that_ends_with_a_lock_frees_it():
    lock = shared.Lock()
    thread = threading.Thread(target=lock.acquire)
    thread.start()
    thread.join()
    with pytest.warns(shared.HolderDiedWarning, match="in thread"):
        assert lock.acquire()
    lock.release()


def spin(lock, plain, inside):
    warnings.simplefilter("ignore", shared.HolderDiedWarning)
    while True:
        with lock:
            assert inside.add(1) == 0 or lock.former_holder
            plain.add(1)
            inside.set(0)


def test_whoever_is_killed_at_any_moment_the_others_go_on():
    lock, plain, inside = shared.Lock(), shared.Value(int), shared.Value(int)
    workers = [start(spin, lock, plain, inside) for _ in range(3)]
    for round_ in range(12):
        before = plain.value
        wait_until(lambda before=before: plain.value > before + 500)
        kill(workers.pop(0))
        workers.append(start(spin, lock, plain, inside))
        assert all(worker.is_alive() for worker in workers), round_
    for worker in workers:
        kill(worker)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", shared.HolderDiedWarning)
        assert lock.acquire(timeout=PATIENCE_S)
    lock.release()


def test_a_lock_is_not_taken_twice_unless_it_may_be():
    lock = shared.Lock("mine")
    with lock, pytest.raises(shared.DeadlockError, match="which it holds itself") as caught:
        lock.acquire()
    assert "reentrant=True" in caught.value.hint
    assert not lock.locked()
    again = shared.Lock(reentrant=True)
    with again, again:
        assert again.acquire(blocking=False)
        again.release()
        assert again.locked()
    assert not again.locked()


def test_a_child_does_not_hold_what_its_parent_holds():
    lock, got = shared.Lock(), shared.Value("int64", -1)

    def take():
        got.set(int(lock.acquire(timeout=0.01)))

    with lock:
        end(start(take))
    assert got.value == 0


# Deadlocks.


def take_both(locks, first, second, ready, said):
    with locks[first]:
        ready.wait()
        try:
            with locks[second]:
                pass
        except shared.DeadlockError as error:
            said.put(str(error))


@pytest.mark.parametrize("context", [FORK, SPAWN], ids=["fork", "spawn"])
@pytest.mark.parametrize("count", [2, 3])
def test_those_who_wait_for_one_another_are_named(count, context):
    locks = [shared.Lock(name) for name in "abc"[:count]]
    ready, said = shared.Barrier(count), shared.Queue()
    workers = [
        start(take_both, locks, one, (one + 1) % count, ready, said, context=context)
        for one in range(count)
    ]
    end(*workers)
    assert said.qsize() == 1, "one gets the error, so that the others can go on"
    story = said.get()
    for one, worker in enumerate(workers):
        other, name = workers[(one + 1) % count].pid, "abc"[(one + 1) % count]
        held = f"process {worker.pid} waits for lock `{name}`, which process {other} holds"
        assert held in story
    assert "hint: take locks in the same order" in story


def test_a_time_limit_is_kept_instead():
    locks, ready = [shared.Lock(name) for name in "ab"], shared.Barrier(2)
    got = []

    def run(first, second):
        with locks[first]:
            ready.wait()
            got.append(locks[second].acquire(timeout=0.3))
            ready.wait()

    threads = [threading.Thread(target=run, args=pair) for pair in ((0, 1), (1, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [False, False]


def meet_with_lock(lock, barrier, is_held, said):
    with lock:
        is_held.set(True)
        try:
            barrier.wait()
        except (shared.DeadlockError, shared.BrokenBarrierError) as error:
            said.put((type(error).__name__, str(error)))


def test_a_barrier_can_be_part_of_a_deadlock():
    lock, barrier = shared.Lock("gate"), shared.Barrier(2, name="meeting")
    is_held, said = shared.Value(bool), shared.Queue()

    def come_late():
        barrier.join()
        wait_until(lambda: is_held)
        try:
            with lock:
                pass
        except shared.DeadlockError as error:
            said.put((type(error).__name__, str(error)))
            barrier.wait()

    workers = [start(meet_with_lock, lock, barrier, is_held, said), start(come_late)]
    end(*workers)
    found = said.get(timeout=1)
    assert found[0] == "DeadlockError"
    pids = [worker.pid for worker in workers]
    assert f"process {pids[1]} waits for lock `gate`, which process {pids[0]} holds" in found[1]
    assert f"process {pids[0]} waits at barrier `meeting` for process {pids[1]}" in found[1]


def starve(own, other, said):
    said.put("ready")
    try:
        own.get()
    except shared.DeadlockError as error:
        said.put(str(error))
        other.put("go on")


def test_a_queue_that_nobody_can_fill_is_told():
    one, two, said = shared.Queue(name="one"), shared.Queue(name="two"), shared.Queue()
    workers = [start(starve, *pair, said, context=SPAWN) for pair in ((one, two), (two, one))]
    assert [said.get(), said.get()] == ["ready"] * 2
    shared._kept.clear()
    del one, two  # as long as this process had them, it might put something
    end(*workers)
    story = said.get(timeout=1)
    assert said.empty()
    for worker, other, name in zip(workers, workers[::-1], ("one", "two")):
        wanted = (
            f"process {worker.pid} waits for an item of queue `{name}` from process {other.pid}"
        )
        assert wanted in story


# Queues.


def test_a_queue_is_in_order_and_bounded():
    items = shared.Queue(maxsize=2, name="items")
    items.put({"a": 1})
    items.put([2])
    assert items.full() and items.qsize() == len(items) == 2
    with pytest.raises(queue.Full):
        items.put_nowait(3)
    with pytest.raises(queue.Full):
        items.put(3, timeout=0.01)
    assert (items.get(), items.get()) == ({"a": 1}, [2])
    with pytest.raises(queue.Empty):
        items.get_nowait()
    with pytest.raises(queue.Empty):
        items.get(timeout=0.01)
    items.close()
    assert items.closed and "closed" in repr(items)
    with pytest.raises(shared.QueueClosedError, match="queue `items` is closed"):
        items.put(1)
    with pytest.raises(shared.QueueClosedError):
        items.get()


def test_arrays_and_shared_objects_go_through_a_queue():
    items, total = shared.Queue(), shared.Value("int64")
    items.put((np.arange(100_000), total))
    array, again = items.get()
    again.add(1)
    assert again is total and total.value == 1 and array.sum() == 4999950000


def consume(items, seen, delay_s):
    for number in items:
        seen.add(number, 1)
        time.sleep(delay_s)


@pytest.mark.parametrize("context", [FORK, SPAWN], ids=["fork", "spawn"])
def test_a_killed_consumer_takes_at_most_its_own_item(context):
    items, seen = shared.Queue(maxsize=50), shared.Array(3000, "int64")
    consumers = [start(consume, items, seen, 0, context=context) for _ in range(3)]
    for number in range(3000):
        items.put(number)
        if number == 1500:
            kill(consumers.pop())
    items.close()
    end(*consumers)
    assert seen.array.max() == 1 and (seen.array == 0).sum() <= 1 and items.empty()


def produce(items):
    for number in range(10**9):
        items.put(number)


def test_a_killed_producer_has_put_whole_items_in_order():
    items = shared.Queue(bytes_max=1000)
    producer = start(produce, items)
    got = [items.get() for _ in range(500)]
    kill(producer)
    while not items.empty():
        got.append(items.get(timeout=PATIENCE_S))
    assert got == list(range(len(got)))
    items.put("still works")
    assert items.get() == "still works"


# Barriers.


def meet(barrier, rounds, met):
    for _ in range(rounds):
        barrier.wait()
        met.add(1)
    time.sleep(PATIENCE_S)


@pytest.mark.parametrize("context", [FORK, SPAWN], ids=["fork", "spawn"])
def test_a_killed_member_breaks_the_barrier(context):
    barrier, met = shared.Barrier(2, name="step"), shared.Value("int64")
    member = start(meet, barrier, 3, met, context=context)
    for _ in range(3):
        barrier.wait()
    wait_until(lambda: met.value == 3)
    os.kill(member.pid, signal.SIGKILL)
    with pytest.raises(
        threading.BrokenBarrierError, match=f"process {member.pid} has ended"
    ) as one:
        barrier.wait()
    assert isinstance(one.value, WindfallError) and "reset()" in one.value.hint
    assert barrier.broken and barrier.broken_by == member.pid
    with pytest.raises(shared.BrokenBarrierError):
        barrier.wait()
    end(member)
    barrier.reset()
    assert not barrier.broken
    with pytest.raises(shared.BrokenBarrierError, match="the time was up"):
        barrier.wait(timeout=0.01)


def test_a_member_killed_while_it_waits_is_missed():
    barrier, met = shared.Barrier(2), shared.Value("int64")
    member = start(meet, barrier, 1, met)
    wait_until(lambda: barrier.n_waiting == 1)
    kill(member)
    with pytest.raises(shared.BrokenBarrierError, match=f"process {member.pid} has ended"):
        barrier.wait()


def test_other_processes_may_meet_in_later_rounds():
    barrier, met = shared.Barrier(2), shared.Value("int64")

    def come(delay_s):
        time.sleep(delay_s)
        barrier.wait()
        met.add(1)

    for _ in range(2):
        end(*[start(come, delay_s) for delay_s in (0, 0.15)])
    assert met.value == 4


def test_rounds_are_together():
    barrier, highest = shared.Barrier(3), shared.Array(3, "int64")
    wrong = shared.Value("int64")

    def run(place):
        for round_ in range(300):
            highest.array[place] = round_
            barrier.wait()
            wrong.add(int((highest.array != round_).any()))
            barrier.wait()

    workers = [start(run, place) for place in range(3)]
    end(*workers)
    assert (wrong.value, highest.array.tolist()) == (0, [299] * 3)


# Signals, passing on, what is left.


@pytest.mark.parametrize(
    "wait",
    [
        "lock = shared.Lock();threading.Thread(target=hold, args=(lock,), daemon=True).start();"
        "time.sleep(0.1);lock.acquire()",
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start();shared.Queue().get()",
        "shared.Barrier(2).wait()",
    ],
    ids=["lock", "queue", "barrier"],
)
def test_ctrl_c_ends_a_wait(wait):
    code = f"""
import threading, time
from windfall import shared
def hold(lock):
    lock.acquire(); time.sleep(60)
print("ready", flush=True)
try:
    {wait.replace(";", chr(10) + "    ")}
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=PATIENCE_S)
    assert (said, child.returncode) == ("interrupted\n", 0)


def test_a_wait_lets_other_threads_run():
    lock, count = shared.Lock(), []
    lock.acquire()
    waiter = threading.Thread(target=lambda: lock.acquire() and lock.release())
    waiter.start()
    for _ in range(100_000):
        count.append(1)
    lock.release()
    waiter.join()
    assert len(count) == 100_000


def pickled(kind, out):
    # It is dropped here at once, but kept for whoever is to open it.
    out.put(pickle.dumps(getattr(shared, kind)("int64", 7)))
    time.sleep(PATIENCE_S)


def test_an_object_can_be_opened_while_its_process_lives():
    out = shared.Queue()
    owner = start(pickled, "Value", out, context=SPAWN)
    sent = out.get()
    value = pickle.loads(sent)
    assert value.value == 7 and pickle.loads(sent) is value
    again = pickle.dumps(value)  # now this process passes it on
    kill(owner)
    del value
    assert pickle.loads(again).value == 7
    shared._kept.clear()
    with pytest.raises(
        WindfallError, match=f"shared value of process {owner.pid}`: the process has"
    ):
        pickle.loads(sent)


def test_an_object_that_was_closed_is_not_taken_for_another():
    sent = pickle.dumps(shared.Value("int64"))
    shared._kept.clear()
    with pytest.raises(WindfallError, match="hint: whoever sends"):
        pickle.loads(sent)


def test_a_copy_within_a_process_is_the_object_itself():
    for one in (shared.Value(int), shared.Lock(), shared.Queue(), shared.Array(2)):
        assert pickle.loads(pickle.dumps(one)) is one


LEFT = """
import gc, os, pickle
from windfall import shared
def found():
    gc.collect()
    with open("/proc/self/maps") as maps:
        return len(os.listdir("/proc/self/fd")), sum("memfd:" in line for line in maps)
def make():
    made = [shared.Value(int), shared.Counter(), shared.Lock(), shared.Barrier(2)]
    made += [shared.Queue(), shared.Array((4, 4))]
    with made[2]:
        made[4].put(1)
        made[5].slot()[:] = 1
    return [pickle.loads(pickle.dumps(one)) for one in made]
make(); shared._kept.clear()
before = found()
for _ in range(50):
    make()
shared._kept.clear()
assert found() == before, (found(), before)
child = os.fork()
if child == 0:
    made = make()
    os.kill(os.getpid(), 9)
os.waitpid(child, 0)
assert found() == before, (found(), before)
print("clean")
"""


def test_nothing_is_left_behind():
    done = subprocess.run([sys.executable, "-c", LEFT], capture_output=True, text=True)
    assert done.stdout == "clean\n", done.stderr


def test_an_engine_is_named():
    code = """
from windfall import shared, _core
_core.shared_engine(3)
lock = shared.Lock("l")
with lock:
    print(lock.holder)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert re.fullmatch(r"engine 3 \(process \d+\)\n", done.stdout), done.stderr
