"""The parts that need no engine: sizes of orders, what travels, what is recognised."""

import pickle
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest
from jobs import CODE, JOBS, X, callback, mean_of, told

import windfall
import windfall.backends
from windfall import _core
from windfall.backends.base import ORDER_S, OVERHEAD_SHARE, Sizes
from windfall.backends.worker import Parcel, Reply


class Shards:
    def __init__(self, left, is_long=False):
        self.left, self.is_long = left, is_long


def sizes(left, *, is_long=False, clock=lambda: 0.0, **more):
    backend = windfall.backends.base.Backend()
    for name, value in {"workers": 2, "cost_s": 0.001, **more}.items():
        setattr(backend, name, value)
    shards = Shards(left, is_long)
    return shards, Sizes(shards, backend, clock=clock)


@pytest.mark.parametrize("shard_s", [1e-5, 1e-3, 0.1])
@pytest.mark.parametrize("cost_s", [0.0005, 0.03])
def test_orders_cost_little_where_there_is_work_enough(shard_s, cost_s):
    shards, rule = sizes(int(200 / shard_s), cost_s=cost_s)
    orders = spent = 0
    while shards.left:
        count = rule.next()
        shards.left -= count
        rule.saw(count, Reply(0, b"", count * shard_s, "w"))
        orders += 1
        spent += count * shard_s
        if spent < 190:  # the last ones are small, so that all workers end together
            assert count * shard_s <= max(ORDER_S, cost_s / OVERHEAD_SHARE) + shard_s
    assert orders * cost_s / spent <= 0.05


def test_orders_grow_where_they_cost_more_than_was_told():
    shard_s, cost_s = 1e-3, 0.15
    now, ends = [0.0], [0.0, 0.0]
    shards, rule = sizes(int(400 / shard_s), cost_s=0.01, clock=lambda: now[0])
    orders = spent = 0
    while shards.left:
        worker = orders % 2
        count = rule.next()
        shards.left -= count
        ends[worker] += count * shard_s + cost_s
        # Now and then a reply comes late, and the next one soon after it.
        now[0] = ends[worker] + 2.0 * (orders % 10 == 9)
        rule.saw(count, Reply(0, b"", count * shard_s, "ab"[worker]))
        orders += 1
        spent += count * shard_s
    assert orders * cost_s / spent <= 0.05


def test_no_reply_grows_larger_than_an_engine_takes():
    _, rule = sizes(10**6, reply_bytes_max=1000)
    rule.saw(1, Reply(0, b"12345678", 1e-6, "w"))
    assert rule.next() == 125
    rule.saw(1, Reply(0, bytes(2000), 1e-6, "w"))
    assert rule.next() == 1


def test_every_worker_gets_a_few_and_long_shards_go_alone():
    shards, rule = sizes(80, workers=4)
    rule.saw(1, Reply(0, b"", 1e-6, "w"))
    assert rule.next() == 5
    _, rule = sizes(80, workers=4, is_long=True)
    rule.saw(1, Reply(0, b"", 1e-6, "w"))
    assert rule.next() == 1


def test_the_first_order_of_a_worker_builds_the_problem_and_counts_least():
    _, rule = sizes(10**6)
    rule.saw(1, Reply(0, b"", 1.0, "a"))
    rule.saw(1, Reply(0, b"", 0.001, "a"))
    rule.saw(1, Reply(0, b"", 5.0, "b"))
    assert rule.next() == int(ORDER_S / 0.001)


def problem_of(job):
    return job()._problem


@pytest.mark.parametrize(
    "job", [*JOBS.values(), *CODE.values()], ids=[*JOBS, *map("code {}".format, CODE)]
)
def test_problems_pickle(job):
    import cloudpickle

    result = job()
    again = pickle.loads(cloudpickle.dumps(result._problem))
    fields = again.solve(workers=1)[0]
    assert fields == result._problem.solve(workers=1)[0]


def test_tables_pickle_without_a_copy_of_their_numbers():
    table = _core.Table.from_columns([("x", X), ("side", ["a", "b"] * 150)])
    buffers = []
    body = pickle.dumps(table, 5, buffer_callback=buffers.append)
    assert len(body) < 1000 and buffers
    again = pickle.loads(body, buffers=buffers)
    assert again.hash() == table.hash() and again.names() == ["x", "side"]


def test_what_cannot_travel_says_why():
    import ctypes

    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(windfall.InputError, match="address of compiled code") as caught:
            windfall.integrate(kind(lambda n, x: 1.0), [(0, 1)], n=1000, on=pool)
        assert "@cfunc" in caught.value.hint
        lock = __import__("threading").Lock()
        with pytest.raises(windfall.InputError, match="lock"):
            windfall.integrate(lambda x: x[0] * bool(lock), [(0, 1)], n=1000, on=pool)
        from scipy import LowLevelCallable

        compiled = LowLevelCallable(callback().ctypes)
        with pytest.raises(windfall.InputError, match="LowLevelCallable is the address"):
            windfall.integrate(compiled, [(0, 1), (0, 1)], n=1000, on=pool)


class Counting(Executor):
    """Runs calls here, one after the other, and remembers what it was sent."""

    def __init__(self):
        self.sent = []
        self._max_workers = 2

    def submit(self, fn, /, *args, **kwargs):
        self.sent.append(args)
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_a_large_table_goes_to_workers_that_lack_it():
    data = {"x": np.random.default_rng(3).normal(size=50_000)}
    pool = Counting()
    result = windfall.bootstrap(data, mean_of, n_resamples=300, rng=3, on=pool)
    parcels = [parcel for _, parcel, _ in pool.sent if parcel is not None]
    # Each order that was under way before the first had its table asks for it.
    assert len(pool.sent) > 10 and 1 <= len(parcels) <= 4
    assert isinstance(parcels[0], Parcel) and parcels[0].packed.nbytes > 400_000
    assert told(result) == told(windfall.bootstrap(data, mean_of, n_resamples=300, rng=3))


def test_what_is_no_engine_is_refused():
    with pytest.raises(windfall.InputError, match="`on` is `7`; it must be a cluster"):
        windfall.pi(1000, on=7)

    with pytest.raises(windfall.InputError, match="Ray is not connected") as caught:
        windfall.pi(1000, on=pytest.importorskip("ray"))
    assert caught.value.hint == "call ray.init() first"
    joblib = pytest.importorskip("joblib")
    with pytest.raises(windfall.InputError, match="`'lokey'` is no joblib.Parallel"):
        windfall.backends.Joblib("lokey", workers=2)
    with pytest.raises(windfall.InputError, match="says its own number of jobs"):
        windfall.backends.Joblib(joblib.Parallel(n_jobs=2), workers=3)


def test_an_executor_that_is_silent_is_asked_for_its_workers():
    class Silent(Counting):
        def __init__(self):
            self.sent = []

    with pytest.raises(windfall.InputError, match="say how many: workers=4"):
        windfall.pi(1000, on=Silent())
    assert (
        windfall.pi(1000, rng=1, on=windfall.backends.Pool(Silent(), workers=3)).run["workers"] == 3
    )


def test_importing_windfall_imports_no_engine():
    import subprocess
    import sys

    code = (
        "import sys, windfall.backends.base;"
        "print([m for m in 'distributed ray pyspark joblib mpi4py'.split() if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
