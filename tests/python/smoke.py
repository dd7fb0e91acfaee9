"""A wheel in a bare environment: the problems run and agree with known values."""

import importlib.util
import math
import pickle
import sys

import windfall
from windfall import shared

pi = windfall.pi(1_000_000, rng=1)
assert abs(pi.estimate - math.pi) < 5 * pi.mcse
gauss = windfall.integrate("exp(-x0^2)", [("-inf", "inf")], method="sobol", rng=1)
assert abs(gauss.estimate - math.sqrt(math.pi)) < 6 * gauss.mcse
lsat = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
median = windfall.bootstrap({"lsat": lsat}, "median(lsat)", rng=1)
assert median.estimate == 580
total, lock, items, rows = shared.Value(int), shared.Lock(), shared.Queue(), shared.Array(2)
with lock:
    items.put(pickle.loads(pickle.dumps(total)).add(2))
    rows.slot()[...] = total.value
assert (items.get(), rows.array.tolist(), lock.locked()) == (0, [2, 0], False)

# ArviZ from version 1 on, where it is; version 0 is tested with the rest.
if importlib.util.find_spec("arviz"):
    import arviz

    schools = windfall.sample("eight-schools", target_acceptance=0.95, draws=500, rng=1)
    tree = schools.to_arviz()
    assert int(arviz.__version__.split(".")[0]) >= 1 and set(tree.children) >= {"posterior"}
    theta = tree["posterior"]["theta"]
    assert theta.sizes == {"chain": 4, "draw": 500, "theta_dim_0": 8}, theta.sizes
    assert (theta.sel(theta_dim_0="C").values == schools["theta[C]"]).all()
    assert not tree["sample_stats"]["diverging"].any()
    # Its tails are those of its intervals; ours the outer 5 %, as in Vehtari et al. (2021).
    tail = arviz.ess(tree, method="tail", prob=(0.05, 0.95))
    for ours, theirs in [("r_hat", arviz.rhat(tree)), ("ess_tail", tail)]:
        frame = dict(zip(schools.names, schools.table[ours]))
        for name in ("mu", "tau"):
            found = float(theirs[name])
            assert math.isclose(frame[name], found, rel_tol=1e-7), (ours, name, found)
print(f"1 passed, 0 failed, 0 skipped (Python {sys.version.split()[0]})")
