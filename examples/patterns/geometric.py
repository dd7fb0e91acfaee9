"""Geometric decomposition: a plate cut into rows, columns or blocks, each warmed in place."""

import numpy as np

import windfall
from windfall import shared

SIZE, STEPS = 120, 60


def cut(length, parts):
    """Return the bounds of `parts` runs of cells, the border left out."""
    ends = np.linspace(1, length - 1, parts + 1).astype(int)
    return [slice(low, high) for low, high in zip(ends, ends[1:])]


def step(old, new, rows, columns):
    """Set a part of `new` to the mean of its neighbours in `old`."""
    up, down = slice(rows.start - 1, rows.stop - 1), slice(rows.start + 1, rows.stop + 1)
    left = slice(columns.start - 1, columns.stop - 1)
    right = slice(columns.start + 1, columns.stop + 1)
    around = old[up, columns] + old[down, columns] + old[rows, left] + old[rows, right]
    new[rows, columns] = around / 4


def relax(plates, barrier, part):
    """Warm one part, step by step with the engines that have the others."""
    for n in range(STEPS):
        step(plates[n % 2], plates[(n + 1) % 2], *part)
        barrier.wait()  # a part reads its neighbours' borders


plate = np.zeros((SIZE, SIZE))
plate[0] = 100.0  # one edge is hot
alone = [plate.copy(), plate.copy()]
for n in range(STEPS):
    step(alone[n % 2], alone[(n + 1) % 2], *cut(SIZE, 1), *cut(SIZE, 1))

with windfall.Cluster(n=4) as rc:
    whole = cut(SIZE, 1)[0]
    decompositions = {
        "rows": [(rows, whole) for rows in cut(SIZE, 4)],
        "columns": [(whole, columns) for columns in cut(SIZE, 4)],
        "blocks": [(rows, columns) for rows in cut(SIZE, 2) for columns in cut(SIZE, 2)],
    }
    for name, parts in decompositions.items():
        # Both plates lie in memory that every engine maps: nothing is sent, nothing gathered.
        plates, barrier = shared.Array.of([plate, plate]), shared.Barrier(len(parts))
        under_way = [rc[k].apply(relax, plates, barrier, part) for k, part in enumerate(parts)]
        for result in under_way:
            result.get()
        print(f"{name:8} mean {plates[0].mean():.6f}")
        assert np.array_equal(plates[STEPS % 2], alone[STEPS % 2])

    # Without neighbours there is nothing to wait for: scatter, map in place, gather.
    rc[:].scatter("part", plate).get()
    rc[:].execute("part += 1.0").get()
    assert np.array_equal(rc[:].gather("part").get(), plate + 1.0)
