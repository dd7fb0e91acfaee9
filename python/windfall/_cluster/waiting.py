"""What can be waited for: each is there when nothing of it is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Client
    from .results import AsyncResult

STARTING, READY, FAILED = range(3)
"""The state of an engine, as the controller numbers it."""


class One:
    """Waits for one task of several."""

    __slots__ = ("_place", "_result")

    def __init__(self, result: AsyncResult, place: int) -> None:
        self._result, self._place = result, place

    @property
    def _left(self) -> int:
        return self._result._events[self._place] is None


class Fewer:
    """Waits until fewer tasks are left."""

    __slots__ = ("_count", "_result")

    def __init__(self, result: AsyncResult, count: int) -> None:
        self._result, self._count = result, count

    @property
    def _left(self) -> int:
        return self._result._left >= self._count


class Together:
    """Waits for several results: all, or the first of them."""

    __slots__ = ("_any", "_results")

    def __init__(self, results: list[AsyncResult], first: bool = False) -> None:
        self._results, self._any = results, first

    @property
    def _left(self) -> int:
        if self._any:
            return all(result._left for result in self._results)
        while self._results and not self._results[-1]._left:
            self._results.pop()
        return len(self._results)


class Reply:
    """Waits for the answer to a request."""

    __slots__ = ("_number", "_replies")

    def __init__(self, replies: dict[int, str | None], number: int) -> None:
        self._replies, self._number = replies, number

    @property
    def _left(self) -> int:
        return self._replies[self._number] is None


class Ready:
    """Waits for engines to be ready, or one to have failed."""

    def __init__(self, client: Client, n: int | None) -> None:
        self._client, self._n = client, n

    def _states(self) -> list[int]:
        return [state for _, state in self._client._engines.values()]

    def count(self) -> int:
        return self._states().count(READY)

    def has_failed(self) -> bool:
        return FAILED in self._states()

    @property
    def _left(self) -> int:
        wanted = len(self._states()) if self._n is None else self._n
        return 0 if self.has_failed() else max(0, wanted - self.count())


class Replaced:
    """Waits for engines to have other processes, which are ready."""

    def __init__(self, client: Client, before: dict[int, int]) -> None:
        self._client, self._before = client, before

    @property
    def _left(self) -> int:
        now = self._client._engines
        return sum(
            now.get(engine, (0, FAILED)) in ((pid, READY), (0, STARTING), (pid, STARTING))
            for engine, pid in self._before.items()
        )
