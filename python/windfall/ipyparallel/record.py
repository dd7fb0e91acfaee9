"""One task of a result, its outcome, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._cluster import results as core
from .._cluster.record import TaskRecord
from .._cluster.remote import Cell
from .._cluster.show import Shown
from .error import converted

if TYPE_CHECKING:
    from .client import Client

KEYS = (
    "msg_id",
    "submitted",
    "started",
    "completed",
    "received",
    "engine_uuid",
    "engine_id",
    "follow",
    "after",
    "status",
    "execute_input",
    "execute_result",
    "error",
    "stdout",
    "stderr",
    "outputs",
    "data",
    "label",
)
"""What is known of a task."""

_STATUS = {"ok": "ok", "pending": None, "aborted": "aborted"}


class Metadata(dict[str, Any]):
    """What is known of a task, as items and as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class ExecuteReply:
    """What a cell came to: the value of its last expression, what it printed and displayed."""

    def __init__(self, cell: Cell, part: Part) -> None:
        self._cell, self._part = cell, part
        self.execution_count = cell.count

    @property
    def metadata(self) -> Metadata:
        """What is known of the task."""
        return self._part.metadata

    @property
    def execute_result(self) -> dict[str, Any] | None:
        """The value of the last expression by MIME type, or None."""
        return _execute_result(self._cell)

    def __getattr__(self, name: str) -> Any:
        if name in KEYS:
            return self.metadata[name]
        raise AttributeError(name)

    def __getitem__(self, name: str) -> Any:
        return self.metadata[name]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExecuteReply):
            return NotImplemented
        return (self.execution_count, self._cell.data) == (other.execution_count, other._cell.data)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        text = self._cell.text
        if len(text) > 32:
            text = text[:29] + "..."
        return f"<ExecuteReply[{self.execution_count}]: {text}>"

    def _mime(self, kind: str) -> Any:
        data = self._cell.data.get(kind)
        if data is None:
            return None
        metadata = self._cell.metadata.get(kind)
        return (data, metadata) if metadata else data

    def _repr_mimebundle_(self, **_: Any) -> Any:
        if not self._cell.data:
            return {"text/plain": repr(self)}, {}
        return self._cell.data, self._cell.metadata

    def _repr_html_(self) -> Any:
        return self._mime("text/html")

    def _repr_latex_(self) -> Any:
        return self._mime("text/latex")

    def _repr_json_(self) -> Any:
        return self._mime("application/json")

    def _repr_javascript_(self) -> Any:
        return self._mime("application/javascript")

    def _repr_png_(self) -> Any:
        return self._mime("image/png")

    def _repr_jpeg_(self) -> Any:
        return self._mime("image/jpeg")

    def _repr_svg_(self) -> Any:
        return self._mime("image/svg+xml")


def _execute_result(cell: Cell) -> dict[str, Any] | None:
    if not cell.data:
        return None
    return {"data": cell.data, "metadata": cell.metadata, "execution_count": cell.count}


class Part:
    """One task: a place in a result of the cluster."""

    __slots__ = ("__weakref__", "_outcome", "client", "code", "core", "depends", "place", "size")

    def __init__(
        self,
        client: Client,
        core_result: core.AsyncResult,
        place: int,
        size: int = 1,
        code: str | None = None,
    ) -> None:
        self.client, self.core, self.place, self.size = client, core_result, place, size
        self.code = code
        self.depends: tuple[list[str], list[str]] = ([], [])
        self._outcome: tuple[bool, Any] | None = None

    @property
    def task(self) -> int:
        return self.core.tasks[self.place]

    @property
    def msg_id(self) -> str:
        return str(self.task)

    @property
    def _left(self) -> int:
        return self.core._events[self.place] is None

    @property
    def failed(self) -> bool:
        event = self.core._events[self.place]
        return event is not None and event[2] != 0

    @property
    def engine(self) -> int | None:
        return self.record.engine

    @property
    def record(self) -> TaskRecord:
        return TaskRecord(self.core, self.place)

    @property
    def info(self) -> dict[str, Any]:
        """Where it ran, as errors tell it."""
        engine = self.engine
        return {
            "engine_id": engine,
            "engine_uuid": None if engine is None else self.client._engines.get(engine),
            "method": "apply" if self.code is None else "execute",
        }

    def outcome(self) -> tuple[bool, Any]:
        """Return whether it succeeded, and its value or its error. It has ended."""
        if self._outcome is None:
            try:
                value = self.core._value(self.place)
            except Exception as error:
                self._outcome = False, converted(error, self.info)
            else:
                if isinstance(value, Cell):
                    value = ExecuteReply(value, self)
                self._outcome = True, value
                # The bytes go; what they meant stays.
                event = self.core._events[self.place]
                assert event is not None
                self.core._events[self.place] = (*event[:7], b"", None)
        return self._outcome

    @property
    def metadata(self) -> Metadata:
        """What is known of the task."""
        record, error, result = self.record, None, None
        if not self._left:
            succeeded, value = self.outcome()
            if not succeeded:
                error = value
            elif isinstance(value, ExecuteReply):
                result = value.execute_result
        status = record.status
        info = self.info
        known = {
            "msg_id": self.msg_id,
            "submitted": record.submitted,
            "started": record.started,
            "completed": record.completed,
            "received": record.completed,
            "engine_uuid": info["engine_uuid"],
            "engine_id": info["engine_id"],
            "after": self.depends[0],
            "follow": self.depends[1],
            "status": _STATUS.get(status, "error"),
            "execute_input": self.code,
            "execute_result": result,
            "error": error,
            "stdout": record.stdout,
            "stderr": record.stderr,
            "outputs": record.outputs,
            "data": record.data,
            "label": record.label,
        }
        return Metadata({key: known[key] for key in KEYS})

    def shown(self, result_only: bool = False) -> Shown:
        """Return what there is to show of it."""
        record, result = self.record, None
        if not self._left and isinstance(self.outcome()[1], ExecuteReply):
            result = self.outcome()[1]._cell
        if result_only:
            return Shown(record.engine, "", "", [], result)
        return Shown(record.engine, record.stdout, record.stderr, record.outputs, result)
