"""Values that a task tells its client while it runs."""

from __future__ import annotations

from typing import Any

from .._cluster.engine import publish


def publish_data(data: dict[str, Any]) -> None:
    """Tell the client something; it finds it in `AsyncResult.data`."""
    publish(**data)
