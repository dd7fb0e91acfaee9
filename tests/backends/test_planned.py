"""The planner on engines that are at hand: a row with their workers, measured, taken and run."""

import json
import time

import numpy as np
import pytest
from engines import WORKERS

import windfall
from windfall.backends import find

MAPPINGS = {"threads": "thread-pool", "processes": "pool", "loky": "pool"}
PI = {"problem": "pi", "n": 3_000_000, "seed": 1}


@pytest.fixture
def name(request):
    engine = request.node.callspec.params["engine"]
    return MAPPINGS.get(engine, engine)


@pytest.fixture(autouse=True)
def all_workers(engine):
    """Wait for a worker that takes the place of one that another test has killed."""
    deadline = time.monotonic() + 60
    while find(engine.on).workers < WORKERS and time.monotonic() < deadline:
        time.sleep(0.1)


def test_what_is_given_is_a_mapping_with_its_workers_that_runs_already(engine, name, tmp_path):
    plan = windfall.plan(PI, on=engine.on, state=tmp_path / "state", workers=1)
    row = plan[name]
    assert row is plan.mappings[-1] and [one.name for one in plan].count(name) == 1
    assert (row.available, row.missing, row.workers) == (True, None, WORKERS)
    assert row.mapping == f"{name} × {WORKERS}"
    assert row.costs["start_s"] == 0
    assert row.costs["order_s"] == windfall._core.order_s(name)
    assert windfall.plan(windfall.pi, 3e6, rng=1, on=engine.on)[name].workers == WORKERS
    assert not (tmp_path / "state").exists()


def test_what_is_measured_is_kept_and_what_ran_too(engine, name, tmp_path, monkeypatch):
    # What is kept counts here, not how well it was measured.
    monkeypatch.setattr("windfall._problems.planning._WARM", 5)

    def planned(**more):
        return windfall.plan(PI, on=engine.on, state=tmp_path, **more)

    measured = planned(calibrate=True)[name]
    kept = json.loads((tmp_path / "calibration.json").read_text())["mappings"]
    assert list(kept) == [name] and kept[name]["order_s"] > 0
    plan = planned()
    assert plan[name].costs_source == measured.costs_source == "measured here"
    assert plan[name].costs["order_s"] == kept[name]["order_s"]
    result = plan.run(name)
    assert result.estimate == windfall.run(PI).estimate
    assert result.run["workers"] == WORKERS
    pair = json.loads((tmp_path / "history.jsonl").read_text())
    assert (pair["mapping"], pair["workers"]) == (name, WORKERS)
    assert pair["predicted_s"] == plan[name].seconds and pair["actual_s"] > 0


def midrange(x, axis=-1):
    return (np.min(x, axis=axis) + np.max(x, axis=axis)) / 2


def test_much_work_goes_to_what_is_given(engine, name, tmp_path):
    # One worker here, so that whatever the pilot finds, half of a minute beats it.
    if name == "thread-pool":
        pytest.skip("it is this process, and Python's lock with it")
    x = np.arange(1000.0)
    plan = windfall.plan(
        windfall.bootstrap,
        {"x": x},
        midrange,
        n_resamples=4_000_000,
        rng=1,
        workers=1,
        on=engine.on,
    )
    assert plan.recommended == plan[name].mapping and plan.parallel
    assert str(plan).splitlines()[-1].startswith(f"take {name} × {WORKERS}: ")
