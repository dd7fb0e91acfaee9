"""Count the points of the lattice of `pi` inside its circle, exactly, and say how far off pi is.

The points are (i, j) with -R <= i, j < R and R = 2^31; inside are those with i^2 + j^2 < R^2.
Takes about a minute: `python crates/stats/derive/pi_lattice.py` (NumPy).
"""

import math
from fractions import Fraction

import numpy as np

R = 1 << 31
BLOCK = 1 << 22


def column_heights(i: np.ndarray) -> np.ndarray:
    """Return for each i the largest j >= 0 with i^2 + j^2 < R^2, in exact integers."""
    room = np.int64(R) * R - 1 - i * i
    j = np.sqrt(room.astype(np.float64)).astype(np.int64)
    j -= j * j > room
    j += (j + 1) * (j + 1) <= room
    return j


def main() -> None:
    quarter = 0  # points with i > 0 and j > 0
    for first in range(1, R, BLOCK):
        i = np.arange(first, min(first + BLOCK, R), dtype=np.int64)
        quarter += int(column_heights(i).sum())
    inside = 4 * quarter + 4 * (R - 1) + 1
    pi = 3141592653589793238462643383279502884197  # pi * 10^39
    off = Fraction(4 * inside, 4 * R * R) - Fraction(pi, 10**39)
    print(f"{inside} of {4 * R * R} points are inside; four times their share is pi {float(off):+.2e}")
    print(f"the Monte Carlo error of 10^15 points is {math.sqrt(math.pi * (4 - math.pi) / 1e15):.1e}")


if __name__ == "__main__":
    main()
