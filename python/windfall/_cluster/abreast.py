"""Work of several threads at once: for copies of large memory, which let Python go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from .. import _core

T = TypeVar("T")


def abreast(works: Sequence[Callable[[], T]]) -> list[T]:
    """Call each of `works`, as many at once as there are cores; return what they return.

    The first error is raised once all threads have ended.
    """
    done: list[T | None] = [None] * len(works)
    left = list(enumerate(works))[::-1]
    errors: list[BaseException] = []

    def run() -> None:
        while left and not errors:
            try:
                place, work = left.pop()
            except IndexError:  # another thread was quicker
                return
            try:
                done[place] = work()
            except BaseException as error:
                errors.append(error)

    helpers = [
        threading.Thread(target=run, name="windfall-copy", daemon=True)
        for _ in range(min(len(works), _core.cores()) - 1)
    ]
    for helper in helpers:
        helper.start()
    run()
    for helper in helpers:
        helper.join()
    if errors:
        raise errors[0]
    return done  # type: ignore[return-value]
