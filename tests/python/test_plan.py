"""The planner's Python face: files, mappings and functions are planned; what a run took is kept."""

import ctypes
import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import windfall

PI = {"problem": "pi", "n": 3_000_000, "seed": 1}


@pytest.fixture(autouse=True)
def no_state(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "nobody"))


def check(plan):
    assert plan.mappings[0].mapping == "serial"
    assert plan[plan.recommended].available and len(plan) == len(plan.mappings)
    assert plan.parallel == (plan[plan.recommended].workers > 1)
    for one in plan:
        assert 0 < one.low_s < one.seconds < one.high_s
        assert one.speedup == pytest.approx(plan["serial"].seconds / one.seconds)
        assert one.efficiency == pytest.approx(one.speedup / one.workers)
    assert str(plan).splitlines()[-1].endswith(plan.reason)
    assert plan._repr_html_().startswith("<pre>")
    return plan


def test_files_mappings_and_functions_are_planned_alike(examples, law):
    by_function = check(
        windfall.plan(
            windfall.bootstrap, law, "correlation(lsat, gpa)", n_resamples=100_000, rng=1993
        )
    )
    by_file = check(windfall.plan(examples / "law_school.toml"))
    same = ["problem", "tasks", "tasks_per_shard", "shards"]
    assert [by_file.facts[key] for key in same] == [by_function.facts[key] for key in same]
    assert check(windfall.plan(PI, workers=3))["threads × 3"].workers == 3
    assert check(windfall.plan(windfall.pi, 3e6, rng=1, workers=3)).facts["shards"] > 1


