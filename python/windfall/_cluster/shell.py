"""The IPython shell inside an engine: magics, rich output, figures."""

from __future__ import annotations

import ast
import contextlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .output import DISPLAY

if TYPE_CHECKING:
    from types import CodeType

    from .engine import Engine
    from .remote import Cell

try:
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
except ImportError as _error:
    raise ModuleNotFoundError(
        "running code on engines needs IPython, which is not installed"
        "\nhint: pip install 'windfall[cluster]'",
        name="IPython",
    ) from _error

_INLINE = "module://matplotlib_inline.backend_inline"


def _publisher() -> Any:
    class _Publisher(DisplayPublisher):  # type: ignore[misc]
        """Sends what `display` shows to the client of the running task."""

        def publish(  # noqa: PLR0913
            self,
            data: dict[str, Any],
            metadata: dict[str, Any] | None = None,
            source: Any = None,
            *,
            transient: dict[str, Any] | None = None,
            update: bool = False,
            **_: Any,
        ) -> None:
            shown: dict[str, Any] = {
                "data": data,
                "metadata": metadata or {},
                "transient": transient or {},
            }
            if update:
                shown["update"] = True
            self.shell.engine.output.show(DISPLAY, pickle.dumps(shown, 5))

        def clear_output(self, wait: bool = False) -> None:
            self.shell.engine.output.show(DISPLAY, pickle.dumps({"clear": True, "wait": wait}, 5))

    return _Publisher


def _hook() -> Any:
    class _Hook(DisplayHook):  # type: ignore[misc]
        """Keeps the last expression's value as it would be shown."""

        def start_displayhook(self) -> None:
            pass

        def write_output_prompt(self) -> None:
            pass

        def write_format_data(
            self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None
        ) -> None:
            self.shell.last_shown = (format_dict, md_dict or {})

        def finish_displayhook(self) -> None:
            pass

    return _Hook


def _cells() -> Any:
    class _Cells(InteractiveShell):  # type: ignore[misc]
        """Runs cells; those of plain Python without what IPython does for others."""

        own_transforms: tuple[Any, ...] | None = None

        def run_cell(self, raw_cell: str, store_history: bool = False, **how: Any) -> Any:
            """Run a cell; one of statements alone does without what IPython does for the others."""
            code = None if any(how.values()) or self._is_watched() else self._code_of(raw_cell)
            if code is not None:
                return self._run_statements(raw_cell, code, store_history)
            return super().run_cell(raw_cell, store_history=store_history, **how)

        def _is_watched(self) -> bool:
            """Whether a user has asked to see or change cells."""
            calls = self.events.callbacks
            return bool(calls["pre_run_cell"] or calls["post_run_cell"] or self.ast_transformers)

        def _code_of(self, cell: str) -> CodeType | None:
            """Return the code of a cell of statements alone; None if it is not that."""
            body = self._plain(cell)
            if body is None or any(isinstance(part, ast.Expr) for part in body):
                return None
            name = self.compile.cache(cell, self.execution_count, cell)
            try:
                return self.compile(ast.Module(body, []), name, "exec")  # type: ignore[no-any-return]
            except (SyntaxError, ValueError):
                return None  # IPython will say so

        def _run_statements(self, cell: str, code: CodeType, store_history: bool) -> Any:
            """Run what shows no value and waits for nothing."""
            result = ExecutionResult(None)
            number = result.execution_count = self.execution_count
            self.events.trigger("pre_execute")
            if store_history:
                self.execution_count += 1
                self.history_manager.store_inputs(number, cell, cell)
            self.logger.log(cell, cell)
            with self.builtin_trap, self.display_trap:
                try:
                    self.run_code(code, result).send(None)
                except StopIteration as done:
                    self.last_execution_succeeded = not done.value
            self.last_execution_result = result
            self.events.trigger("post_execute")
            return result

        def transform_cell(self, raw_cell: str) -> str:
            """Turn IPython's own syntax into Python's; what is plain Python needs none of that."""
            if self._plain(raw_cell) is not None:
                return raw_cell if raw_cell.endswith("\n") else raw_cell + "\n"
            cell: str = super().transform_cell(raw_cell)
            return cell

        def _plain(self, cell: str) -> list[ast.stmt] | None:
            """Return the statements of a cell that is Python and nothing else."""
            changed = _transforms(self) != self.own_transforms
            return None if changed else _statements(cell, self.compile.ast_parse)

        def should_run_async(self, raw_cell: str, **how: Any) -> bool:
            """Whether a cell waits for something; most say by their words that they do not."""
            words = how.get("transformed_cell") or raw_cell
            if "await" not in words and "async" not in words:
                return False
            return bool(super().should_run_async(raw_cell, **how))

    return _Cells


