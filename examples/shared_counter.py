"""The race of every lecture: 1,000 increments by several processes, and three ways to keep them.

Each process adds one to a shared number, again and again. Reading, adding and writing are three
steps: whoever reads between another's reading and writing undoes the other's increment.
"""

import multiprocessing
import time

from windfall import shared

WORKERS, TIMES = 2, 500


def racy(state):
    for _ in range(TIMES):
        seen = state["value"].value  # read …
        time.sleep(0)  # … others may come in between …
        state["value"].set(seen + 1)  # … and write what is no longer true


def slots(state):
    mine = state["rows"].slot()  # a row of its own for each worker
    for _ in range(TIMES):
        mine += 1


def lock(state):
    for _ in range(TIMES):
        with state["lock"]:
            state["value"].set(state["value"].value + 1)


def atomic(state):
    for _ in range(TIMES):
        state["value"].add(1)


def work(form, state):
    state["start"].wait()
    began = time.perf_counter()
    form(state)
    state["seconds"].add(time.perf_counter() - began)


def run(form):
    state = {
        "value": shared.Value("int64"),
        "rows": shared.Array(WORKERS, "int64"),
        "lock": shared.Lock("total"),
        "start": shared.Barrier(WORKERS),
        "seconds": shared.Value("float64"),
    }
    workers = [multiprocessing.Process(target=work, args=(form, state)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    total = state["value"].value + int(state["rows"].array.sum())
    microseconds = state["seconds"].value / (WORKERS * TIMES) * 1e6
    print(
        f"{form.__name__:7} {total:5d} of {WORKERS * TIMES}   {microseconds:8.2f} us an increment"
    )
    return total


if __name__ == "__main__":
    # How many are lost is chance: in the worst case all but two.
    assert 2 <= run(racy) <= WORKERS * TIMES
    for form in (slots, lock, atomic):
        assert run(form) == WORKERS * TIMES
