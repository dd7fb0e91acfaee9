"""What a client remembers of its tasks, and how it forgets."""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from .._cluster import client as core
from .._cluster.errors import ClusterError
from .error import InvalidDependency
from .functions import ids_of
from .record import Metadata, Part
from .results import AsyncHubResult, AsyncResult
from .views import remember

if TYPE_CHECKING:
    from .client import Client

KEPT_CELLS = 64
"""How many of the latest cells are kept for `get_result`, though nobody holds their results."""


_CLIENT_BITS = 40
"""Where the number of the client stands in the number of a task."""


class Memory:
    """The tasks of a client: those whose results are held, and the latest cells."""

    core: core.Client
    block: bool

    def _set_up_memory(self) -> None:
        self.history: list[str] = []
        self._known: weakref.WeakValueDictionary[str, Part] = weakref.WeakValueDictionary()
        self._kept: deque[list[Part]] = deque(maxlen=KEPT_CELLS)
        self.results: dict[str, Any] = {}
        self.metadata: dict[str, Any] = _Known(self._known)

    def _remember(self, parts: list[Part]) -> None:
        for part in parts:
            self._known[part.msg_id] = part
        remember(self.history, [part.msg_id for part in parts])

    def _check_known(self, tasks: list[int]) -> None:
        """Refuse to wait for tasks that were never submitted."""
        own = self.core._link.client
        for task in tasks:
            client = task >> _CLIENT_BITS
            if not client or (client == own and str(task) not in self.history):
                raise InvalidDependency("InvalidDependency", f"there is no task `{task}`")

    def _keep(self, parts: list[Part]) -> None:
        """Keep cells for a while, though nobody may hold their results."""
        self._kept.append(parts)

    @property
    def outstanding(self) -> set[str]:
        """The numbers of the tasks that have not ended."""
        self.core._drain()
        return {str(task) for task in self.core._pending}

    def get_result(
        self,
        indices_or_msg_ids: Any = -1,
        block: bool | None = None,
        owner: bool = True,
        targets: Any = None,
    ) -> AsyncResult:
        """Return the result of tasks: of this client, or of another that is gone."""
        wanted = indices_or_msg_ids
        if isinstance(wanted, AsyncResult):
            result = wanted
        else:
            if isinstance(wanted, int):
                wanted = self.history[wanted]
            numbers = ids_of(wanted)
            missing = [int(number) for number in numbers if number not in self._known]
            fetched = self._fetched(missing) if missing else []
            parts = [self._known[number] for number in numbers]
            kind = AsyncResult if owner else AsyncHubResult
            result = kind(cast("Client", self), parts, "get_result", isinstance(wanted, str))
            del fetched
        if block or (block is None and self.block):
            result.wait()
        return result

    def _fetched(self, tasks: list[int]) -> list[Part]:
        parts: list[Part] = []
        for task in tasks:
            try:
                found = self.core.result(task)
            except ClusterError as error:
                raise KeyError(f"there is no result of task {task}") from error
            part = Part(cast("Client", self), found, 0)
            self._known[part.msg_id] = part
            parts.append(part)
        return parts

    def result_status(self, msg_ids: Any, status_only: bool = True) -> dict[str, list[str]]:
        """Return which tasks have ended and which have not."""
        outstanding, numbers = self.outstanding, ids_of(msg_ids)
        return {
            "pending": [n for n in numbers if n in outstanding],
            "completed": [n for n in numbers if n not in outstanding],
        }

    def purge_local_results(self, jobs: Any = (), targets: Any = ()) -> None:
        """Forget the results that this client keeps; those that results hold stay with them."""
        everything = isinstance(jobs, str) and jobs == "all"
        numbers = self.outstanding if everything else set(ids_of(jobs)) & self.outstanding
        if numbers:
            raise RuntimeError(f"{len(numbers)} of the tasks have not ended: wait or abort first")
        if everything:
            self.results.clear()
            self.metadata.clear()
            self._kept.clear()
        for number in [] if everything else ids_of(jobs):
            self.results.pop(number, None)
            self.metadata.pop(number, None)

    def purge_hub_results(self, jobs: Any = (), targets: Any = ()) -> None:
        """Forget the results of clients that are gone."""
        self.core.purge()

    def purge_results(self, jobs: Any = (), targets: Any = ()) -> None:
        """Forget results here and those of clients that are gone."""
        self.purge_local_results(jobs, targets)
        self.purge_hub_results(jobs, targets)

    def purge_everything(self) -> None:
        """Forget all results and the history."""
        self.purge_results("all")
        self.history.clear()


class _Known(dict[str, Any]):
    """What is known of tasks, by their numbers."""

    def __init__(self, known: weakref.WeakValueDictionary[str, Part]) -> None:
        super().__init__()
        self._parts = known

    def __missing__(self, number: str) -> Metadata:
        part = self._parts.get(number)
        if part is not None:
            return part.metadata
        self[number] = Metadata()
        return cast(Metadata, self[number])