def _transforms(shell: Any) -> tuple[Any, ...]:
    """Return what may change a cell, so that others that a user adds are seen."""
    manager = shell.input_transformer_manager
    return (
        *manager.cleanup_transforms,
        *manager.line_transforms,
        *manager.token_transformers,
        *shell.input_transformers_post,
    )


def _statements(cell: str, parse: Callable[[str], ast.Module]) -> list[ast.stmt] | None:
    """Return the statements of a cell, if it is Python.

    A single line that is an expression may be a magic without its sign, as `ls` is.
    """
    try:
        body = parse(cell).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    alone = len(body) == 1 and isinstance(body[0], (ast.Assign, ast.AugAssign))
    return body if alone or "\n" in cell.strip() else None


def _shell_class() -> Any:
    base = _cells()

    class _Shell(base):  # type: ignore[misc,valid-type]
        """An IPython shell whose namespace is the engine's."""

        engine: Any = None
        displayhook_class = _hook()
        last_shown: tuple[dict[str, Any], dict[str, Any]] | None = None
        last_traceback: str | None = None

        def init_display_pub(self) -> None:
            self.display_pub = _publisher()(parent=self, shell=self)

        def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
            """Run a cell magic; engines compile one after the other."""
            with _alone(magic_name):
                return super().run_cell_magic(magic_name, line, cell)

        def init_readline(self) -> None:
            pass

        def enable_gui(self, gui: str | None = None) -> None:
            """Accept any: there is no event loop to join."""

        def ask_exit(self) -> None:
            """Stay: an engine ends by `view.shutdown()`."""

        def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
            self.last_traceback = self.InteractiveTB.stb2text(stb)

    return _Shell


_COMPILING = {"cython", "cython_inline", "cython_pyximport"}
"""Magics that compile into a folder which all engines share."""


@contextlib.contextmanager
def _alone(magic_name: str) -> Iterator[None]:
    """Let engines compile one after the other, so that all but the first find it done."""
    if magic_name not in _COMPILING:
        yield
        return
    import fcntl

    from IPython.paths import get_ipython_cache_dir

    # A lock on the folder itself leaves nothing behind.
    folder = os.open(get_ipython_cache_dir(), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def make_shell(engine: Engine) -> Any:
    """Start the shell of an engine."""
    from traitlets.config import Config

    inline = _has_inline()
    if inline:
        os.environ.setdefault("MPLBACKEND", _INLINE)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    config.InteractiveShell.autoindent = False
    kind = _shell_class()
    kind.engine = engine
    before = sys.stdout, sys.stderr, sys.displayhook, sys.excepthook
    shell = kind.instance(config=config, user_module=engine.module, user_ns=engine.namespace)
    sys.stdout, sys.stderr, sys.displayhook, sys.excepthook = before
    shell.own_transforms = _transforms(shell)
    if inline and "matplotlib" in sys.modules and os.environ["MPLBACKEND"] == _INLINE:
        import matplotlib

        matplotlib.use(_INLINE)
        shell.enable_matplotlib("inline")
    return shell


def _has_inline() -> bool:
    import importlib.util

    return importlib.util.find_spec("matplotlib_inline") is not None


def run_cell(shell: Any, code: str, silent: bool, filename: str | None) -> Cell:
    """Run a cell; raise what it raised, with the traceback that IPython makes of it."""
    from .remote import Cell

    shell.last_shown = shell.last_traceback = None
    if filename is not None:
        shell.user_ns["__file__"] = filename
    result = shell.run_cell(code, store_history=not silent, silent=silent)
    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        if shell.last_traceback is not None:
            error.__windfall_traceback__ = shell.last_traceback
        raise error
    data: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    if shell.last_shown is not None:
        data, metadata = shell.last_shown
    shell.last_shown = None
    return Cell(shell.execution_count - 1, data, metadata)
