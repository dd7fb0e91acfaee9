"""What every engine keeps: the same bytes, errors with an address, nothing lost or left."""

import gc
import os
import signal
import threading
import time

import numpy as np
import pytest
import work
from jobs import BOX, CODE, JOBS, Noted, X, bell, mean_of, told

import windfall
import windfall.backends


def name_of(request):
    return request.node.callspec.params["engine"]


# Where an order costs some 30 ms, a few jobs stand for all.
ON_SPARK = ["pi", "integrate", "bootstrap", "integrate, compiled", "simulate", "fit_arrays"]


@pytest.fixture
def only_a_few_on_spark(engine, request):
    if name_of(request) == "spark" and request.node.callspec.params["job"] not in ON_SPARK:
        pytest.skip("a few jobs stand for all on Spark")


@pytest.mark.usefixtures("only_a_few_on_spark")
@pytest.mark.parametrize("job", JOBS)
def test_the_answer_is_that_of_threads(engine, job):
    here, there = JOBS[job](), JOBS[job](on=engine.on)
    assert told(here) == told(there)
    assert there.run["workers"] == 2


@pytest.mark.usefixtures("only_a_few_on_spark")
@pytest.mark.parametrize("job", CODE)
def test_code_of_python_gives_the_same_there(engine, job):
    if "compiled" in job:
        pytest.importorskip("numba")
    assert told(CODE[job]()) == told(CODE[job](on=engine.on))


def test_a_checkpoint_is_that_of_threads(engine, tmp_path):
    def integral(n, on=None):
        return windfall.integrate(bell, BOX, n=n, rng=3, on=on, checkpoint=tmp_path)

    assert integral(700_000, engine.on).run["shards_kept"] == 0
    here = integral(900_000)
    there = integral(1_200_000, engine.on)
    assert 0 < here.run["shards_kept"] < there.run["shards_kept"]
    assert told(there) == told(windfall.integrate(bell, BOX, n=1_200_000, rng=3))
    # Where no shard is left to do, none is sent.
    again = integral(1_200_000, engine.on)
    assert again.run["shards_kept"] > there.run["shards_kept"]
    assert told(again) == told(there)


@pytest.mark.parametrize("n", [1, 2, 3, 100, 30_001])
def test_every_task_is_done_once(engine, n):
    here, there = (windfall.pi(n, rng=2, **on) for on in ({}, {"on": engine.on}))
    assert there.draws == n and told(there) == told(here)


def test_a_tolerance_stops_after_the_same_tasks(engine):
    job = dict(n=10_000_000, tolerance=5e-4, rng=4)
    here = windfall.integrate(bell, BOX, **job)
    there = windfall.integrate(bell, BOX, **job, on=engine.on)
    assert 0 < there.draws < 10_000_000 and told(there) == told(here)


def test_what_else_stands_for_an_engine(engine):
    here = told(windfall.pi(300_000, rng=1))
    for on in engine.also():
        there = windfall.pi(300_000, rng=1, on=on)
        assert told(there) == here and there.run["workers"] == 2, on
    for on in engine.refused():
        with pytest.raises(windfall.InputError) as caught:
            windfall.pi(1000, on=on)
        assert "on" in caught.value.hint


def breaks(x):
    if np.any(x[0] > 0.999):
        raise ArithmeticError("too near the edge")
    return x[0]


def test_a_failing_task_is_named_and_the_engine_lives(engine):
    with pytest.raises(windfall.TaskError, match="ArithmeticError: too near the edge") as caught:
        windfall.integrate(breaks, [(0, 1)], n=100_000, rng=7, on=engine.on)
    error = caught.value
    assert error.seed == 7 and error.tasks[0] < error.tasks[1]
    assert "process" in error.worker
    assert "in breaks" in error.trace and "raise ArithmeticError" in error.trace
    assert windfall.pi(1000, rng=1, on=engine.on).draws == 1000


