"""Show how a long run converges: a live line in a terminal, a bar in a notebook."""

from __future__ import annotations

import html
import inspect
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

UnderWay: TypeAlias = list[tuple[int, int, int, str]]
"""The tasks under way: number, steps, steps at most, what there is to say of it."""

Tick: TypeAlias = Callable[[int, int, float | None, float | None, float, UnderWay], None]
"""Called with tasks done, tasks at most, estimate, MCSE, seconds, and the tasks under way."""

Watcher: TypeAlias = Callable[..., None]
"""Called with the first five of these; also with `under_way` if it has such a parameter."""

_QUIET_S = 0.5
"""Runs shorter than this show nothing."""

_LINES_MAX = 16
"""Tasks under way that get a line of their own."""


def ticker(progress: bool | Watcher | None) -> tuple[Tick | None, Callable[[], None]]:
    """Return what to call while a run goes on, and what to call at its end.

    `None` shows a bar in a notebook or a terminal and nothing elsewhere; `True` insists;
    `False` shows nothing; a function is called as it is.
    """
    if progress is False:
        return None, _nothing
    if callable(progress):
        return _watching(progress), _nothing
    notebook = _notebook_display()
    if notebook is not None:
        return _notebook(*notebook)
    if progress or sys.stderr.isatty():
        return _terminal()
    return None, _nothing


def _nothing() -> None:
    pass


def _watching(watcher: Watcher) -> Tick:
    """Return `watcher` as a tick, with `under_way` only if it has a parameter of that name."""
    try:
        knows = "under_way" in inspect.signature(watcher).parameters
    except (TypeError, ValueError):
        knows = False

    def tick(
        done: int,
        most: int,
        estimate: float | None,
        mcse: float | None,
        seconds: float,
        under_way: UnderWay,
    ) -> None:
        more = {"under_way": under_way} if knows else {}
        watcher(done, most, estimate, mcse, seconds, **more)

    return tick


def _share(done: int, most: int, under_way: UnderWay) -> float:
    """Return the share that is done; a task under way counts by its own share."""
    begun = sum(min(steps, steps_max) / max(steps_max, 1) for _, steps, steps_max, _ in under_way)
    return min((done + begun) / max(most, 1), 1.0)


def _text(share: float, estimate: float | None, mcse: float | None) -> str:
    if estimate is None or mcse is None:
        return f"{100 * share:3.0f} %"
    return f"{100 * share:3.0f} %  {estimate:.6g} ± {mcse:.2g}"


def _lines(under_way: UnderWay) -> list[str]:
    """Return a line for each task under way, the first ones at least."""
    lines = [
        f"{task:5} {'█' * (24 * steps // max(steps_max, 1)):<24}  {steps:,} / {steps_max:,}  {text}"
        for task, steps, steps_max, text in under_way[:_LINES_MAX]
    ]
    more = len(under_way) - len(lines)
    return [*lines, f"      … and {more} more"] if more else lines


def _terminal() -> tuple[Tick, Callable[[], None]]:
    shown = 0

    def over() -> str:
        """Return what takes the cursor to the first line and clears what was shown."""
        return f"\r\x1b[{shown - 1}A\x1b[J" if shown > 1 else "\r\x1b[2K"

    def tick(
        done: int,
        most: int,
        estimate: float | None,
        mcse: float | None,
        seconds: float,
        under_way: UnderWay,
    ) -> None:
        nonlocal shown
        if seconds >= _QUIET_S:
            text = _text(_share(done, most, under_way), estimate, mcse)
            lines = [f"{text}  {seconds:.1f} s", *_lines(under_way)]
            sys.stderr.write(over() + "\n".join(lines))
            sys.stderr.flush()
            shown = len(lines)

    def close() -> None:
        if shown:
            sys.stderr.write(over())
            sys.stderr.flush()

    return tick, close


def _notebook_display() -> tuple[Any, Any] | None:
    """Return IPython's `display` and `HTML` if this is a notebook's kernel."""
    shell = sys.modules.get("IPython")
    get_ipython = getattr(shell, "get_ipython", lambda: None)
    if not hasattr(get_ipython(), "kernel"):
        return None
    from IPython.display import HTML, display

    return display, HTML


def _notebook(display: Any, as_html: Any) -> tuple[Tick, Callable[[], None]]:
    handle: Any = None

    def tick(
        done: int,
        most: int,
        estimate: float | None,
        mcse: float | None,
        seconds: float,
        under_way: UnderWay,
    ) -> None:
        nonlocal handle
        if seconds < _QUIET_S:
            return
        share = _share(done, most, under_way)
        text = html.escape(_text(share, estimate, mcse))
        tasks = "".join(
            f'<br><progress value="{steps}" max="{steps_max}"></progress>'
            f" <code>{task}: {html.escape(said)}</code>"
            for task, steps, steps_max, said in under_way[:_LINES_MAX]
        )
        bar = as_html(
            f'<progress value="{share:.4f}" max="1"></progress> <code>{text}</code>'
            f" {seconds:.1f} s{tasks}"
        )
        if handle is None:
            handle = display(bar, display_id=True)
        else:
            handle.update(bar)

    def close() -> None:
        if handle is not None:
            handle.update(as_html(""))

    return tick, close
