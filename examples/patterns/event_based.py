"""Events: act on each result when it comes, by a loop over what is done or by callbacks."""

import time

import windfall


def wait(seconds):
    """Take so long."""
    time.sleep(seconds)
    return seconds


with windfall.Cluster(n=4) as rc:
    view = rc.load_balanced_view()

    # A loop over results in the order of their ends.
    results = [view.apply(wait, seconds) for seconds in (0.4, 0.05, 0.2)]
    ends = [result.get() for result in windfall.as_completed(results)]

    # The same over the items of a map.
    items = list(view.map(wait, (0.4, 0.05, 0.2), ordered=False))

    # Or without a loop: a callback, in a thread of the client's.
    called = []
    result = view.apply(wait, 0.1)
    result.add_done_callback(lambda done: called.append(done.get()))
    while not called:
        time.sleep(0.01)

print("as completed:", ends, "items:", items, "called with:", called)
assert ends == items == [0.05, 0.2, 0.4] and called == [0.1]
