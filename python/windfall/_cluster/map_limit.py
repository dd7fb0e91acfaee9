"""The time limit of a map's items: an engine that is too long at one is killed."""

from __future__ import annotations

import json
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .map_state import Map

_LOOKS_PER_LIMIT = 10
_LOOK_S_MAX = 0.25
"""How often the limit is looked at: so many times while it lasts, and at least so often."""


def mind_limit(state: Map) -> None:
    """Keep a map's items to its limit until its end, by a thread of its own."""
    threading.Thread(target=_mind, args=(state,), name="windfall-limit", daemon=True).start()


def _mind(state: Map) -> None:
    limit_s = state.work.timeout_s
    assert limit_s is not None
    while not state.is_over:
        time.sleep(min(limit_s / _LOOKS_PER_LIMIT, _LOOK_S_MAX))
        with state.client._lock:
            if not state.is_over:
                _kill_late(state, limit_s)


def _kill_late(state: Map, limit_s: float) -> None:
    now_ns, late = time.monotonic_ns(), []
    for slot, (current, began_ns, *_) in enumerate(state.seen()):
        if current is None or now_ns - began_ns < limit_s * 1e9:
            continue
        item = state.number(current)
        if item not in state.late and slot in state.tasks.values():
            state.late.add(item)
            late.append(state.engines[slot])
    if late:
        request = {"do": "signal", "engines": late, "signal": int(signal.SIGKILL)}
        state.client._link.request(json.dumps(request))
