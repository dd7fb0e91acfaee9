"""Fork and join: a task splits, waits for its halves and joins them, on however few engines."""

import math

import windfall


def simpson(low, high):
    """Return Simpson's rule for the square root."""
    return (high - low) / 6 * (low**0.5 + 4 * ((low + high) / 2) ** 0.5 + high**0.5)


def area(low, high, tolerance):
    """Integrate the square root: where one parabola will not do, by halves."""
    middle = (low + high) / 2
    whole, left, right = simpson(low, high), simpson(low, middle), simpson(middle, high)
    if abs(left + right - whole) < 15 * tolerance:
        return left + right
    halves = [(low, middle, tolerance / 2), (middle, high, tolerance / 2)]
    # Whoever waits here does a half that nobody else has begun.
    return sum(windfall.here().starmap(area, halves).get())


for engines in (1, 4):
    with windfall.Cluster(n=engines) as rc:
        found = rc.load_balanced_view().apply(area, 0.0, 1.0, 1e-7).get()
    print(f"{engines} engines: {found:.8f}")
    assert math.isclose(found, 2 / 3, abs_tol=1e-6)
