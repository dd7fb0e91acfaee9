"""Pi by random points, as a problem and as an integral: each answer with its error."""

import math

import windfall

pi = windfall.pi(100_000_000, rng=314159)
print(f"points of a square    {pi.estimate:.6f} ± {pi.mcse:.6f}  ({pi.run['workers']} workers)")
assert abs(pi.estimate - math.pi) < 5 * pi.mcse

# The same as an integral: indicators are formulas too. Even points have a smaller error.
for method in ("plain", "stratified", "sobol"):
    inside = windfall.integrate(
        "if(x0^2 + x1^2 < 1, 4, 0)", [(0, 1), (0, 1)], n=10_000_000, method=method, rng=1
    )
    print(f"indicator, {method:10} {inside.estimate:.6f} ± {inside.mcse:.6f}")
    assert abs(inside.estimate - math.pi) < 6 * inside.mcse

assert windfall.verify({"problem": "pi", "n": 10_000_000, "seed": 314159})
