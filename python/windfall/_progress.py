"""Show how a long run converges: a live line in a terminal, a bar in a notebook."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

Tick: TypeAlias = Callable[[int, int, float | None, float | None, float], None]
"""Called with tasks done, tasks at most, estimate, MCSE and seconds so far."""

_QUIET_S = 0.5
"""Runs shorter than this show nothing."""


def ticker(progress: bool | Tick | None) -> tuple[Tick | None, Callable[[], None]]:
    """Return what to call while a run goes on, and what to call at its end.

    `None` shows a bar in a notebook or a terminal and nothing elsewhere; `True` insists;
    `False` shows nothing; a function is called as it is.
    """
    if progress is False:
        return None, _nothing
    if callable(progress):
        return progress, _nothing
    notebook = _notebook_display()
    if notebook is not None:
        return _notebook(*notebook)
    if progress or sys.stderr.isatty():
        return _terminal()
    return None, _nothing


def _nothing() -> None:
    pass


def _text(done: int, most: int, estimate: float | None, mcse: float | None) -> str:
    share = f"{100 * done / most:3.0f} %" if most else ""
    if estimate is None or mcse is None:
        return share
    return f"{share}  {estimate:.6g} ± {mcse:.2g}"


def _terminal() -> tuple[Tick, Callable[[], None]]:
    shown = False

    def tick(
        done: int, most: int, estimate: float | None, mcse: float | None, seconds: float
    ) -> None:
        nonlocal shown
        if seconds >= _QUIET_S:
            shown = True
            text = _text(done, most, estimate, mcse)
            sys.stderr.write(f"\r\x1b[2K{text}  {seconds:.1f} s")
            sys.stderr.flush()

    def close() -> None:
        if shown:
            sys.stderr.write("\r\x1b[2K")
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
        done: int, most: int, estimate: float | None, mcse: float | None, seconds: float
    ) -> None:
        nonlocal handle
        if seconds < _QUIET_S:
            return
        text = html.escape(_text(done, most, estimate, mcse))
        bar = as_html(
            f'<progress value="{done}" max="{most}"></progress> <code>{text}</code> {seconds:.1f} s'
        )
        if handle is None:
            handle = display(bar, display_id=True)
        else:
            handle.update(bar)

    def close() -> None:
        if handle is not None:
            handle.update(as_html(""))

    return tick, close
