"""How sure is the correlation of LSAT and GPA over 15 law schools? Against the exact answer."""

from pathlib import Path

import windfall

DATA = Path(__file__).with_name("law_school.csv")
CORRELATION = "correlation(lsat, gpa)"

# All 77,558,760 resamples, enumerated.
EXACT_STANDARD_ERROR = 0.133559762
EXACT_BCA = (0.33264, 0.94171)

result = windfall.bootstrap(DATA, CORRELATION, method="BCa", n_resamples=200_000, rng=1993)
print(result)
assert abs(result.estimate - 0.776374491289407) < 1e-12
assert abs(result.standard_error - EXACT_STANDARD_ERROR) < 0.002
interval = result.interval
assert abs(interval.low - EXACT_BCA[0]) < 5 * interval.low_mcse
assert abs(interval.high - EXACT_BCA[1]) < 5 * interval.high_mcse

# The jackknife draws nothing: its standard error is exact.
jackknife = windfall.jackknife(DATA, CORRELATION)
print(f"jackknife standard error {jackknife.standard_error:.6f}")
assert abs(jackknife.standard_error - 0.142518618602) < 1e-9

# Until the ends are known to a thousandth.
enough = windfall.bootstrap(DATA, CORRELATION, tolerance=0.001, n_resamples=10**7, rng=1993)
print(f"{enough.n_resamples:,} resamples give the ends to {enough.interval.low_mcse:.4f}")
assert max(enough.interval.low_mcse, enough.interval.high_mcse) <= 0.001

assert windfall.verify(result)
