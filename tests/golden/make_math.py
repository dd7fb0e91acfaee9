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

EDGES = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    -2.0,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    1e-310,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    math.inf,
    -math.inf,
    math.nan,
]


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


POSITIVE = [
    magnitude(-1074, 1024, False),
    magnitude(-20, 20, False),
    around(1.0, 0.05),
    around(1.0, 0.5),
    uniform(0.5, 2.0),
    magnitude(-1074, -1022, False),
]
SMALL = [magnitude(-1074, 0), magnitude(-30, 0), uniform(-1.0, 1.0)]
TURNS = [
    uniform(0.0, 1.0),
    around(0.25, 0.5),
    around(0.5, 0.5),
    around(0.75, 0.3),
    around(1.0, 0.5),
    magnitude(-60, -3, False),
]


def right_angles(bits):
    """The double nearest to a multiple of a right angle: all but the last digits cancel."""
    return lambda rng: float(rng.getrandbits(rng.randrange(1, bits)) * mp.pi / 2)


def away(draw, function, least):
    """Arguments whose value is at least `least` in magnitude: not next to a zero."""

    def again(rng):
        while True:
            x = draw(rng)
            if x != math.floor(x) and abs(function(mpf(x))) >= least:
                return x

    return again


def lgamma(x):
    return mp.loggamma(x).real


def erfc(x):
    return mp.erfc(x) if abs(x) < 100 or mp.isnan(x) else mpf(0 if x > 0 else 2)


def quantile(p):
    """Newton's method on the lower tail, from a guess of a few digits."""
    if not 0 <= p <= 1:
        return mp.nan
    tail = min(p, 1 - p)
    if tail in (0, 0.5):
        return mp.sign(p - mpf(0.5)) * mp.inf if tail == 0 else mpf(0)
    root = mp.sqrt(-2 * mp.log(tail))
    x = root - (2.515517 + 0.802853 * root) / (1 + 1.432788 * root + 0.189269 * root**2)
    for _ in range(20):
        error = (erfc(x / mp.sqrt(2)) / 2 - tail) * mp.exp(x * x / 2) * mp.sqrt(2 * mp.pi)
        step = error / (1 - x * error / 2)
        x += step
        if abs(step) < abs(x) * mpf(2) ** -100:  # each step triples the digits
            break
    return x if p > 0.5 else -x


ANGLES = [
    uniform(-10, 10),
    uniform(-(2.0**30), 2.0**30),
    magnitude(-1074, 1024),
    magnitude(-30, 40),
    right_angles(53),
    right_angles(1020),
    around(2.0**30, 1e-6),
]
SIDES = [
    (magnitude(-20, 20), magnitude(-20, 20)),
    (magnitude(-1074, 1024), magnitude(-1074, 1024)),
    (uniform(-1, 1), uniform(-1, 1)),
    (magnitude(-1074, -1000), magnitude(-1074, -1000)),
    (magnitude(1000, 1024), magnitude(1000, 1024)),
]
UNIT = [uniform(-1, 1), magnitude(-1074, 0), around(1.0, 0.5), around(-1.0, 0.5), around(0.5, 0.1)]
BELL = [uniform(-40, 40), uniform(-6, 6), uniform(-1, 1), magnitude(-1074, 6)]
POWERS = [
    (magnitude(-3, 3, False), uniform(-300, 300)),
    (around(1.0, 0.5), magnitude(0, 52)),
    (magnitude(-1074, 1024, False), uniform(-1.1, 1.1)),
    (magnitude(-9, 9), whole(-120, 121)),
    (magnitude(-1074, -1022), whole(-2, 3)),
    (lambda rng: rng.choice((-1.0, 1.0)) * rng.randrange(1, 10), whole(-30, 30)),
    (uniform(0, 10), magnitude(-60, -1)),
]

