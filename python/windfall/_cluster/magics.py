"""`%px` and its kin: cells of a notebook that run on engines."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .client import Client
from .errors import ClusterError
from .flags import Flags, flags_of, targets_of, usage
from .record import TaskRecord
from .remote import Cell
from .show import Live, Shown, can_draw, show
from .views import DirectView

if TYPE_CHECKING:
    from .results import AsyncResult

PROGRESS_AFTER_S = 2.0
"""How long cells run before progress is shown, in seconds."""

_AFTER_INTERRUPT_S = 2.0
"""How long interrupted engines may take to say so, in seconds."""

_BAR_S = 0.1


class Face(Protocol):
    """Engines, as the magics see them."""

    raises_interrupt: bool
    block: bool
    targets: Any

    @property
    def client(self) -> Client: ...
    @property
    def view(self) -> Any: ...
    @property
    def is_single(self) -> bool: ...
    def execute(self, code: str) -> tuple[Any, AsyncResult]: ...
    def cells(self, result: Any) -> list[Cell | None]: ...
    def error(self, result: Any, is_shown: bool) -> BaseException | None: ...


class ShownError(ClusterError):
    """Cells failed on engines, and all that can be said of it has been shown."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


class OwnFace:
    """Engines of Windfall's own view."""

    raises_interrupt = True

    def __init__(self, client: Client, view: DirectView | None = None) -> None:
        self.client, self.block = client, True
        self._view = view

    @property
    def view(self) -> DirectView:
        """The view; of all engines there are, unless they were chosen."""
        return self.client[:] if self._view is None else self._view

    @property
    def targets(self) -> Any:
        """The engines: a number, a list, or `all`."""
        if self._view is None:
            return "all"
        return self._view.targets[0] if self._view._single else self._view.targets

    @targets.setter
    def targets(self, targets: Any) -> None:
        self._view = None if targets == "all" else self.client.direct_view(targets)

    @property
    def is_single(self) -> bool:
        """Whether it is one engine, whose outputs carry no label."""
        return self._view is not None and self._view._single

    def execute(self, code: str) -> tuple[AsyncResult, AsyncResult]:
        """Run a cell."""
        result = self.view.execute(code)
        result.name = "%px"
        return result, result

    def cells(self, result: AsyncResult) -> list[Cell | None]:
        """Return what the last expressions came to, as far as the engines have ended."""
        if result._left:
            return [None] * len(result)
        return [each if isinstance(each, Cell) else None for each in result.outcomes()]

    def error(self, result: AsyncResult, is_shown: bool) -> BaseException | None:
        """Return the error that a result ended with; one that says less if it was shown."""
        error = result.exception()
        if error is None or not is_shown:
            return error
        count = sum(record.status != "ok" for record in result.records)
        found = ShownError(f"{count} of {len(result)} engines failed; see above")
        found.__cause__ = error
        return found


