"""A view of engines, each of which does everything."""

from __future__ import annotations

import builtins
import dis
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._cluster import parts as cut
from .._cluster import remote, ship
from .._cluster.options import Options
from .._cluster.pack import pack
from .functions import Mode, canned, namespace
from .maps import AsyncMapResult, How, mapper, sequences_of
from .record import Part
from .results import AsyncResult
from .views import View

if TYPE_CHECKING:
    from .client import Client


class DirectView(View):
    """Does everything on each of its engines; made by `client[…]`."""

    def __init__(self, client: Client, targets: Any = "all", **flags: Any) -> None:
        super().__init__(client, targets, **flags)

    def __iter__(self) -> Iterator[DirectView]:
        return (self.client[target] for target in self._engines())

    def _engines(self, targets: Any = None) -> list[int]:
        engines: list[int] = self.client._build_targets(
            self.targets if targets is None else targets
        )[1]
        return engines

    def _is_single(self, targets: Any = None) -> bool:
        return isinstance(self.targets if targets is None else targets, int)

    def _options(self, name: str) -> Options:
        return Options(label=self.label or name)

    def _really_apply(
        self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], block: bool | None = None
    ) -> Any:
        function, args, kwargs, name = self._function(f, args, kwargs)
        result = self.client.core._submit(
            function, (args, kwargs), self._options(name), self._engines()
        )
        return self._finished(self._result(self._parts(result), name, self._is_single()), block)

    def _do(
        self, function: Any, args: tuple[Any, ...], fname: str, targets: Any = None
    ) -> AsyncResult:
        """Call one of our functions on each engine."""
        result = self.client.core._submit(
            function, (args, {}), self._options(fname), self._engines(targets)
        )
        return self._result(self._parts(result), fname, self._is_single(targets))

    # Code.

    def execute(
        self, code: str, silent: bool = True, targets: Any = None, block: bool | None = None
    ) -> AsyncResult:
        """Run code as an IPython cell on each engine; waits if `block`."""
        result = self._execute((code, silent), "execute", targets)
        self._finished(result, block)
        return result

    def _execute(self, args: tuple[Any, ...], fname: str, targets: Any = None) -> AsyncResult:
        label = self._options(fname)
        found = self.client.core._submit(remote.execute, (args, {}), label, self._engines(targets))
        parts = self._parts(found, args[0])
        self.client._keep(parts)
        return self._result(parts, fname, self._is_single(targets))

    def run(
        self, filename: str | os.PathLike[str], targets: Any = None, block: bool | None = None
    ) -> AsyncResult:
        """Run a file of this machine's on each engine."""
        code = Path(filename).read_text(encoding="utf-8") + "\n"
        result = self._execute((code, True, os.fspath(filename)), "run", targets)
        self._finished(result, block)
        return result

    # Names.

    def push(
        self,
        ns: dict[str, Any],
        targets: Any = None,
        block: bool | None = None,
        track: bool | None = None,
    ) -> Any:
        """Set names on each engine."""
        if not isinstance(ns, dict):
            raise TypeError(f"`push` takes a dictionary of names, not a `{type(ns).__name__}`")
        names = {name: canned(value) for name, value in ns.items()}
        return self._finished(self._do(remote.push, (names,), "push", targets), block)

    update = push

    def pull(self, names: Any, targets: Any = None, block: bool | None = None) -> Any:
        """Fetch what a name, or each of several, stands for."""
        if not isinstance(names, (str, list, tuple, set)):
            raise TypeError(f"`pull` takes names, not a `{type(names).__name__}`")
        if not isinstance(names, str):
            names = list(names)
        return self._finished(self._do(_pull, (names,), "pull", targets), block)

    def get(self, key_s: Any) -> Any:
        """Fetch what a name, or each of several, stands for, and wait for it."""
        return self.pull(key_s, block=True)

    def __getitem__(self, key: Any) -> Any:
        return self.get(key)

    def __setitem__(self, key: str, value: Any) -> None:
        self.push({key: value}, block=True)

    def clear(self, targets: Any = None, block: bool | None = None) -> Any:
        """Forget all names on each engine."""
        return self._finished(self._do(remote.clear, (), "clear", targets), block)

    def scatter(
        self,
        key: str,
        seq: Any,
        dist: str = "b",
        flatten: bool = False,
        targets: Any = None,
        block: bool | None = None,
        track: bool | None = None,
    ) -> Any:
        """Cut a sequence and set `key` on each engine to its part."""
        engines = self._engines(targets)
        function, bodies = cut.scattered(key, seq, len(engines), (dist, flatten))
        result = self.client.core._submit_each(function, bodies, self._options("scatter"), engines)
        found = self._result(self._parts(result), "scatter", self._is_single(targets))
        return self._finished(found, block)

    def gather(
        self,
        key: str,
        dist: str = "b",
        targets: Any = None,
        block: bool | None = None,
        track: bool | None = None,
    ) -> Any:
        """Fetch the parts of a sequence and put them together again."""
        result = self.client.core._submit(
            _pull, ((key,), {}), self._options("gather"), self._engines(targets)
        )
        found = AsyncMapResult(self.client, self._parts(result), "gather", dist, gathered=True)
        self._remember(found)
        return self._finished(found, block)

    # Maps.

    def _map(self, function: Any, sequences: tuple[Any, ...], how: How) -> AsyncMapResult:
        sliced, length = sequences_of(sequences)
        engines = self._engines()
        places = [
            place
            for place in cut.places(length, len(engines), how.dist)
            if len(range(*slice(*place).indices(length)))
        ]
        shipped, before = mapper(function, how.whole)
        bodies = [
            pack(((*before, *(each[:length][slice(*place)] for each in sliced)), {}))
            for place in places
        ]
        name = self.label or ship.name_of(function)
        parts: list[Part] = []
        if places:
            result = self.client.core._submit_each(
                shipped, bodies, self._options(name), engines[: len(places)]
            )
            sizes = [len(range(*slice(*place).indices(length))) for place in places]
            parts = [Part(self.client, result, n, size) for n, size in enumerate(sizes)]
        found = AsyncMapResult(self.client, parts, name, how.dist, how.ordered)
        found._return_exceptions = how.return_exceptions
        self._remember(found)
        return found

    def imap(self, f: Any, *sequences: Any, **how: Any) -> Iterator[Any]:
        """Call a function for each element of the sequences; yield the values as they come."""
        return iter(self.map_async(f, *sequences, **how))

    # The rest.

    def sync_imports(self, local: bool = True, quiet: bool = False) -> Importer:
        """Import on the engines what is imported in a `with` block here, `as` included."""
        return Importer(self, local, quiet)

    @property
    def importer(self) -> Importer:
        """`sync_imports()`."""
        return self.sync_imports()

    def activate(self, suffix: str = "") -> None:
        """Let `%px` and its kin, with a suffix, run on this view."""
        from .._cluster.magics import activate
        from .face import Face

        activate(Face(self), suffix)

    def use_cloudpickle(self) -> AsyncResult:
        """Let functions of `__main__` take with them what they refer to."""
        Mode.by_value = True
        return self._do(_nothing, (), "use_cloudpickle")

    use_dill = use_cloudpickle

    def use_pickle(self) -> AsyncResult:
        """Let functions of `__main__` find all their global names on the engines."""
        Mode.by_value = False
        return self._do(_nothing, (), "use_pickle")

    def kill(self, targets: Any = None, block: bool = True) -> None:
        """End the engines for good."""
        self.client.shutdown(self.targets if targets is None else targets)


