"""A view of which each task runs on whichever engine is free first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .._cluster import ship
from .._cluster.map import MapOptions
from .._cluster.map import start as start_map
from .._cluster.options import Options
from .._cluster.pack import EMPTY_CALL, pack, pack_call
from .functions import Reference, dependent, shipped
from .indexed import IndexedMapResult
from .maps import AsyncMapResult, How, LazyMapIterator, mapper, sequences_of
from .record import Part
from .views import View, dependencies

if TYPE_CHECKING:
    from .client import Client


class LoadBalancedView(View):
    """Runs each task on whichever of its engines is free first.

    Attributes
    ----------
    retries : int
        How often a task is run again, on another engine, after it failed.
    after, follow
        What tasks wait for; with `follow` they run on the same engine.
    timeout : float
        How long they wait for those, in seconds; then they end with `DependencyTimeout`.
    """

    _flag_names = ["targets", "block", "track", "follow", "after", "timeout", "retries", "label"]

    def __init__(self, client: Client, targets: Any = None, **flags: Any) -> None:
        self.follow: Any = None
        self.after: Any = None
        self.timeout: float | None = None
        self.retries = 0
        super().__init__(client, targets, **flags)

    def _engines(self) -> list[int] | None:
        if self.targets is None or self.targets == "all":
            return None
        engines: list[int] = self.client._build_targets(self.targets)[1]
        return engines

    def _options(self, name: str) -> Options:
        label = self.label or name
        if self.after is None and self.follow is None:
            return Options(label=label, retries=self.retries or 0)
        waits = dependencies(self.after, self.follow)
        self.client._check_known([*waits.get("after", ()), *waits.get("follow", ())])
        how: dict[str, Any] = {"retries": self.retries or 0, "wait_s": self.timeout or None}
        return Options(label=label, **how, **waits)

    def _really_apply(
        self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], block: bool | None = None
    ) -> Any:
        function, args, kwargs, name = self._function(f, args, kwargs)
        packed = pack_call(args, kwargs, name) if args or kwargs else (EMPTY_CALL, None)
        part = self._submit(function, packed, 1, self._options(name))
        return self._finished(self._result([part], name), block)

    def _submit(self, function: Any, packed: Any, size: int, options: Options) -> Part:
        result = self.client.core._submit_packed(
            function, packed, options, self._engines(), (options.label, True)
        )
        part = Part(self.client, result, 0, size)
        if options.after or options.follow:
            part.depends = _texts(options.after), _texts(options.follow)
        return part

    def _task(self, function: Any, chunks: list[Any], size: int, name: str) -> Part:
        """Submit a task for some elements of sequences."""
        shipped, before = function
        return self._submit(shipped, pack(((*before, *chunks), {})), size, self._options(name))

    def _map(self, function: Any, sequences: tuple[Any, ...], how: How) -> AsyncMapResult:
        sliced, length = sequences_of(sequences)
        if how.chunksize is None and not how.whole and self._is_free(function):
            return self._indexed(function, [each[:length] for each in sliced], how)
        size = how.chunksize or 1
        if size < 1:
            raise ValueError(f"`chunksize` is `{size}`; it must be at least 1")
        name = self.label or ship.name_of(function)
        mapped, options = mapper(function, how.whole), self._options(name)
        shipped, before = mapped
        parts = []
        for start in range(0, length, size):
            end = min(length, start + size)
            packed = pack(((*before, *(each[start:end] for each in sliced)), {}))
            parts.append(self._submit(shipped, packed, end - start, options))
        found = AsyncMapResult(self.client, parts, name, "b", how.ordered)
        found._return_exceptions = how.return_exceptions
        self._remember(found)
        return found

    def _is_free(self, function: Any) -> bool:
        """Whether elements of a map may run wherever there is room, each of them once."""
        waits = self.after is not None or self.follow is not None
        return not (waits or self.retries or isinstance(function, (Reference, dependent)))

    def _indexed(self, function: Any, sequences: list[Any], how: How) -> AsyncMapResult:
        """Map over elements that engines claim from an index which they share."""
        core, name = self.client.core, self.label or ship.name_of(function)
        engines = self._engines()
        options = MapOptions(how.ordered, on_error="return", label=name)
        inner = start_map(
            core, core.ids if engines is None else engines, shipped(function), sequences, options
        )
        found = IndexedMapResult(self.client, inner, name, how)
        self._remember(found)
        return found

    def imap(
        self,
        f: Any,
        *sequences: Any,
        ordered: bool = True,
        max_outstanding: int | str | None = "auto",
        return_exceptions: bool = False,
    ) -> LazyMapIterator:
        """Call a function for each element of iterables that may never end; yield the values.

        At most `max_outstanding` tasks are under way at once; `auto` is twice as many as there
        are engines.
        """
        most = max_outstanding
        if most == "auto":
            most = 2 * max(1, len(self))
        count = int(most) if most else sys.maxsize
        return LazyMapIterator(self, f, sequences, count, ordered, return_exceptions)


def _texts(tasks: Any) -> list[str]:
    return [str(task) for task in tasks]