class ParallelMagics:
    """The magics over one view, under their names with a suffix."""

    def __init__(self, shell: Any, face: Face, suffix: str) -> None:
        self.shell, self.face, self.suffix = shell, face, suffix
        self.verbose, self.stream = False, True
        self.progress_after_s, self.signal = PROGRESS_AFTER_S, "SIGINT"
        self._last: tuple[Any, AsyncResult] | None = None
        self._auto: Callable[[list[str]], list[str]] | None = None

    @property
    def view(self) -> Any:
        """The view on which cells run."""
        return self.face.view

    def register(self) -> None:
        """Tell the shell of the magics."""
        add, suffix = self.shell.register_magic_function, self.suffix
        add(self.px, "line", f"px{suffix}")
        add(self.cell_px, "cell", f"px{suffix}")
        add(self.autopx, "line", f"autopx{suffix}")
        add(self.pxconfig, "line", f"pxconfig{suffix}")
        add(self.pxresult, "line", f"pxresult{suffix}")

    def px(self, line: str) -> Any:
        """Run a line of code on the engines: `%px import numpy`."""
        return self._run(line, Flags())

    px._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]

    def cell_px(self, line: str, cell: str) -> Any:
        """Run a cell on the engines; other cell magics may stand at its beginning.

        --targets 0,1 | 0 | 1::2 | all, --block, --noblock, --local (here too), -o NAME (keep the
        result), --group-outputs type|engine|order, --no-stream (show all at the end),
        --progress-after SECONDS (-1: never), --signal-on-interrupt SIGNAL, --verbose.
        """
        flags = flags_of(line)
        before = self.face.targets
        if flags.targets is not None:
            self.face.targets = targets_of(flags.targets, self.face.client.ids)
        verbose, self.verbose = self.verbose, self._or(flags.verbose, self.verbose)
        try:
            return self._run(cell, flags)
        finally:
            self.verbose = verbose
            if flags.targets is not None:
                self.face.targets = before

    @staticmethod
    def _or(asked: Any, usual: Any) -> Any:
        return usual if asked is None else asked

    def pxconfig(self, line: str) -> None:
        """Set what the magics do where nothing is said: see `%%px?` for the flags."""
        flags = flags_of(line)
        if flags.targets is not None:
            self.face.targets = targets_of(flags.targets, self.face.client.ids)
        if flags.block is not None:
            self.face.block = flags.block
        self.verbose = self._or(flags.verbose, self.verbose)
        self.stream = self._or(flags.stream, self.stream)
        self.progress_after_s = self._or(flags.progress_after_s, self.progress_after_s)
        self.signal = self._or(flags.signal, self.signal)

    def pxresult(self, line: str) -> None:
        """Show what the last `%px` has come to; `-o NAME` keeps the result."""
        flags = flags_of(line)
        if self._last is None:
            raise usage("there is no result: `%px` has not run yet")
        shown, result = self._last
        if flags.name is not None:
            self.shell.user_ns[flags.name] = shown
            return
        error = self.face.error(shown, False)
        self._show(shown, result, flags.group or "type")
        if error is not None:
            raise error

    def autopx(self, line: str = "") -> None:
        """Run every cell on the engines from now on; once more: here again."""
        transformers = self.shell.input_transformers_cleanup
        if self._auto is not None:
            transformers.remove(self._auto)
            self._auto = None
            print(f"%autopx{self.suffix} disabled")
            return
        cell, own = f"%%px{self.suffix}\n", f"%autopx{self.suffix}"

        def to_engines(lines: list[str]) -> list[str]:
            first = next((each.strip() for each in lines if each.strip()), "")
            return lines if first == own or not first else [cell, *lines]

        self._auto = to_engines
        transformers.append(to_engines)
        print(f"%autopx{self.suffix} enabled")

    # Running.

    def _run(self, code: str, flags: Flags) -> Any:
        block = self._or(flags.block, self.face.block)
        if self.verbose:
            how = "Parallel" if block else "Async parallel"
            print(f"{how} execution on engine(s): {_few(self.face.targets)}")
        shown, result = self.face.execute(code)
        self._last = shown, result
        if flags.name is not None:
            self.shell.user_ns[flags.name] = shown
        if flags.local:
            self.shell.run_cell(code)
        if not block:
            return shown
        stream = self._or(flags.stream, self.stream)
        live = Live(result, not self.face.is_single) if stream else None
        interrupt: KeyboardInterrupt | None = None
        try:
            self._wait(result, live, flags)
        except KeyboardInterrupt as pressed:
            interrupt = pressed
            self._pass_on(result, self._or(flags.signal, self.signal))
        self._show_end(shown, result, live, flags)
        if interrupt is not None and self.face.raises_interrupt:
            raise interrupt
        if interrupt is None and (error := self.face.error(shown, bool(live and live.errors))):
            raise error
        return None

    def _show_end(self, shown: Any, result: AsyncResult, live: Live | None, flags: Flags) -> None:
        if live is None:
            self._show(shown, result, flags.group or "type")
            return
        live.flush()
        cells = self.face.cells(shown)
        show([_shown(result, n, cell, True) for n, cell in enumerate(cells)], labelled=False)

    def _show(self, shown: Any, result: AsyncResult, group: str) -> None:
        cells = self.face.cells(shown)
        tasks = [_shown(result, n, cell) for n, cell in enumerate(cells)]
        show(tasks, group, not self.face.is_single)

    def _wait(self, result: AsyncResult, live: Live | None, flags: Flags) -> None:
        """Wait until the cells have ended; show what they print, and progress if it takes long."""
        client, after_s = self.face.client, self._or(flags.progress_after_s, self.progress_after_s)
        started, bar_drawn = time.monotonic(), False
        if live is not None:
            result._watchers = [*(result._watchers or ()), live.watch]
        try:
            while result._left:
                step_s = None if after_s < 0 else max(_BAR_S, after_s + started - time.monotonic())
                client._wait(result if live is None else live, step_s)
                if live is not None:
                    live.flush()
                if result._left and 0 <= after_s <= time.monotonic() - started and can_draw():
                    _draw(result)
                    bar_drawn = True
        finally:
            if bar_drawn:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            if live is not None:
                result._watchers = None

    def _pass_on(self, result: AsyncResult, name: str) -> None:
        """Send the signal that came here to the engines that run the cell."""
        print(f"Received Keyboard Interrupt. Sending signal {name} to engines...", file=sys.stderr)
        number = int(name) if str(name).isdigit() else int(getattr(signal, str(name)))
        client = self.face.client
        if number == signal.SIGINT:
            client._cancel(result)
        elif number:
            engines = [record.engine for record in result.records if record.status == "pending"]
            client.signal(number, [engine for engine in engines if engine is not None])
        if number:
            with contextlib.suppress(KeyboardInterrupt):
                client._wait(result, _AFTER_INTERRUPT_S)


