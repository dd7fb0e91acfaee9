"""A pipeline: stages on engines of their own, joined by bounded queues that keep the order."""

import time

import windfall
from windfall import shared


def stage(work, source, sink):
    """Hand on what `work` makes of each piece; a full sink holds this stage back."""
    for piece in source:  # until it is closed and empty
        sink.put(work(piece))
    sink.close()


def read(n):
    """Make a page of words."""
    time.sleep(0.002)
    return [f"word{k % n}" for k in range(200)]


def count(words):
    """Count what is different."""
    time.sleep(0.002)
    return len(set(words))


with windfall.Cluster(n=2) as rc:
    numbers, pages, counts = (shared.Queue(8) for _ in range(3))
    under_way = [
        rc[0].apply(stage, read, numbers, pages),
        rc[1].apply(stage, count, pages, counts),
    ]
    began, found = time.perf_counter(), []
    for n in range(1, 101):
        numbers.put(n)  # waits while eight are in line
        while not counts.empty():
            found.append(counts.get())
    numbers.close()
    found.extend(counts)
    took_s = time.perf_counter() - began
    windfall.as_completed(under_way)

print(f"{len(found)} pages in order, in {took_s:.2f} s; one after the other: over 0.40 s")
assert found == list(range(1, 101))
