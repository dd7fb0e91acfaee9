"""Write `src/math/log_table.rs`: for each sixteenth of the mantissa a number `c` near 1/z, and the
logarithms of 1/c to three bases.

`c` is searched for near the middle of its interval such that ln(1/c) lies within 2^-61 of a
multiple of 2^-43 (Gal's method): the table then needs no low half, and adding a multiple of ln 2
that is rounded to 2^-43 is exact. Polynomials are Chebyshev fits on |r| <= 0.031.
Run `python3 crates/lanes/derive/log_table.py > crates/lanes/src/math/log_table.rs` (mpmath).
"""
from mpmath import cos, log, lu_solve, matrix, mp, mpf, nint, pi

mp.prec = 240
OFFSET = 0x3FE6555500000000
GRID = mpf(2) ** 43
RADIUS = mpf("0.031")
TERMS = 8


def value(bits):
    """The number in [0.698, 1.396) that has these bits."""
    return (1 + mpf(bits & (2**52 - 1)) / 2**52) * mpf(2) ** ((bits >> 52) - 1023)


def near_grid(middle):
    """The `c` near 1/middle whose ln(1/c) is nearest to the grid, by increasing distance."""
    mp.prec = 100
    start, step, n = nint(2**28 / middle), 0, 0
    while True:
        step = -step if step > 0 else 1 - step
        c = mpf(start + step) / 2**28
        scaled = -log(c) * GRID
        if abs(scaled - nint(scaled)) < mpf(2) ** -18:
            mp.prec = 240
            return c


def table():
    for i in range(16):
        low, high = (value(OFFSET + ((i + d) << 48)) for d in (0, 1))
        yield mpf(1) if low < 1 < high else near_grid((low + high) / 2)


def fit():
    """Coefficients of (log1p(r) - r + r^2/2) / r^3, lowest first."""
    nodes = [RADIUS * cos(pi * (2 * k + 1) / (2 * TERMS)) for k in range(TERMS)]
    right = matrix([sum((-r) ** k / (k + 3) for k in range(60)) for r in nodes])
    return list(lu_solve(matrix([[r**j for j in range(TERMS)] for r in nodes]), right))


def split(x):
    """`x` as a multiple of 2^-43 and the rest."""
    high = nint(x * GRID) / GRID
    return high, x - high


def rust(x):
    text = repr(float(x))
    return text if "." in text or "e" in text else text + ".0"


def array(name, values):
    cells = ",\n        ".join(rust(v) for v in values)
    return f"    {name}: [\n        {cells},\n    ],\n"


cs, poly = list(table()), [mpf(-1) / 2] + fit()
print("//! Hold the tables of the logarithms; written by `derive/log_table.py`.\n")
print("use super::log::Base;\nuse std::f64::consts::{LOG2_E, LOG10_E};\n")
print("/// The bits of the least number whose exponent is taken as zero.")
print(f"pub(super) const OFFSET: u64 = 0x{OFFSET:016x};\n")
print("/// A number near 1/z for each sixteenth of the mantissa.")
print("#[rustfmt::skip]")
print("pub(super) const INVERSE: [f64; 16] = [")
print("".join(f"    {rust(c)},\n" for c in cs) + "];\n")
for name, base, e in (("E", None, "1.0"), ("TWO", 2, "LOG2_E"), ("TEN", 10, "LOG10_E")):
    unit = 1 / log(base) if base else mpf(1)
    whole = split(log(2) * unit)
    logs = [split(-log(c) * unit) for c in cs]
    print(f"/// Logarithm to base {name.lower()}.")
    print("#[rustfmt::skip]")
    print(f"pub(super) const {name}: Base = Base {{")
    print(f"    octave: [{rust(whole[0])}, {rust(whole[1])}],")
    print(f"    unit: [{e}, {rust(unit - mpf(float(unit)))}],")
    print(array("high", [h for h, _ in logs]), end="")
    print(array("low", [0 if base is None else l for _, l in logs]), end="")
    print(array("poly", [p * unit for p in poly]), end="")
    print("};\n")