def _few(targets: Any) -> str:
    if isinstance(targets, list) and len(targets) > 10:
        return f"{str(targets[:4])[:-1]}, ..., {str(targets[-4:])[1:]}"
    return str(targets)


def _shown(result: AsyncResult, place: int, cell: Any, result_only: bool = False) -> Shown:
    record = TaskRecord(result, place)
    if result_only:
        return Shown(record.engine, "", "", [], cell)
    return Shown(record.engine, record.stdout, record.stderr, record.outputs, cell)


def _draw(result: AsyncResult) -> None:
    done = len(result) - result._left
    print(f"\r%px: {done} of {len(result)} engines", end="", file=sys.stderr, flush=True)


_active: dict[str, ParallelMagics] = {}


def activate(face: Face, suffix: str = "") -> ParallelMagics:
    """Let `%px` and its kin, with a suffix, run on these engines."""
    from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]

    shell = get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
    if shell is None:
        raise ClusterError("magics are for IPython, and this is not IPython")
    magics = ParallelMagics(shell, face, suffix)
    magics.register()
    before = _active.get(suffix)
    if before is not None and before._auto is not None:
        with contextlib.suppress(ValueError):
            shell.input_transformers_cleanup.remove(before._auto)
    _active[suffix] = magics
    return magics


def is_free(client: Client) -> bool:
    """Whether `%px` is still to be had: there is IPython, and no other cluster has it."""
    from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]

    if get_ipython() is None:  # type: ignore[no-untyped-call,unused-ignore]
        return False
    holder = _active.get("")
    if holder is None or holder.face.client.name == client.name:
        return True
    return holder.face.client._lost is not None or not _is_client_alive(holder.face.client)


def _is_client_alive(client: Client) -> bool:
    client._drain()
    return client._lost is None


def activate_once(client: Client) -> None:
    """Have `%px` run on all engines of a client, if it is still to be had."""
    if is_free(client):
        activate(OwnFace(client))


def load(shell: Any) -> None:
    """Do what `%load_ext windfall` does: `%px` runs on the default cluster, if there is one."""
    try:
        client = Client()
    except ClusterError:
        print("%px will run on the first cluster that is made: `rc = windfall.Cluster(n=4)`")
        return
    activate(OwnFace(client))