def slow(x):
    time.sleep(0.02)
    return x[0]


def test_ctrl_c_keeps_what_is_done(engine):
    # Orders are small at first: something is done when the signal comes.
    timer = threading.Timer(3.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.warns(windfall.IncompleteWarning):
        result = windfall.integrate(slow, [(0, 1)], n=4_000_000, rng=1, on=engine.on)
    timer.join()
    assert time.monotonic() - began < 10
    assert 0 < result.draws < 4_000_000
    assert abs(result.estimate - 0.5) < 6 * result.mcse
    assert windfall.pi(1000, rng=1, on=engine.on).draws == 1000


def test_a_killed_worker_costs_its_shards_only(engine, request):
    if engine.pids is None:
        pytest.skip("threads of this process cannot be lost alone")
    job = dict(n=150 * 4096, rng=3)
    expected = windfall.integrate(slow_bell, [(0, 1), (0, 1)], **job)
    killed = threading.Event()

    def kill_when_it_runs():
        time.sleep(1.0)
        deadline = time.monotonic() + 20
        while not engine.pids() and time.monotonic() < deadline:
            time.sleep(0.02)
        engine.kill_one()
        killed.set()

    thread = threading.Thread(target=kill_when_it_runs)
    thread.start()
    is_pool = name_of(request) in ("processes", "loky")
    context = pytest.warns(RuntimeWarning, match="died") if is_pool else _nothing()
    with context:
        found = windfall.integrate(slow_bell, [(0, 1), (0, 1)], on=engine.on, **job)
    thread.join()
    engine.renewed()
    assert killed.is_set()
    assert told(found) == told(expected)


def slow_bell(x):
    time.sleep(0.03)
    return np.exp(-(x[0] ** 2) - x[1] ** 2)


@pytest.mark.parametrize("job", [work.FILE, work.function], ids=["file", "function"])
def test_a_worker_killed_half_way_changes_no_byte(engine, request, job):
    if engine.pids is None:
        pytest.skip("threads of this process cannot be lost alone")
    run = job if job is work.function else lambda **on: windfall.run(job, **on)
    expected = run()
    killed = []

    def kill_once(done, most, *_):
        if not killed and 0 < done < most:
            engine.kill_one()
            killed.append(done / most)

    is_pool = name_of(request) in ("processes", "loky")
    with pytest.warns(RuntimeWarning, match="died") if is_pool else _nothing():
        found = run(on=engine.on, progress=kill_once)
    engine.renewed()
    assert killed and 0 < killed[0] < 0.9
    assert told(found) == told(expected)


class _nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def test_another_version_is_refused_before_any_work(engine, monkeypatch):
    for module in ("executor", "dask", "ray", "spark", "joblib"):
        part = __import__(f"windfall.backends.{module}", fromlist=["version"])
        monkeypatch.setattr(part, "version", lambda: "0.0.1")
    with pytest.raises(windfall.UnsupportedError, match="has windfall") as caught:
        windfall.pi(10_000, rng=1, on=engine.on)
    assert "pip install windfall==" in caught.value.hint


def test_large_tables_arrive_as_they_are(engine):
    data = {"x": np.random.default_rng(1).normal(size=200_000)}
    here = windfall.bootstrap(data, "mean(x)", n_resamples=200, rng=3)
    assert told(windfall.bootstrap(data, "mean(x)", n_resamples=200, rng=3, on=engine.on)) == told(
        here
    )


def test_a_large_table_is_unpacked_once_a_worker(engine, request, tmp_path):
    data = {"x": np.random.default_rng(2).normal(size=50_000)}
    job = dict(method="percentile", n_resamples=600, rng=3)
    backend, notes = windfall.backends.find(engine.on), tmp_path / "notes"
    share, orders = backend.share, []
    backend.share = lambda parcel: share(Noted.of(parcel, notes))
    submit = backend.submit
    backend.submit = lambda order, *rest, **more: (
        orders.append(order) or submit(order, *rest, **more)
    )
    found = windfall.bootstrap(data, mean_of, **job, on=backend)
    assert told(found) == told(windfall.bootstrap(data, mean_of, **job))
    lines = notes.read_text().splitlines() if notes.exists() else []
    workers = {line.split()[0] for line in lines}
    name = name_of(request)
    assert name == "joblib" or len(orders) >= 8
    if name == "threads":
        assert not lines
    elif name == "ray":
        # Each order sees the one copy that its machine's store has.
        assert workers and all("in place" in line for line in lines)
    elif name in ("dask", "spark"):
        assert len(lines) == len(workers) <= 2
    else:
        # Each order that was under way before the first had its table asks for it.
        assert 1 <= len(lines) <= 4


def write_numbers(path, values):
    if path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table({"x": np.array(values, float)}), path)
    else:
        path.write_text("".join(f"{value}\n" for value in ["x", *values]))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_on_shared_storage_is_read_there(engine, tmp_path, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"law.{kind}"
    write_numbers(path, X)
    backend = windfall.backends.find(engine.on)
    backend.shared_storage = True
    share, parcels = backend.share, []
    backend.share = lambda parcel: parcels.append(parcel) or share(parcel)
    here = windfall.bootstrap(path, "mean(x)", n_resamples=500, rng=3)
    assert told(windfall.bootstrap(path, "mean(x)", n_resamples=500, rng=3, on=backend)) == told(
        here
    )
    assert parcels and all(parcel.packed is None and parcel.files for parcel in parcels)
    write_numbers(path, [1, 2, 3])
    table = windfall._data.table_from(path)
    write_numbers(path, [1, 2, 4])
    with pytest.raises(windfall.WindfallError, match="leave `shared_storage` out"):
        windfall.bootstrap(table, "mean(x)", n_resamples=501, rng=3, on=backend)


def test_only_the_calling_thread_tells_of_progress(engine):
    seen = []

    def look(done, *_):
        assert threading.current_thread() is threading.main_thread()
        seen.append(done)

    began = time.monotonic()
    windfall.integrate(slow_bell, BOX, n=20 * 4096, rng=3, on=engine.on, progress=look)
    assert seen and seen == sorted(seen)
    # At most one look each 50 ms, and one at the end.
    assert len(seen) <= (time.monotonic() - began) / 0.05 + 2


def long(x):
    time.sleep(0.2)
    return x[0]


def test_somebody_looks_while_tasks_are_long(engine):
    seen = []
    job = dict(n=4096, rng=3, on=engine.on)
    windfall.integrate(long, [(0, 1)], **job, progress=lambda done, *_: seen.append(done))
    assert seen.count(0) >= 3


def test_nothing_of_a_run_is_left(engine):
    data = {"x": np.random.default_rng(2).normal(size=50_000)}

    def kept():
        gc.collect()  # what an error's traceback holds goes with it
        names = {thread.name for thread in threading.enumerate()}
        return engine.held() + sum("windfall" in name for name in names)

    def runs():
        job = dict(method="percentile", n_resamples=100, rng=3)
        windfall.bootstrap(data, mean_of, **job, on=engine.on)
        with pytest.raises(windfall.TaskError):
            windfall.integrate(breaks, [(0, 1)], n=100_000, rng=7, on=engine.on)

    runs()  # what an engine keeps of its first run, as Ray a function, it keeps once
    before = kept()
    runs()
    deadline = time.monotonic() + 10
    while kept() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert kept() <= before


def test_a_job_file_runs_there(engine, tmp_path):
    np.savetxt(tmp_path / "law.csv", X, header="x", comments="")
    job = tmp_path / "job.toml"
    job.write_text(
        "problem = 'bootstrap'\ndata = 'law.csv'\nstatistic = 'mean(x)'\n"
        "resamples = 999\nseed = 4\n"
    )
    assert told(windfall.run(job, on=engine.on)) == told(windfall.run(job))
