"""Windfall's own jobs on Python engines: the same bytes as on threads, and what goes wrong."""

import os
import signal
import threading

import numpy as np
import pytest

import windfall

X = np.random.default_rng(5).normal(size=400)


def same(here, there):
    return {**here.to_dict(), "run": None} == {**there.to_dict(), "run": None}


@pytest.mark.parametrize(
    "job",
    [
        lambda **on: windfall.pi(1_000_000, rng=1, **on),
        lambda **on: windfall.integrate("x0*x1", [(0, 1), (0, 1)], tolerance=1e-3, rng=2, **on),
        lambda **on: windfall.bootstrap({"x": X}, "mean(x)", n_resamples=5000, rng=3, **on),
        lambda **on: windfall.mixture({"x": X}, 2, rng=4, **on),
        lambda **on: windfall.permutation_test(
            {"x": X, "side": ["l", "r"] * 200}, "mean_difference(x)", groups="side", rng=5, **on
        ),
        lambda **on: windfall.run("examples/law_school.toml", **on),
    ],
    ids=["pi", "integrate", "bootstrap", "mixture", "permutation", "run"],
)
def test_the_answer_is_that_of_threads(rc, job):
    here = job()
    assert all(same(here, job(on=on)) for on in [rc, rc[1:], rc.name])


def test_the_engines_are_the_workers(rc):
    assert windfall.pi(1000, rng=1, on=rc[[0, 2]]).run["workers"] == 2
    with pytest.raises(windfall.InputError, match="`workers` is `2` and `on` is given"):
        windfall.pi(1000, workers=2, on=rc)
    with pytest.raises(windfall.InputError, match="`on` is `7`; it must be a cluster"):
        windfall.pi(1000, on=7)
    with pytest.raises(windfall.FileError, match="windfall start"):
        windfall.pi(1000, on="no-such-cluster")


def bell(x):
    return np.exp(-(x[0] ** 2))


@pytest.mark.parametrize(
    "job",
    [
        lambda **on: windfall.integrate(bell, [(0, 1)], n=20_000, rng=1, **on),
        lambda **on: windfall.bootstrap(
            {"x": X}, lambda x, axis=-1: x.mean(axis), method="bca", n_resamples=999, rng=2, **on
        ),
        lambda **on: windfall.simulate(
            lambda rng, n: rng.normal(size=n),
            {"mean": np.mean},
            conditions={"n": [5, 9]},
            truth=0,
            n_replicates=50,
            rng=3,
            **on,
        ),
        lambda **on: windfall.fit_many(X.reshape(20, 20, 1), X.reshape(20, 20) ** 2, **on),
    ],
    ids=["integrate", "bootstrap", "simulate", "arrays"],
)
def test_functions_and_arrays_go_there_too(rc, job):
    assert same(job(), job(on=rc))


def test_what_a_function_raises_comes_back_with_its_trace(rc):
    def breaks(x):
        raise ArithmeticError("not today")

    with pytest.raises(windfall.TaskError, match="ArithmeticError: not today") as caught:
        windfall.integrate(breaks, [(0, 1)], n=5000, rng=9, on=rc)
    error = caught.value
    assert error.seed == 9 and error.worker.startswith("engine") and "in breaks" in error.trace


def test_a_bare_pointer_cannot_go_there(rc):
    import ctypes

    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    with pytest.raises(windfall.InputError, match="address of compiled code") as caught:
        windfall.integrate(kind(lambda n, x: 1.0), [(0, 1)], n=1000, on=rc)
    assert "@cfunc" in caught.value.hint


def test_a_killed_engine_changes_nothing():
    with windfall.Cluster(n=2) as rc:
        pids = rc.pids
        timer = threading.Timer(0.1, os.kill, (pids[0], signal.SIGKILL))
        timer.start()
        there = windfall.pi(3_000_000_000, rng=1, on=rc)
        timer.join()
        assert same(windfall.pi(3_000_000_000, rng=1), there)
        rc.wait_for_engines(2)
        assert rc.pids[0] != pids[0]
