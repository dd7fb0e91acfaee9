"""The planner's Python face: files, mappings and functions are planned; what a run took is kept."""

import ctypes
import json
import math

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
    for name in ("new-engines", "dask", "ray", "spark"):
        assert plan[name].missing == formula[name].missing, name
    for name in ("mpi", "slurm"):
        assert plan[name].missing == "it carries no functions"
        assert formula[name].missing != plan[name].missing


def test_a_pointer_without_source_stays_in_the_process():
    signature = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    pointer = signature(lambda d, x: math.exp(-x[0]))
    plan = check(windfall.plan(windfall.integrate, pointer, [(0, 1)], n=20_000, rng=1))
    assert not plan.facts["run"]["pilot"]["travels"]
    assert "cannot be written down" in plan["spark"].missing


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
