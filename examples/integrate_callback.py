"""Integrate your own code: a NumPy function by blocks, a numba callback on all workers."""

import math

import numpy as np

import windfall

CUBE = [(-1, 1)] * 5
EXACT = (math.sqrt(math.pi) * math.erf(1)) ** 5
N = 1_000_000


def vectorised(x):
    """Return the values at m points, x of shape (5, m)."""
    return np.exp(-(x**2).sum(axis=0))


def show(name, result):
    """Print a result and hold it to the exact value."""
    seconds = result.run["seconds"]
    print(f"{name:9} {result.estimate:.5f} ± {result.mcse:.5f} in {seconds:.3f} s")
    assert abs(result.estimate - EXACT) < 5 * result.mcse
    return result


formula = show("formula", windfall.integrate("exp(-(x0^2+x1^2+x2^2+x3^2+x4^2))", CUBE, n=N, rng=1))
by_blocks = show("NumPy", windfall.integrate(vectorised, CUBE, n=N, rng=1))
# The same points: the values differ by the last digits of two exponential functions.
assert math.isclose(by_blocks.estimate, formula.estimate, rel_tol=1e-12)

try:
    import numba
except ImportError:
    print("skipped: the compiled callback needs numba, which is not installed")
else:
    # The signature of scipy.LowLevelCallable: double f(int n, double *x).
    signature = numba.types.double(numba.types.intc, numba.types.CPointer(numba.types.double))

    @numba.cfunc(signature)
    def compiled(n, x):
        """Return the value at one point, n numbers from x on."""
        total = 0.0
        for place in range(n):
            total += x[place] * x[place]
        return math.exp(-total)

    callback = show("numba", windfall.integrate(compiled, CUBE, n=N, rng=1))
    assert math.isclose(callback.estimate, formula.estimate, rel_tol=1e-12)
