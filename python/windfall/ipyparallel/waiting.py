"""What results wait for, and a bar meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION
from threading import Lock
from typing import TYPE_CHECKING, Any

from .._cluster.show import can_draw

if TYPE_CHECKING:
    from .record import Part
    from .results import AsyncResult

CHOICES = (ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION)


class First:
    """Waits for the first task that has ended, or failed, or for all."""

    def __init__(self, parts: list[Part], failed: bool) -> None:
        self._parts, self._failed = parts, failed

    @property
    def _left(self) -> int:
        found = [part.failed if self._failed else not part._left for part in self._parts]
        return not any(found) and any(part._left for part in self._parts)


def call_back(
    result: AsyncResult, cores: list[Any], function: Callable[[AsyncResult], object]
) -> None:
    """Call `function(result)` once all of `cores` have ended."""
    left, lock = [len(cores) + 1], Lock()

    def ended(_: Any) -> None:
        with lock:
            left[0] -= 1
            last = not left[0]
        if last:
            function(result)

    for each in cores:
        each.add_done_callback(ended)
    ended(None)


class Bar:
    """How many of several tasks have ended: a line that is drawn over."""

    def __init__(self, name: str, count: int) -> None:
        self._name, self._count = name, count
        self._shown = ""

    def __enter__(self) -> Bar:
        return self

    def show(self, done: int) -> None:
        """Draw it."""
        filled = 20 * done // max(1, self._count)
        text = f"{self._name}: |{'#' * filled}{'.' * (20 - filled)}| {done}/{self._count}"
        if text != self._shown and can_draw():
            print(f"\r{text}", end="", file=sys.stderr, flush=True)
            self._shown = text

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print(file=sys.stderr)
