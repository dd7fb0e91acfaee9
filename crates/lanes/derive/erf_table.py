"""Write `src/math/erf_table.rs`: erf and its slope at nodes i*STEP, i = 0..=NODES.

STEP is near 1/64, has few bits (so that i*STEP and x - i*STEP are exact) and is chosen such that
erf(i*STEP) lies very near a double for the first nodes, where its rounding would cost most.
Run `python3 crates/lanes/derive/erf_table.py > crates/lanes/src/math/erf_table.rs` (a minute).
"""
from mpmath import mp, mpf, erf, exp, pi, sqrt

mp.prec = 120
NODES = 380
LIMITS = [0.05] * 3 + [0.12] * 3 + [0.2] * 2


def rounding(value):
    """Distance to the nearest double, in units of its last place."""
    near = mpf(float(value))
    return abs(value - near) * mpf(2) ** (53 - mp.mpf(near).man_exp[1] - near.man_exp[0].bit_length())


def good(step):
    return all(rounding(erf(step * (i + 1))) < limit for i, limit in enumerate(LIMITS))


def find_step():
    j = 0
    while True:
        step = mpf(1) / 64 + mpf(j) / 2**40
        if good(step):
            return step
        j += 1


def rows(values):
    cells = [repr(float(v)) for v in values]
    cells = [c if "." in c or "e" in c else c + ".0" for c in cells]
    return "\n".join("    " + ", ".join(cells[i : i + 4]) + "," for i in range(0, len(cells), 4))


step = find_step()
nodes = [step * i for i in range(NODES + 1)]
print(f"""//! Tabulate erf and its slope at equally spaced nodes: the anchors of `erf`'s Taylor series.
//!
//! Written by `derive/erf_table.py`; do not edit.

/// Distance of two nodes: near 1/64, few bits, chosen so that the first values are near doubles.
pub(super) const STEP: f64 = {float(step)!r};

/// Largest node number; erf there is 1 to 17 digits.
pub(super) const LAST: f64 = {NODES}.0;

/// erf(i * STEP).
#[rustfmt::skip]
pub(super) static ERF: [f64; {NODES + 1}] = [
{rows([erf(c) for c in nodes])}
];

/// 2/sqrt(pi) * exp(-(i * STEP)^2), the slope of erf there.
#[expect(clippy::approx_constant, reason = "the first entry is one of a series")]
#[rustfmt::skip]
pub(super) static SLOPE: [f64; {NODES + 1}] = [
{rows([2 / sqrt(pi) * exp(-c * c) for c in nodes])}
];""")
