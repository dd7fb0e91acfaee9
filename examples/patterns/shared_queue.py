"""A shared queue: engines take work from it and put new work into it, until none is open."""

import windfall
from windfall import shared

SIZE, DEPTH = 9, 3


def free(queens):
    """Return the columns where the next row's queen is attacked by none."""
    row = len(queens)
    return [
        column
        for column in range(SIZE)
        if all(column != other and abs(column - other) != row - r for r, other in enumerate(queens))
    ]


def solutions(queens):
    """Count the ways to place the remaining queens."""
    if len(queens) == SIZE:
        return 1
    return sum(solutions((*queens, column)) for column in free(queens))


def work(boards, open_boards):
    """Count solutions of boards from the queue; a board at its beginning becomes several."""
    found = 0
    for queens in boards:  # waits for the next, until the queue is closed
        if len(queens) < DEPTH:
            for column in free(queens):
                open_boards.add(1)
                boards.put((*queens, column))
        else:
            found += solutions(queens)
        if open_boards.add(-1) == 1:  # this one was the last
            boards.close()
    return found


with windfall.Cluster(n=4) as rc:
    boards, open_boards = shared.Queue(), shared.Value("int64", 1)
    boards.put(())
    found = rc[:].apply(work, boards, open_boards).get()

print(f"{SIZE} queens: {sum(found)} solutions, by engine {found}")
assert sum(found) == 352
