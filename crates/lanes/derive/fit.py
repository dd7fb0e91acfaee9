"""Derive the polynomial coefficients of `windfall_lanes::math`: Chebyshev fits in 60 digits.

Run `python3 crates/lanes/derive/fit.py NAME` (mpmath needed) to print the coefficients of one fit,
lowest degree first, and the largest error of the rounded polynomial on a fine grid.
Each fit is a row of FITS: a smooth function, an interval, a number of coefficients.
"""
import sys

from mpmath import mp, mpf, chebyt, cos, cosh, erfc, exp, expm1, log, pi, sinh, sin, sqrt
from mpmath import asin, atan, atanh, loggamma, tanh, polyval

mp.dps = 60


def series(f, ratio):
    """`f(u)` with its removable singularity at 0 filled by a value a hair away."""
    return lambda u: f(u if abs(u) > mpf(10) ** -25 else mpf(10) ** -25 * ratio)


def erfcx(x):
    return exp(x * x) * erfc(x)


def erfcx_of(k, weight):
    """`weight(x) erfcx(x)` as a function of `q = (x - k) / (x + k)`."""
    def f(q):
        x = k * (1 + q) / (1 - q)
        return weight(x) * erfcx(x)
    return f


def stirling(u):
    """`z * (lgamma(z) - ((z - 1/2) log z - z + log(2 pi)/2)) - 1/12` over `u`, where u = 1/z^2."""
    z = 1 / sqrt(u)
    return (z * (loggamma(z) - ((z - mpf(1) / 2) * log(z) - z + log(2 * pi) / 2)) - mpf(1) / 12) / u


K = mpf(4)
NEAR_ROOT = (-log(2) / 32 * 1.001, log(2) / 32 * 1.001)
EIGHTH = mpf(1) / 64
FITS = {
    # sin r = r + r u S(u), cos r = 1 - u/2 + u^2 C(u), u = r^2
    "sin": (series(lambda u: (sin(sqrt(u)) / sqrt(u) - 1) / u, 1), 0, (pi / 4) ** 2 * 1.0001, 6),
    "cos": (series(lambda u: (cos(sqrt(u)) - 1 + u / 2) / u**2, 1), 0, (pi / 4) ** 2 * 1.0001, 6),
    # the same sine up to a right angle, for the reflection of lgamma
    "right": (series(lambda u: (sin(sqrt(u)) / sqrt(u) - 1) / u, 1), 0, (pi / 2) ** 2 * 1.0001, 8),
    # atan t = t + t u A(u), |t| <= 1/2;  asin likewise
    "atan": (series(lambda u: (atan(sqrt(u)) / sqrt(u) - 1) / u, 1), 0, mpf(1) / 4, 13),
    "asin": (series(lambda u: (asin(sqrt(u)) / sqrt(u) - 1) / u, 1), 0, mpf(1) / 4, 13),
    # e^r = 1 + r + r^2 E(r)
    "exp": (series(lambda r: (expm1(r) - r) / r**2, 1), -log(2) / 2 * 1.001, log(2) / 2 * 1.001, 11),
    # the same for a sixteenth of an octave
    "exp16": (series(lambda r: (expm1(r) - r) / r**2, 1), *NEAR_ROOT, 6),
    # sine and cosine of u turns, |u| <= 1/8, over powers of u^2
    "sin_turn": (series(lambda u: (sin(2 * pi * sqrt(u)) / sqrt(u) - 2 * pi) / u, 1), 0, EIGHTH, 6),
    "cos_turn": (series(lambda u: (cos(2 * pi * sqrt(u)) - 1) / u, 1), 0, EIGHTH, 7),
    # sinh x = x + x u S(u), |x| <= 1;  tanh x = x + x u T(u), |x| <= 0.55
    "sinh": (series(lambda u: (sinh(sqrt(u)) / sqrt(u) - 1) / u, 1), 0, 1, 8),
    "tanh": (series(lambda u: (tanh(sqrt(u)) / sqrt(u) - 1) / u, 1), 0, mpf("0.3025"), 11),
    # log m = 2q + q u (2/3 + u L(u)), q = (m - 1)/(m + 1), u = q^2
    "log": (series(lambda u: ((atanh(sqrt(u)) * 2 / sqrt(u) - 2) / u - mpf(2) / 3) / u, 1), 0,
            mpf("0.02944"), 10),
    "erfcx": (erfcx_of(K, lambda x: 1 + 2 * x), -1, (28 - K) / (28 + K), 23),
    "stirling": (stirling, mpf(10) ** -12, mpf(1) / 64, 8),
    "cbrt": (lambda m: m ** (-mpf(1) / 3), 1, 2, 6),
}


def fit(f, a, b, n):
    """Coefficients (lowest degree first) of the interpolant at the n Chebyshev points of [a, b]."""
    a, b = mpf(a), mpf(b)
    nodes = [cos(pi * (2 * j + 1) / (2 * n)) for j in range(n)]
    values = [f((b - a) / 2 * t + (b + a) / 2) for t in nodes]
    cheb = [2 * sum(v * chebyt(k, t) for v, t in zip(values, nodes)) / n for k in range(n)]
    cheb[0] /= 2
    # Clenshaw on polynomials in x, t = (2x - a - b)/(b - a)
    scale, shift = 2 / (b - a), -(a + b) / (b - a)

    def times_t(p):
        return [shift * c + scale * d for c, d in zip(p + [mpf(0)], [mpf(0)] + p)]

    b1, b2 = [mpf(0)], [mpf(0)]
    for c in reversed(cheb[1:]):
        t = [2 * v for v in times_t(b1)]
        b2 += [mpf(0)] * (len(t) - len(b2))
        t = [v - w for v, w in zip(t, b2)]
        t[0] += c
        b1, b2 = t, b1
    t = times_t(b1)
    b2 += [mpf(0)] * (len(t) - len(b2))
    out = [v - w for v, w in zip(t, b2)]
    out[0] += cheb[0]
    return out[:n]


def main(name):
    f, a, b, n = FITS[name]
    coefficients = [float(c) for c in fit(f, a, b, n)]
    for c in coefficients:
        print(f"    {c!r},")
    grid = [mpf(a) + (mpf(b) - mpf(a)) * j / 2000 for j in range(2001)]
    error = max(abs(f(x) - polyval([mpf(c) for c in reversed(coefficients)], x)) for x in grid)
    print(f"// |error| <= {mp.nstr(error, 3)} = 2^{mp.nstr(log(error, 2), 4)}")


if __name__ == "__main__":
    for name in sys.argv[1:] or FITS:
        print(name)
        main(name)
