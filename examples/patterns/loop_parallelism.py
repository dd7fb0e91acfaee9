"""Loop parallelism: the iterations of a serial loop, each with a random stream of its own."""

import windfall


def longest_run(_):
    """Return the longest run of heads in a hundred tosses."""
    rng = windfall.rng()  # this iteration's own: the same draws on whichever engine it runs
    run = longest = 0
    for head in rng.random(100) < 0.5:
        run = run + 1 if head else 0
        longest = max(longest, run)
    return longest


# for i in range(2_000): runs.append(longest_run(i))
with windfall.Cluster(n=4) as rc:
    runs = rc.load_balanced_view().map(longest_run, range(2_000), rng=2024).get()
    again = rc[:2].map(longest_run, range(2_000), rng=2024).get()

mean = sum(runs) / len(runs)
print(f"mean longest run {mean:.3f}; two engines give the same as four: {runs == again}")
assert runs == again
assert abs(mean - 5.977) < 5 * 1.79 / len(runs) ** 0.5  # exact mean and deviation
