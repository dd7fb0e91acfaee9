"""Power of a t test by simulation, of all data and of sums."""

from __future__ import annotations

import math

import numpy as np
import peers
import r
from timing import Comparison, Side, near

import windfall


def power(scale):
    n, effect, exact = 50, 0.5, 0.69689341  # R 4.2.2, power.t.test
    critical = 1.9844674544266834  # 0.975 quantile of t with 98 degrees of freedom
    simulations = int(1e6 * scale)

    def check_of(share):
        error = math.sqrt(exact * (1 - exact) / (simulations * share))
        return near(exact, within=6 * error)

    def side(name, work, share, goal):
        return Side(name, lambda: work(int(simulations * share)), check_of(share), share, goal)

    def ours(full_data):
        def work():
            return windfall.power(
                "t-test",
                n,
                effect=effect,
                n_simulations=simulations,
                full_data=full_data,
                rng=1,
                workers=1,
                progress=False,
            )

        return work

    c, rng = peers.c_loops().power_lanes, np.random.default_rng(1)
    arguments = (n, effect, critical)
    by_r = []
    if r.installed():
        by_r = [side("R replicate", lambda m: r.power(m, n, effect), 0.005, 550)]
    return [
        Comparison(
            f"power of a t test, 50 a sample, {simulations:.0e} simulations, one core, all data",
            simulations,
            Side("windfall, full_data=True", ours(True), check_of(1)),
            [
                side("NumPy, vectorised", lambda m: peers.power_numpy(m, *arguments), 0.1, 9),
                side("scipy.stats.power", lambda m: peers.power_scipy(m, n, effect), 0.1, 16),
                side(
                    "numba with a Generator",
                    lambda m: peers.power_numba(rng, m, *arguments),
                    0.2,
                    2.4,
                ),
                side("C, 16 lanes, Box-Muller", lambda m: c(m, *arguments), 1, 1),
                *by_r,
            ],
        ),
        Comparison(
            "the same from sufficient statistics, one core",
            simulations,
            Side("windfall", ours(False), check_of(1)),
            [
                Side("windfall, full_data=True", ours(True), check_of(1), 1, 3),
                side(
                    "NumPy, normal and chi-square",
                    lambda m: peers.power_by_sums(m, *arguments),
                    1,
                    None,
                ),
            ],
        ),
    ]


def power_all_data(scale):
    return power(scale)[0]


def power_by_sums(scale):
    return power(scale)[1]


CASES = [power_all_data, power_by_sums]