@pytest.mark.parametrize(
    ("function", "args", "more"),
    [
        (windfall.integrate, ("x0", [(0, 1)]), {"n": 1000}),
        (windfall.jackknife, ({"x": [1.0, 2.0, 4.0]}, "mean(x)"), {}),
        (windfall.fit_many, ({"x": [1.0, 2.0, 4.0], "y": [1.0, 3.0, 4.0]}, "y ~ x"), {}),
        (windfall.power, ("t-test",), {"n": 20, "effect": 0.5, "n_simulations": 1000}),
        (windfall.sample, ("gaussian",), {"sd": [1.0], "draws": 50, "warmup": 50, "chains": 2}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_function_that_solves_can_be_planned(function, args, more):
    check(windfall.plan(function, *args, pilot=0.01, **more))


def test_a_function_of_ones_own_can_go_where_code_is_carried():
    calls = []

    def integrand(x):
        calls.append(len(x))
        return np.sum(x, axis=-1)

    plan = check(windfall.plan(windfall.integrate, integrand, [(0, 1)] * 2, n=20_000, rng=1))
    assert calls and plan.facts["run"]["pilot"]["travels"]
    formula = windfall.plan(windfall.integrate, "x0 + x1", [(0, 1)] * 2, n=20_000, rng=1)
    for name in ("dask", "ray", "spark"):
        assert plan[name].missing == formula[name].missing, name
    # New engines know Python if they must.
    assert plan["python-engines"].available and formula["new-engines"].available
    for name in ("mpi", "slurm"):
        assert plan[name].missing == "it carries no functions"
        assert formula[name].missing != plan[name].missing


def test_a_pointer_without_source_stays_in_the_process():
    signature = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    pointer = signature(lambda d, x: math.exp(-x[0]))
    plan = check(windfall.plan(windfall.integrate, pointer, [(0, 1)], n=20_000, rng=1))
    assert not plan.facts["run"]["pilot"]["travels"]
    assert "cannot be written down" in plan["spark"].missing


def test_a_table_tells_the_break_even_point_and_the_size_of_shards():
    plan = windfall.plan(PI, workers=2, elsewhere=64)
    head, _, threads, *_ = str(plan).splitlines()
    assert "pays from" in head
    tasks = plan["threads"].break_even_tasks
    assert ("never" if tasks is None else f"{tasks:,} tasks") in threads
    size = plan.facts["run"]["shard_size"]
    (line,) = [line for line in str(plan).splitlines() if line.startswith("shards of ")]
    assert size["verdict"] in line and f"{size['tasks_max']:,} tasks a shard would suit" in line


def test_engines_at_hand_are_a_mapping(tmp_path):
    with ThreadPoolExecutor(3) as pool:
        plan = check(windfall.plan(windfall.pi, 3e6, rng=1, workers=2, on=pool))
        assert [one.mapping for one in plan if one.name == "thread-pool"] == ["thread-pool × 3"]
        assert plan["thread-pool"].costs["start_s"] == 0
        by_mapping = windfall.plan(PI, on=windfall.backends.Pool(pool, workers=5))
        assert by_mapping["thread-pool × 5"].available
        kept = windfall.plan(PI, on=pool, calibrate=True, state=tmp_path)["thread-pool"]
        assert kept.costs_source == "measured here" and kept.costs["start_s"] == 0
        assert (tmp_path / "calibration.json").exists()
    with pytest.raises(windfall.InputError, match="`on` is `7`; it must be a cluster"):
        windfall.plan(PI, on=7)
    with pytest.raises(windfall.InputError, match="`calibrate` measures the engines of `on`"):
        windfall.plan(PI, calibrate=True)


def test_a_cluster_at_hand_is_the_one_that_is_found(rc):
    for on, workers in [(rc, len(rc)), (rc[1:], len(rc) - 1), (rc.name, len(rc))]:
        rows = [one for one in windfall.plan(PI, on=on) if one.place == rc.name]
        assert [row.mapping for row in rows] == [f"engines of {rc.name} × {workers}"]
        assert rows[0].available


def test_a_run_where_it_was_planned_is_kept(rc, tmp_path):
    plan = windfall.plan(windfall.pi, 3e6, rng=1, workers=2, on=rc, state=tmp_path)
    expected = windfall.pi(3e6, rng=1).estimate
    names = ["serial", "threads", f"engines of {rc.name} × {len(rc)}"]
    workers = [plan.run(name).run["workers"] for name in names]
    assert workers == [1, 2, len(rc)]
    assert plan.run().estimate == expected
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    pairs = [json.loads(line) for line in lines]
    assert [pair["mapping"] for pair in pairs[:3]] == ["serial", "threads", "engines"]
    assert len(pairs) == 4 and all(pair["actual_s"] > 0 for pair in pairs)
    with pytest.raises(windfall.InputError, match="windfall plan FILE --run=new-engines"):
        plan.run("new-engines")
    with pytest.raises(windfall.InputError, match="`dask × 2` cannot be used from here"):
        plan.run("dask")


def test_new_engines_that_know_python_run_a_function(tmp_path):
    def integrand(x):
        return np.sum(x, axis=-1)

    job = ([(0, 1)] * 2,)
    plan = windfall.plan(
        windfall.integrate, integrand, *job, n=20_000, rng=1, workers=2, state=tmp_path
    )
    there = plan.run("python-engines")
    assert there.run["workers"] == 2
    assert there.estimate == windfall.integrate(integrand, *job, n=20_000, rng=1).estimate
    assert '"mapping":"python-engines"' in (tmp_path / "history.jsonl").read_text()


def test_the_page_of_mappings_shows_what_the_planner_reckons_with():
    page = Path(__file__).resolve().parents[2] / "docs/mappings.md"
    rows = [line.split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
    shown = {row[0].lstrip("| "): row[3] for row in rows if len(row) == 6}
    for title, name in MAPPINGS.items():
        (cost,) = [cost for first, cost in shown.items() if first.startswith(title)]
        value, unit, *_ = cost.split()
        seconds = float(value) * {"ms": 1e-3, "s": 1}[unit]
        assert seconds == pytest.approx(windfall._core.order_s(name), rel=0.05), title
    with pytest.raises(windfall.InputError, match="unknown mapping `dusk`"):
        windfall._core.order_s("dusk")


MAPPINGS = {
    "engines of a cluster": "engines",
    "pool of processes": "pool",
    "joblib": "joblib",
    "Dask": "dask",
    "Ray": "ray",
    "Spark": "spark",
    "MPI from Python": "mpi-pool",
    "[engines as ranks of MPI]": "rank-engines",
    "[ranks of MPI]": "mpi",
    "[array of Slurm]": "slurm",
}
"""Rows of the page, and those of the planner."""


def test_planning_leaves_solving_as_it_was():
    windfall.plan(windfall.pi, 1000, rng=1)
    assert windfall.pi(1000, rng=1).draws == 1000
    with pytest.raises(windfall.InputError, match="resamples"):
        windfall.plan(windfall.bootstrap, {"x": [1.0, 2.0]}, "mean(x)", n_resamples=0)
    assert windfall.pi(1000, rng=1).draws == 1000


def test_wrong_arguments_are_named():
    with pytest.raises(windfall.InputError, match="`pilot` is `0`"):
        windfall.plan(PI, pilot=0)
    with pytest.raises(windfall.InputError, match="`elsewhere` is `0`"):
        windfall.plan(PI, elsewhere=0)
    with pytest.raises(windfall.InputError, match="solves no problem"):
        windfall.plan(len, [])
    with pytest.raises(windfall.InputError, match="holds its arguments"):
        windfall.plan(PI, n=3)
    with pytest.raises(windfall.InputError, match="unknown mapping `threats`"):
        windfall.plan(PI)["threats"]


def test_what_a_run_took_is_kept_and_nothing_else_is(tmp_path):
    plan = windfall.plan(PI, elsewhere=64, state=tmp_path / "state")
    assert plan["dask"].workers == 64
    assert not (tmp_path / "state").exists()
    path = plan.keep("dask", 2.0, state=tmp_path / "state")
    pair = json.loads((tmp_path / "state" / "history.jsonl").read_text())
    assert path.endswith("history.jsonl")
    assert (pair["mapping"], pair["workers"], pair["actual_s"]) == ("dask", 64, 2.0)
    assert pair["predicted_s"] == plan["dask"].seconds
    with pytest.raises(windfall.InputError, match="`seconds` is `0`"):
        plan.keep("dask", 0)
    assert not (tmp_path / "nobody").exists()
