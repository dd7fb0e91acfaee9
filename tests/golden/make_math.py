"""Write `math_<name>.txt` beside this file: arguments and correctly rounded values of a function.

A line holds the bits of each argument, the bits of the result, and what rounding it lost, in
units in the last place. Run `python3 tests/golden/make_math.py [NAME...]` (needs mpmath);
arguments come from a fixed seed, so a second run writes the same bytes.
Each function is a row of TABLE: the function in mpmath, then the ranges its arguments come from.
"""
import math
import random
import struct
import sys
from pathlib import Path

from mpmath import mp, mpf

mp.prec = 400
COUNT = 160  # arguments per range

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-310,
         1.7976931348623157e308, -1.7976931348623157e308, math.inf, -math.inf, math.nan]


def uniform(low, high):
    return lambda rng: rng.uniform(low, high)


def magnitude(low, high, signed=True):
    """Both signs, with the binary exponent uniform in [low, high)."""
    def draw(rng):
        x = math.ldexp(rng.uniform(0.5, 1.0), rng.randrange(low, high) + 1)
        return -x if signed and rng.random() < 0.5 else x
    return draw


def around(centre, width):
    """`centre` times 1 plus up to a power of two below `width`: dense at the centre."""
    return lambda rng: centre * (1 + width * rng.uniform(-1, 1) * 2.0 ** -rng.randrange(0, 40))


def whole(low, high):
    return lambda rng: float(rng.randrange(low, high))


POSITIVE = [magnitude(-1074, 1024, False), magnitude(-20, 20, False), around(1.0, 0.05),
            around(1.0, 0.5), uniform(0.5, 2.0), magnitude(-1074, -1022, False)]
SMALL = [magnitude(-1074, 0), magnitude(-30, 0), uniform(-1.0, 1.0)]
TURNS = [uniform(0.0, 1.0), around(0.25, 0.5), around(0.5, 0.5), around(0.75, 0.3),
         around(1.0, 0.5), magnitude(-60, -3, False)]

TABLE = {
    "exp": (mp.exp, [uniform(-746, 710), uniform(-40, 40), *SMALL, uniform(-746, -708)]),
    "expm1": (mp.expm1, [uniform(-50, 710), uniform(-5, 5), *SMALL, around(0.0217, 0.1)]),
    "log": (mp.log, POSITIVE),
    "log1p": (mp.log1p, [*POSITIVE, *SMALL, around(-1.0, 0.3)]),
    "log2": (lambda x: mp.log(x) / mp.log(2), [*POSITIVE, lambda rng: 2.0 ** rng.randrange(-1074, 1024)]),
    "log10": (lambda x: mp.log(x) / mp.log(10), [*POSITIVE, lambda rng: 10.0 ** rng.randrange(0, 23)]),
    "sin_turn": (lambda x: mp.sinpi(2 * x), TURNS),
    "cos_turn": (lambda x: mp.cospi(2 * x), TURNS),
}

# Values where mpmath raises, is complex, or knows no signed zero; anything else it fails on is NaN.
LIMITS = {
    **{(f, s): -math.inf for f in ("log", "log2", "log10") for s in (0.0, -0.0)},
    ("log1p", -1.0): -math.inf,
    ("sin_turn", 0.5): -0.0,
    **{(f, -0.0): -0.0 for f in ("expm1", "log1p", "sin_turn")},
}
# What two arguments would need is said by giving a range a pair: (uniform(0, 1), whole(0, 9)).


def bits(x):
    return struct.pack(">d", x).hex()


def rounded(value):
    """The nearest double, and what is lost in units of its last place."""
    value = mpf(value)
    if not mp.isfinite(value) or value == 0:
        return float(value), 0.0
    man, exponent = mp.frexp(value)
    place = max(int(exponent) - 53, -1074)
    near = mp.nint(mp.ldexp(value, -place))
    if abs(near) * mpf(2) ** place >= mpf(2) ** 1024:
        return math.copysign(math.inf, value), 0.0
    result = math.ldexp(float(near), place)
    unit = math.ulp(result)
    return result, float((value - mpf(result)) / mpf(unit))


def evaluate(name, function, arguments):
    key = (name, *arguments)
    for known, limit in LIMITS.items():
        if tuple(map(bits, known[1:])) == tuple(map(bits, arguments)) and known[0] == name:
            return limit, 0.0
    try:
        value = function(*map(mpf, arguments))
        if isinstance(value, mp.mpc):
            return math.nan, 0.0
        return rounded(value)
    except (ValueError, ZeroDivisionError, OverflowError, mp.NoConvergence):
        return math.nan, 0.0


def lines(name, function, ranges):
    rng = random.Random(f"windfall {name}")
    pairs = [r if isinstance(r, tuple) else (r,) for r in ranges]
    edges = [()]
    for _ in pairs[0]:
        edges = [e + (x,) for e in edges for x in EDGES]
    drawn = [tuple(draw(rng) for draw in pair) for pair in pairs for _ in range(COUNT)]
    for arguments in edges + drawn:
        if name.endswith("_turn") and not abs(arguments[0]) < 2:
            continue
        result, lost = evaluate(name, function, arguments)
        yield " ".join([*map(bits, arguments), bits(result), f"{lost:+.4f}"])


for name in sys.argv[1:] or TABLE:
    path = Path(__file__).with_name(f"math_{name}.txt")
    path.write_text("\n".join(lines(name, *TABLE[name])) + "\n")
