"""An engine: runs one task after the other until its controller ends."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import sys
import types
from collections.abc import Callable
from typing import Any

from .. import _core
from . import failure
from .errors import UnmetDependency
from .load import load
from .map_engine import MAP, run_part
from .output import DATA, STDERR, STDOUT, Output, Writer
from .pack import EMPTY_CALL, pack, unpack

SETTINGS = "WINDFALL_ENGINE"
"""The variable of the environment that holds an engine's settings, as JSON."""

_BARE = 0x80
_MAP = MAP[0]
_NONE = pickle.dumps(None, 5)
_EMPTY = EMPTY_CALL
_SMALL = frozenset({int, float, bool, complex})
_FRAMES = 1
"""Frames of a traceback that are this file's."""

ERROR_BYTES_MAX = 64 << 20
"""An exception with more than this does not travel; its name and traceback do."""


class Engine:
    """The state of an engine's process."""

    def __init__(self, link: Any) -> None:
        self.link = link
        self.id: int = link.engine
        self.cluster: str | None = None
        self.rank: int | None = None
        """Which rank of MPI it is, if it is one."""
        self.task: int = 0
        self.running = False
        self.module = types.ModuleType("__main__")
        self.namespace: dict[str, Any] = self.module.__dict__
        self.namespace["get_ipython"] = self.get_ipython
        self.output = Output(link)
        self.started_us = 0
        self.replaced: list[Any] = []
        """What a push took the names of: to free it may take long, so it waits for the report."""
        self._bodies: dict[bytes, bytes] = {}
        self._functions: dict[bytes, Callable[..., Any]] = {}
        self._shell: Any = None

    def function(self, name: bytes) -> Callable[..., Any]:
        """Return the function of that name, which a client has sent."""
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = load(self._bodies[name], self.namespace)
            del self._bodies[name]
        return function

    def get_ipython(self) -> Any:
        """Return the IPython shell of this engine, which begins with its first use."""
        if self._shell is None:
            from .shell import make_shell

            self._shell = make_shell(self)
        return self._shell

    def serve(self) -> None:
        """Run tasks until the controller says that it is over."""
        while True:
            try:
                if self._serve():
                    return
            except KeyboardInterrupt as error:
                # It came between the end of a task and the report of it: the report is this.
                self.running = False
                self._report(error)

    def _serve(self) -> bool:
        link, output, functions = self.link, self.output, self._functions
        following, done, now_us = link.next, link.done, _core.now_us
        loads, dumps, replaced = pickle.loads, pickle.dumps, self.replaced
        while True:
            item = following()
            if item[0] != 0:
                if item[0] == 2:
                    return True
                self._bodies[item[1]] = item[2]
                self._functions.pop(item[1], None)
                continue
            _, task, name, body, segment = item
            self.task = task
            output.begin(task)
            try:
                self.started_us = now_us()
                self.running = True
                function = functions.get(name) or self.function(name)
                if body == _EMPTY:
                    value = function()
                elif body[0] == _MAP:
                    run_part(self, function, body, segment)
                    value = None
                else:
                    args, kwargs = loads(body) if body[0] == _BARE else unpack(body, segment)
                    value = function(*args, **kwargs)
                if value is None:
                    reply, out = _NONE, None
                elif type(value) in _SMALL:
                    reply, out = dumps(value, 5), None
                else:
                    reply, out = pack(value, "the result")
                self.running = False
            except BaseException as error:
                self.running = False
                value = args = kwargs = item = segment = None
                self._report(error)
                continue
            value = args = kwargs = item = segment = None
            output.end()
            done(task, failure.OK, self.started_us, reply, out)
            if replaced:
                link.flush()
                replaced.clear()

    def _report(self, error: BaseException) -> None:
        """Report that the running task has failed."""
        status = failure.UNMET if isinstance(error, UnmetDependency) else failure.ERROR
        text = getattr(error, "__windfall_traceback__", None)
        body = failure.describe(error, _FRAMES, text)
        self.output.end()
        if len(body) > ERROR_BYTES_MAX:
            body = failure.describe(error, _FRAMES, text, alone=True)
        del error
        self.link.done(self.task, status, self.started_us, body)
        self.replaced.clear()

    def refresh_names(self) -> None:
        """Give the shell back the names that it lives by, after all were forgotten."""
        if self._shell is not None:
            self._shell.init_user_ns()

    def interrupt(self, *_: Any) -> None:
        """End the running task, if there is one, as Ctrl-C would."""
        if self.running:
            raise KeyboardInterrupt


_engine: Engine | None = None


def current() -> Engine:
    """Return the engine that this process is."""
    if _engine is None:
        raise RuntimeError("this process is not an engine")
    return _engine


def engine_id() -> int | None:
    """Return the number of the engine that this process is; None anywhere else.

    >>> windfall.engine_id() is None
    True
    """
    return None if _engine is None else _engine.id


def publish(**values: Any) -> None:
    """Tell the client something while the task runs; it finds it in the record's `data`.

    Outside of an engine this does nothing.
    """
    if _engine is not None:
        _engine.output.show(DATA, pickle.dumps(values, 5))


def main() -> None:
    """Be an engine that a controller has started."""
    live(json.loads(os.environ.pop(SETTINGS, "{}")))


def live(settings: dict[str, Any]) -> None:
    """Be an engine until its controller ends; standard input is the controller's socket."""
    global _engine
    link = _core.EngineLink()
    _engine = engine = Engine(link)
    _core.shared_engine(engine.id)
    engine.cluster, engine.rank = settings.get("cluster"), settings.get("rank")
    signal.signal(signal.SIGINT, engine.interrupt)
    _be_like_client(settings)
    sys.modules["__main__"], sys.argv = engine.module, [""]
    sys.stdout = Writer(engine.output, STDOUT)
    sys.stderr = Writer(engine.output, STDERR)
    link.ready()
    with contextlib.suppress(ConnectionError):  # the controller may be gone
        engine.serve()


def _be_like_client(settings: dict[str, Any]) -> None:
    """Find modules where the client finds them; leave a trace of a crash."""
    import faulthandler

    faulthandler.enable(2)
    for entry in reversed(settings.get("path", [])):
        if entry not in sys.path:
            sys.path.insert(0, entry)


if __name__ == "__main__":
    from windfall._cluster import engine as this

    this.main()
