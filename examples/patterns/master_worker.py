"""Master and workers: the client hands out uneven tasks, and whoever is free takes the next."""

import os
from collections import Counter

import windfall


def steps(start):
    """Count the steps from `start` to 1 in Collatz' problem: some starts take far longer."""
    count = 0
    while start != 1:
        start = start // 2 if start % 2 == 0 else 3 * start + 1
        count += 1
    return count, os.getpid()


with windfall.Cluster(n=4) as rc:
    found = rc.load_balanced_view().map(steps, range(1, 20_000)).get()

longest = max(range(1, 20_000), key=lambda start: found[start - 1][0])
print(f"the longest way to 1 begins at {longest}: {found[longest - 1][0]} steps")
print("tasks by engine:", sorted(Counter(pid for _, pid in found).values()))
assert (longest, found[longest - 1][0]) == (17647, 278)
