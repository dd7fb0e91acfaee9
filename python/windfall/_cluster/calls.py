"""Calls of one function again and again, each a task on whichever engine is free first."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .. import _core
from .options import Options
from .pack import EMPTY_CALL, pack_call
from .results import AsyncResult
from .ship import Shipped

if TYPE_CHECKING:
    from .client import Client


class Calls:
    """Submits calls of one function, which cost little if their arguments are small."""

    __slots__ = ("_client", "_how", "_label", "_submit", "shipped")

    def __init__(
        self,
        client: Client,
        shipped: Shipped,
        label: str,
        how: tuple[Options, list[int] | None],
    ) -> None:
        self._client, self.shipped, self._label, self._how = client, shipped, label, how
        options, targets = how
        self._submit = _core.Caller(
            client._link,
            client._pending,
            functools.partial(AsyncResult, client, label),
            targets,
            shipped.name,
            EMPTY_CALL,
            label,
            options.retries,
            options.timeout_s,
        ).call

    def submit(self, args: tuple[Any, ...]) -> AsyncResult:
        """Submit a call; return its result to come."""
        client = self._client
        if client._lost is not None:
            client._check()
        if self.shipped.name not in client._sent:
            with client._lock:
                client._send_function(self.shipped)
        result: AsyncResult | None = self._submit(args)
        if result is not None:
            return result
        packed, how = pack_call(args, {}, self._label), (self._label, True)
        return client._submit_packed(self.shipped, packed, *self._how, how)
