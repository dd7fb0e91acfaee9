"""Derive the ratio of polynomials at the centre of `normal_quantile` (mpmath needed; 10 seconds).

quantile(1/2 + q) = q (sqrt(2 pi) + w G(w)), w = q^2 <= 0.425^2, G by rational interpolation at
Chebyshev points in u = 0.425^2 - w, where all coefficients are positive. What G gets wrong is
weighed down by w, so that the result is nearly as good as its last rounding.
"""
from mpmath import cos, erf, exp, fabs, log, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sqrt

mp.dps = 70
W = mpf("0.180625")
DEGREE = 8


def quantile(q):
    """The x with P(Z <= x) = 1/2 + q, by Newton's method."""
    x = q * mpf("2.5066") * (1 + q * q)
    for _ in range(60):
        error = (erf(x / sqrt(2)) / 2 - q) * exp(x * x / 2) * sqrt(2 * pi)
        x -= error / (1 + x * error / 2)
        if fabs(error) < mpf(10) ** -62 * fabs(x):
            break
    return x


def g(u):
    q = sqrt(max(W - u, mpf(10) ** -20))
    return (quantile(q) / q - sqrt(2 * pi)) / (q * q)


def ratio(f, top, degree):
    """Numerator and denominator (constant term 1) that meet f at Chebyshev points of [0, top]."""
    count = 2 * degree + 1
    rows, values = matrix(count, count), matrix(count, 1)
    for i in range(count):
        u = top / 2 * (1 + cos(pi * (2 * i + 1) / (2 * count)))
        values[i] = f(u)
        for j in range(degree + 1):
            rows[i, j] = u**j
        for j in range(1, degree + 1):
            rows[i, degree + j] = -values[i] * u**j
    c = lu_solve(rows, values)
    return [c[j] for j in range(degree + 1)], [mpf(1)] + [c[degree + j] for j in range(1, degree + 1)]


numerator, denominator = ([float(c) for c in side] for side in ratio(g, W, DEGREE))
print(numerator, denominator, sep="\n")
worst = 0
for k in range(200):
    u = W * (k + mpf("0.5")) / 200
    exact = sqrt(2 * pi) + (W - u) * g(u)
    fit = polyval([mpf(c) for c in numerator[::-1]], u) / polyval([mpf(c) for c in denominator[::-1]], u)
    worst = max(worst, fabs((sqrt(2 * pi) + (W - u) * fit) / exact - 1))
print("relative error 2^", nstr(log(worst, 2), 4))
