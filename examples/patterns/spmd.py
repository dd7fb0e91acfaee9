"""Single program, multiple data: every engine runs the same code on its own part."""

import math

import windfall


def program(rank, size, points):
    """Add up this engine's part of the midpoint rule for pi."""
    return sum(4 / (1 + ((i + 0.5) / points) ** 2) for i in range(rank, points, size)) / points


with windfall.Cluster(n=4) as rc:
    # Each engine is told its rank; everything else is the same.
    rc[:].scatter("rank", range(len(rc)), flatten=True).get()
    rc[:].push({"program": program, "size": len(rc), "points": 100_000}).get()
    rc[:].execute("part = program(rank, size, points)").get()
    parts = rc[:]["part"]

print("parts:", [f"{part:.6f}" for part in parts], "pi:", f"{sum(parts):.9f}")
assert abs(sum(parts) - math.pi) < 1e-9
