"""What every engine keeps: the same bytes, errors with an address, nothing lost or left."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from jobs import BOX, CODE, JOBS, X, bell, told

import windfall


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


class _nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def test_another_version_is_refused_before_any_work(engine, monkeypatch):
    for module in ("executor", "dask", "ray", "spark", "joblib"):
        part = __import__(f"windfall.backends.{module}", fromlist=["__version__"])
        monkeypatch.setattr(part, "__version__", "0.0.1")
    with pytest.raises(windfall.UnsupportedError, match="has windfall") as caught:
        windfall.pi(10_000, rng=1, on=engine.on)
    assert "pip install windfall==" in caught.value.hint


def test_large_tables_arrive_as_they_are(engine):
    data = {"x": np.random.default_rng(1).normal(size=200_000)}
    here = windfall.bootstrap(data, "mean(x)", n_resamples=200, rng=3)
    assert told(windfall.bootstrap(data, "mean(x)", n_resamples=200, rng=3, on=engine.on)) == told(
        here
    )


def test_a_file_on_shared_storage_is_read_there(engine, tmp_path):
    import windfall.backends

    path = tmp_path / "law.csv"
    rows = "\n".join(f"{value}" for value in X)
    path.write_text(f"x\n{rows}\n")
    backend = windfall.backends.find(engine.on)
    backend.shared_storage = True
    here = windfall.bootstrap(path, "mean(x)", n_resamples=500, rng=3)
    assert told(windfall.bootstrap(path, "mean(x)", n_resamples=500, rng=3, on=backend)) == told(
        here
    )
    path.write_text("x\n1\n2\n3\n")
    table = windfall._data.table_from(path)
    path.write_text("x\n1\n2\n4\n")
    with pytest.raises(windfall.WindfallError, match="leave `shared_storage` out"):
        windfall.bootstrap(table, "mean(x)", n_resamples=501, rng=3, on=backend)


def test_progress_is_told(engine):
    seen = []
    windfall.integrate(
        slow_bell,
        [(0, 1), (0, 1)],
        n=60 * 4096,
        rng=3,
        on=engine.on,
        progress=lambda *told: seen.append(told[0]),
    )
    assert seen and seen == sorted(seen)


def test_a_job_file_runs_there(engine, tmp_path):
    np.savetxt(tmp_path / "law.csv", X, header="x", comments="")
    job = tmp_path / "job.toml"
    job.write_text(
        "problem = 'bootstrap'\ndata = 'law.csv'\nstatistic = 'mean(x)'\n"
        "resamples = 999\nseed = 4\n"
    )
    assert told(windfall.run(job, on=engine.on)) == told(windfall.run(job))