TABLE = {
    "exp": (mp.exp, [uniform(-746, 710), uniform(-40, 40), *SMALL, uniform(-746, -708)]),
    "expm1": (mp.expm1, [uniform(-50, 710), uniform(-5, 5), *SMALL, around(0.0217, 0.1)]),
    "log": (mp.log, POSITIVE),
    "log1p": (mp.log1p, [*POSITIVE, *SMALL, around(-1.0, 0.3)]),
    "log2": (
        lambda x: mp.log(x) / mp.log(2),
        [*POSITIVE, lambda rng: 2.0 ** rng.randrange(-1074, 1024)],
    ),
    "log10": (
        lambda x: mp.log(x) / mp.log(10),
        [*POSITIVE, lambda rng: 10.0 ** rng.randrange(0, 23)],
    ),
    "sin": (mp.sin, ANGLES),
    "cos": (mp.cos, ANGLES),
    "tan": (mp.tan, ANGLES),
    "asin": (mp.asin, UNIT),
    "acos": (mp.acos, UNIT),
    "atan": (mp.atan, [uniform(-4, 4), magnitude(-1074, 1024), magnitude(-5, 5), around(1.0, 0.5)]),
    "atan2": (mp.atan2, SIDES),
    "sinh": (mp.sinh, [uniform(-711, 711), uniform(-2, 2), *SMALL, around(1.0, 0.1)]),
    "cosh": (mp.cosh, [uniform(-711, 711), uniform(-2, 2), *SMALL]),
    "tanh": (mp.tanh, [uniform(-22, 22), uniform(-1, 1), *SMALL, around(0.55, 0.1)]),
    "pow": (mp.power, POWERS),
    "cbrt": (
        lambda x: mp.sign(x) * mp.cbrt(abs(x)),
        [
            magnitude(-1074, 1024),
            uniform(-10, 10),
            lambda rng: rng.randrange(1, 200000) ** 3.0,
            magnitude(-1074, -1022),
        ],
    ),
    "erf": (
        lambda x: 1 - erfc(x) if x > 1 else mp.erf(x),
        [uniform(-6, 6), uniform(-1, 1), uniform(-0.1, 0.1), magnitude(-1074, 3)],
    ),
    "erfc": (
        erfc,
        [uniform(-6, 28), uniform(0, 6), uniform(-1, 1), uniform(26, 27.3), magnitude(-1074, 5)],
    ),
    "lgamma": (
        lgamma,
        [
            uniform(0, 20),
            magnitude(-1074, 1020, False),
            around(1.0, 0.5),
            around(2.0, 0.5),
            uniform(0, 3),
            around(8.0, 0.1),
            away(uniform(-30, 0), lgamma, 0.25),
            away(magnitude(-1074, 40), lgamma, 0.25),
        ],
    ),
    "digamma": (
        mp.digamma,
        [
            away(uniform(0, 20), mp.digamma, 0.25),
            magnitude(-1074, -3, False),
            magnitude(2, 1020, False),
            around(1.0, 0.1),
            around(2.0, 0.1),
            around(8.0, 0.1),
            away(uniform(-30, 0), mp.digamma, 0.25),
            away(magnitude(-1074, 40), mp.digamma, 0.25),
        ],
    ),
    "normal_pdf": (lambda x: mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi), BELL),
    "normal_cdf": (lambda x: erfc(-x / mp.sqrt(2)) / 2, [*BELL, uniform(-38.7, -37)]),
    "normal_quantile": (
        quantile,
        [
            uniform(0, 1),
            magnitude(-1074, -1, False),
            around(0.5, 0.5),
            lambda rng: 1 - magnitude(-53, -1, False)(rng),
            uniform(0.07, 0.08),
        ],
    ),
    "sin_turn": (lambda x: mp.sinpi(2 * x), TURNS),
    "cos_turn": (lambda x: mp.cospi(2 * x), TURNS),
}


def power_limit(x, y):
    """C's `pow` where an argument is zero, infinite or NaN."""
    try:
        return math.pow(x, y)
    except ValueError:  # zero to a negative power
        odd = math.isfinite(y) and math.fmod(y, 2) != 0 and y == math.floor(y)
        return math.copysign(math.inf, x) if odd else math.inf


SPECIAL = [x for x in EDGES if x == 0 or not math.isfinite(x)]
WITH_SPECIAL = [
    (x, y)
    for x in EDGES
    for y in EDGES
    if x in SPECIAL or y in SPECIAL or math.isnan(x) or math.isnan(y)
]
ODD = ("expm1", "log1p", "sin_turn", "sin", "tan", "asin", "atan", "sinh", "tanh", "cbrt", "erf")

# Values where mpmath raises, is complex, or knows no signed zero; anything else it fails on is NaN.
LIMITS = [
    *((f, (s,), -math.inf) for f in ("log", "log2", "log10") for s in (0.0, -0.0)),
    ("log1p", (-1.0,), -math.inf),
    ("sin_turn", (0.5,), -0.0),
    *((f, (-0.0,), -0.0) for f in ODD),
    *(("lgamma", (x,), math.inf) for x in EDGES if math.isinf(x) or x <= 0 and x.is_integer()),
    *(("atan2", yx, math.atan2(*yx)) for yx in WITH_SPECIAL),
    *(("pow", xy, power_limit(*xy)) for xy in WITH_SPECIAL),
]
# What two arguments would need is said by giving a range a pair: (uniform(0, 1), whole(0, 9)).


def bits(x):
    return struct.pack(">d", x).hex()


# By bits, since 0.0 == -0.0.
KNOWN = {(name, *map(bits, arguments)): value for name, arguments, value in LIMITS}


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
    result = math.copysign(math.ldexp(float(near), place), value)
    unit = math.ulp(result)
    return result, float((value - mpf(result)) / mpf(unit))


def evaluate(name, function, arguments):
    key = (name, *map(bits, arguments))
    if key in KNOWN:
        return KNOWN[key], 0.0
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
