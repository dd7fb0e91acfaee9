"""Views: what a client does on some of its engines."""

from __future__ import annotations

import abc
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .._errors import InputError
from . import parts, remote
from .calls import Calls
from .map import MapOptions, lazily
from .map import start as start_map
from .map_result import AsyncMapResult
from .options import Options
from .results import AsyncResult
from .ship import interactive, name_of, ship

if TYPE_CHECKING:
    from .._rng import RngLike
    from .client import Client

Self = TypeVar("Self", bound="View")


class View(abc.ABC):
    """What views have in common: their client, their engines, the options of their tasks."""

    def __init__(
        self, client: Client, targets: list[int] | None, options: Options | None = None
    ) -> None:
        self.client, self._targets = client, targets
        self._options = options or Options()

    @property
    def targets(self) -> list[int]:
        """The numbers of the engines."""
        return self.client.ids if self._targets is None else list(self._targets)

    def __len__(self) -> int:
        return len(self.targets)

    def _mapping(self) -> tuple[str, list[int] | None]:
        """Return where `on=` runs the shards of a job."""
        return self.client.name, self._targets

    @abc.abstractmethod
    def options(self: Self, **changes: Any) -> Self:
        """Return a view with other options for its tasks.

        They are `retries` (of balanced views), `timeout_s`, `label`, and what the tasks wait for:
        `after`, `follow`, `wait_for_all`, `on_success`, `on_failure`, `wait_s`.
        """

    @abc.abstractmethod
    def apply(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> AsyncResult:
        """Call `function(*args, **kwargs)` on the engines; return the result to come.

        A function of a script or notebook travels with the global names that it uses; names
        that it finds neither there nor among the builtins are those of the engine's namespace.
        """

    def map(
        self,
        function: Callable[..., Any],
        /,
        *iterables: Iterable[Any],
        ordered: bool = True,
        on_error: Literal["raise", "return"] = "raise",
        chunk: int | None = None,
        timeout_s: float | None = None,
        rng: RngLike = None,
    ) -> AsyncMapResult:
        """Call `function` for each item on whichever engine is free; return the results to come.

        Several sequences go side by side, as those of the builtin `map`, until the shortest ends.
        Engines claim items from an index that they share, and take from one another what is not
        begun, so that none is idle while there is work. If the items of the last map of this
        function over as many took long, the longest begin first.

        Parameters
        ----------
        ordered : bool
            Iterate over results in the order of the items, or as they are done.
        on_error : str
            `raise`: the first exception ends the map and is raised by `get`; `return`: exceptions
            stand in the place of results.
        chunk : int, optional
            Items that an engine claims at once; without it as many as take about 2 ms.
        timeout_s : float, optional
            The longest that one item may take, in seconds: then its engine is killed and
            replaced, and the item ends with `TaskTimeout`.
        rng : seed, optional
            The seed of the tasks' streams, which `windfall.rng()` draws from in a task: a whole
            number, a NumPy `SeedSequence`, `BitGenerator` or `Generator`.

        Notes
        -----
        An engine that dies costs nothing but the time of what it had not reported: others do that
        again. An item at which two engines died ends with `EngineError`.

        Examples
        --------
        >>> with windfall.Cluster(n=2) as rc:
        ...     rc[:].map(pow, [2, 3, 4], [3, 2, 1]).get()
        [8, 9, 4]
        """
        options = MapOptions(ordered, on_error, chunk, timeout_s, rng)
        return self._map(function, iterables, options)

    def starmap(
        self, function: Callable[..., Any], iterable: Iterable[Iterable[Any]], /, **options: Any
    ) -> AsyncMapResult:
        """Call `function(*arguments)` for each item, which holds the arguments; see `map`."""
        return self._map(function, (iterable,), MapOptions(**options), starred=True)

    def imap(
        self, function: Callable[..., Any], /, *iterables: Iterable[Any], **options: Any
    ) -> Iterator[Any]:
        """Yield the results of a map whose items are taken as they are needed; see `map`.

        The iterables may be endless: no more is taken from them than keeps the engines busy.
        """
        return lazily(self.client, self.targets, function, iterables, self._limited(options))

    def _map(
        self,
        function: Callable[..., Any],
        iterables: Sequence[Iterable[Any]],
        options: MapOptions,
        starred: bool = False,
    ) -> AsyncMapResult:
        limited = self._limited(options._asdict())
        return start_map(self.client, self.targets, function, iterables, limited, starred)

    def _limited(self, options: dict[str, Any]) -> MapOptions:
        """Return the options of a map, with the view's where it has none of its own."""
        given = MapOptions(**options)
        timeout_s = self._options.timeout_s if given.timeout_s is None else given.timeout_s
        return given._replace(timeout_s=timeout_s, label=given.label or self._options.label)

    def abort(self) -> int:
        """Take back what this client has submitted and what has not begun on these engines."""
        return self.client.abort(None, self._targets)

    def interrupt(self) -> list[int]:
        """Interrupt what the engines run, as Ctrl-C would; return the engines."""
        return self.client.interrupt(self._targets)

    def signal(self, signal: int) -> list[int]:
        """Send a signal to the processes of the engines; return the engines."""
        return self.client.signal(signal, self._targets)

    def queue_status(self) -> dict[int | str, Any]:
        """Return for each engine how many tasks are queued, in its line, and completed."""
        told, targets = self.client.queue_status(), set(self.targets)
        return {key: value for key, value in told.items() if key in targets or key == "unassigned"}

    def shutdown(self) -> None:
        """Let the engines end for good, after what they run."""
        self.client.shutdown(self.targets)

    def restart(self, timeout_s: float | None = 60.0) -> None:
        """Replace the engines by fresh ones of the same numbers; what they run is lost."""
        self.client.restart(self.targets, timeout_s)


class BalancedView(View):
    """Each task runs on one engine: whichever of the view's is free first."""

    _calls: Calls | None = None
    """The function that was called last."""

    def __repr__(self) -> str:
        where = "any engine" if self._targets is None else f"one of {self._targets}"
        return f"<BalancedView {where}>"

    def options(self, **changes: Any) -> BalancedView:
        """Return a view with other options for its tasks; see `View.options`."""
        return BalancedView(self.client, self._targets, self._options.replaced(changes))

    def apply(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> AsyncResult:
        """Call `function(*args, **kwargs)` on whichever engine is free first."""
        calls = self._calls
        if calls is not None and not kwargs and calls.shipped is ship(function):
            return calls.submit(args)
        options, targets = self._options, self._targets
        if kwargs or not options.is_plain:
            return self.client._submit(function, (args, kwargs), options, targets, True)
        label = options.label or name_of(function)
        calls = self._calls = Calls(self.client, ship(function), label, (options, targets))
        return calls.submit(args)


class DirectView(View):
    """Everything is done on each of the view's engines.

    Results are lists, an element for each engine in the order of `targets`; they are single
    values if the view is of one engine, made by `client[number]`.
    """

    def __init__(
        self,
        client: Client,
        targets: list[int],
        options: Options | None = None,
        single: bool = False,
    ) -> None:
        super().__init__(client, targets, options)
        self._single = single

    def __repr__(self) -> str:
        return f"<DirectView {self.targets[0] if self._single else self.targets}>"

    def __iter__(self) -> Iterator[DirectView]:
        options = self._options
        return (DirectView(self.client, [n], options, single=True) for n in self.targets)

    def options(self, **changes: Any) -> DirectView:
        """Return a view with other options for its tasks; see `View.options`."""
        changed = self._options.replaced(changes)
        if changed.retries:
            raise InputError(
                "`retries` is for balanced views: a task of this view belongs to its engine"
                "\nhint: `client.load_balanced_view(targets).options(retries=…)`"
            )
        return DirectView(self.client, self.targets, changed, self._single)

    def apply(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> AsyncResult:
        """Call `function(*args, **kwargs)` on each engine."""
        return self._apply(function, args, kwargs)

    def _engines(self) -> list[int]:
        targets = self.targets
        if not targets:
            raise InputError("the view has no engines\nhint: `client.ids` lists those there are")
        return targets

    def _apply(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str = ""
    ) -> AsyncResult:
        targets = self._engines()
        result = self.client._submit(function, (args, kwargs), self._options, targets)
        result._single = self._single
        if name:
            result.name = name
        return result

    def apply_interactive(self, function: Any, /, *args: Any, **kwargs: Any) -> AsyncResult:
        """Call a function as if it were defined on each engine: all its globals are theirs."""
        return self._apply(interactive(function), args, kwargs, function.__name__)

    # Code.

    def execute(self, code: str, silent: bool = False) -> AsyncResult:
        """Run code as an IPython cell, magics and all, on each engine.

        The result is a `Cell`: the value of the last expression as it is shown. With `silent`
        nothing is shown and the cell is not counted.
        """
        return self._apply(remote.execute, (code, silent), {}, "execute")

    def run(self, path: str | os.PathLike[str]) -> AsyncResult:
        """Run a file of this machine's on each engine."""
        code = Path(path).read_text(encoding="utf-8")
        return self._apply(remote.execute, (code, False, os.fspath(path)), {}, "run")

    # Names.

    def push(self, names: dict[str, Any]) -> AsyncResult:
        """Set names on each engine; large arrays lie once in memory that all engines map."""
        for name in names:
            _check_name(name)
        return self._apply(remote.push, (names,), {}, "push")

    def pull(self, names: str | Sequence[str]) -> AsyncResult:
        """Fetch the value of a name, dots allowed, or a list of the values of several."""
        if isinstance(names, str):
            return self._apply(remote.pull, (names,), {}, "pull")
        return self._apply(remote.pull_all, (list(names),), {}, "pull")

    def __getitem__(self, name: str) -> Any:
        """Fetch the value of a name and wait for it."""
        return self.pull(name).get()

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a name on each engine and wait until that is done."""
        self.push({name: value}).get()

    def clear(self) -> AsyncResult:
        """Forget all names on each engine."""
        return self._apply(remote.clear, (), {}, "clear")

    def scatter(
        self, name: str, sequence: Any, dist: str = "b", *, flatten: bool = False
    ) -> AsyncResult:
        """Cut a sequence and set `name` on each engine to its part.

        Parameters
        ----------
        sequence
            A list, array, data frame, or anything that can be sliced or iterated. A large array
            is copied once, into memory that the engines map; not at all if it came from an engine
            and was not written to since. A `windfall.shared.Array`, or a NumPy view of one, stays
            where it is: what is written to it, here or on any engine, all see.
        dist : str
            `b` for blocks, `r` for round robin: element i goes to engine i modulo their number.
        flatten : bool
            Give an engine whose part is one element that element.
        """
        _check_name(name)
        targets = self._engines()
        function, bodies = parts.scattered(name, sequence, len(targets), (dist, flatten))
        result = self.client._submit_each(function, bodies, self._options, targets)
        result._single, result.name = self._single, "scatter"
        return result

    def gather(self, name: str, dist: str = "b") -> AsyncResult:
        """Fetch the parts of a sequence and put them together again."""
        result = self._apply(remote.pull, (name,), {}, "gather")
        result._finish = lambda values: parts.join(values, dist)
        return result

    def limit_threads(self, threads: int) -> AsyncResult:
        """Let the libraries of each engine use so many threads; return those that could be told.

        Libraries that are not imported yet will see it in the environment.
        """
        return self._apply(remote.limit_threads, (threads,), {}, "limit_threads")


def _check_name(name: str) -> None:
    if not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"`{name}` is not a name")
