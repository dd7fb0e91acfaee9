"""A wheel in a bare environment (NumPy alone): the problems run and agree with known values."""

import math
import sys

import windfall

pi = windfall.pi(1_000_000, rng=1)
assert abs(pi.estimate - math.pi) < 5 * pi.mcse
gauss = windfall.integrate("exp(-x0^2)", [("-inf", "inf")], method="sobol", rng=1)
assert abs(gauss.estimate - math.sqrt(math.pi)) < 6 * gauss.mcse
lsat = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
median = windfall.bootstrap({"lsat": lsat}, "median(lsat)", rng=1)
assert median.estimate == 580
print(f"1 passed, 0 failed, 0 skipped (Python {sys.version.split()[0]})")
