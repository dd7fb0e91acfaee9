"""What engines printed, displayed and returned, shown here: live or when all is there."""

from __future__ import annotations

import pickle
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import failure
from .output import DATA, DISPLAY, STDERR, STDOUT

GROUPS = ("type", "engine", "order")
"""In what order outputs may be shown."""


class Shown(NamedTuple):
    """What there is to show of a task."""

    engine: int | None
    stdout: str
    stderr: str
    outputs: list[dict[str, Any]]
    result: Any = None
    """A `Cell`, or None."""


def show(tasks: Sequence[Shown], group: str = "type", labelled: bool = True) -> None:
    """Show what tasks printed and displayed, and what the last expression of each came to.

    Grouped by `type` (what was printed by each, what was displayed, results), by `engine`, or
    in `order` (the first display of each engine, the second of each, …).
    """
    if group not in GROUPS:
        raise ValueError(f"`{group}` is not a way to group outputs; there are {', '.join(GROUPS)}")
    if group == "engine":
        for task in tasks:
            show([task], "type", labelled)
        return
    for task in tasks:
        _text(task.stdout, "stdout", task.engine, labelled)
    for task in tasks:
        _text(task.stderr, "stderr", task.engine, labelled)
    if group == "order":
        for place in range(max((len(task.outputs) for task in tasks), default=0)):
            for task in tasks:
                for output in task.outputs[place : place + 1]:
                    rich(output, task.engine, labelled)
    else:
        for task in tasks:
            for place, output in enumerate(task.outputs):
                rich(output, task.engine, labelled and not place)
    for task in tasks:
        if task.result is not None:
            value(task.result, task.engine)


def _text(text: str, stream: str, engine: int | None, labelled: bool) -> None:
    if not text.strip():
        return
    if labelled:
        text = f"[{stream}:{engine}]" + ("\n" if "\n" in text.rstrip() else " ") + text
    out = sys.stderr if stream == "stderr" else sys.stdout
    print(text, end="" if text.endswith("\n") else "\n", file=out)


def rich(output: dict[str, Any], engine: int | None, labelled: bool) -> None:
    """Show something displayed: MIME types with their data."""
    if labelled:
        print(f"[output:{engine}]")
    _publish(output["data"], output.get("metadata") or {})


def value(cell: Any, engine: int | None) -> None:
    """Show what the last expression came to."""
    if not cell.data:
        return
    prompt = f"Out[{engine}:{cell.count}]:"
    text = cell.data.get("text/plain", "")
    if len(cell.data) == 1 or not _in_notebook():
        print(f"{prompt}\n{text}" if "\n" in text else f"{prompt} {text}")
    else:
        print(prompt)
        _publish(cell.data, cell.metadata)


def can_draw() -> bool:
    """Whether a line can be drawn over: in a terminal or a notebook."""
    return sys.stderr.isatty() or ("IPython" in sys.modules and _in_notebook())


def _in_notebook() -> bool:
    from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]

    return hasattr(get_ipython(), "kernel")


def _publish(data: dict[str, Any], metadata: dict[str, Any]) -> None:
    from IPython.display import publish_display_data  # type: ignore[attr-defined,unused-ignore]

    sys.stdout.flush()
    publish_display_data(data, metadata)


class Live:
    """Shows what engines print line by line, each with its engine, as it comes."""

    def __init__(self, result: Any, labelled: bool = True) -> None:
        self._result, self._labelled = result, labelled
        self._news: deque[tuple[int, int, bytes]] = deque()
        self._open: dict[tuple[int, int], str] = {}
        self._ended: set[int] = set()
        self.errors = 0

    def watch(self, _: int, engine: int, stream: int, body: bytes) -> None:
        """Take what was printed; `flush` shows it."""
        self._news.append((engine, stream, body))

    @property
    def _left(self) -> int:
        """Nothing is left to wait for once there is something to show."""
        return 0 if self._news else self._result._left

    def flush(self) -> None:
        """Show what has come, as far as lines are complete; all of what tasks have ended."""
        while self._news:
            engine, stream, body = self._news.popleft()
            if stream == DISPLAY:
                self._finish(engine)
                output = pickle.loads(body)
                if "data" in output:
                    rich(output, engine, self._labelled)
            elif stream != DATA:
                self._lines(engine, stream, body.decode("utf-8", "replace"))
        for place, event in enumerate(self._result._events):
            if event is not None and place not in self._ended:
                self._ended.add(place)
                self._finish(event[3])
                self._error(event)

    def _lines(self, engine: int, stream: int, text: str) -> None:
        whole, end, rest = (self._open.pop((engine, stream), "") + text).rpartition("\n")
        if rest:
            self._open[engine, stream] = rest
        if end:
            self._print(engine, stream, whole)

    def _finish(self, engine: int) -> None:
        for stream in (STDOUT, STDERR):
            rest = self._open.pop((engine, stream), "")
            if rest:
                self._print(engine, stream, rest)

    def _print(self, engine: int, stream: int, text: str) -> None:
        out = sys.stderr if stream == STDERR else sys.stdout
        label = f"[{'stderr' if stream == STDERR else 'stdout'}:{engine}] "
        label = label if self._labelled else ""
        print("\n".join(label + line for line in text.split("\n")), file=out, flush=True)

    def _error(self, event: tuple[Any, ...]) -> None:
        error = failure.error_of(event)
        if error is None:
            return
        if not self._labelled:
            return  # the one error there is will be raised, with all there is to say
        self.errors += 1
        render: Callable[[], list[str]] | None = getattr(error, "_render_traceback_", None)
        lines = render() if render is not None else [f"{type(error).__name__}: {error}"]
        print("\n".join(lines), file=sys.stderr, flush=True)
