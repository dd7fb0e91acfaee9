"""A wheel in a bare environment (NumPy alone): the problems run and agree with known values."""

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
print(f"1 passed, 0 failed, 0 skipped (Python {sys.version.split()[0]})")