class BroadcastView(DirectView):
    """A `DirectView` under the name that it has for many engines."""


def _nothing() -> None:
    pass


def _pull(names: str | list[str]) -> Any:
    space = namespace()
    if isinstance(names, str):
        return eval(names, space)
    return [eval(name, space) for name in names]


def _run(statement: str) -> None:
    exec(statement, namespace())


class Importer:
    """While it is entered, imports of the block happen on the engines too."""

    def __init__(self, view: DirectView, local: bool, quiet: bool) -> None:
        self._view, self._local, self._quiet = view, local, quiet
        self._results: list[AsyncResult] = []

    def __enter__(self) -> None:
        self._code = sys._getframe(1).f_code
        self._original = builtins.__import__
        builtins.__import__ = self._import

    def __exit__(self, *_: object) -> None:
        builtins.__import__ = self._original
        for result in self._results:
            result.get()

    def _import(
        self,
        name: str,
        globals: Any = None,  # noqa: A002
        locals: Any = None,  # noqa: A002
        fromlist: Any = (),
        level: int = 0,
    ) -> types.ModuleType:
        frame = sys._getframe(1)
        if frame.f_code is self._code and not level:
            statement = _statement(frame, name, tuple(fromlist or ()))
            if not self._quiet:
                print(f"importing {_spoken(statement)} on engine(s)")
            self._results.append(self._view._do(_run, (statement,), "import"))
            if not self._local:
                return _Elsewhere(name)
        return self._original(name, globals, locals, fromlist, level)


class _Elsewhere(types.ModuleType):
    """Stands for a module that was imported on the engines only."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


def _spoken(statement: str) -> str:
    if statement.startswith("import "):
        return statement[7:]
    module, _, names = statement[5:].partition(" import ")
    return f"{names.replace(', ', ',')} from {module}"


def _statement(frame: types.FrameType, name: str, names: tuple[str, ...]) -> str:
    """Return the import statement that a frame is at, read from its code."""
    steps = [step for step in dis.get_instructions(frame.f_code) if step.offset > frame.f_lasti]
    if names == ("*",):
        return f"from {name} import *"
    if names:
        found: list[str] = []
        for step, following in zip(steps, steps[1:]):
            if len(found) == len(names):
                break
            if step.opname == "IMPORT_FROM":
                alias = following.argval
                found.append(step.argval if alias == step.argval else f"{step.argval} as {alias}")
        return f"from {name} import {', '.join(found)}"
    alias, renamed = name.partition(".")[0], False
    for step in steps:
        if step.opname.startswith("STORE_"):
            renamed = renamed or step.argval != alias
            alias = step.argval
            break
        renamed = renamed or step.opname == "IMPORT_FROM"
    return f"import {name} as {alias}" if renamed else f"import {name}"
