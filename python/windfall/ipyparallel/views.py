"""What the views of IPython Parallel have in common."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .._cluster import results as core
from .._cluster import ship
from . import functions
from .functions import Dependency, ParallelFunction, Reference, RemoteFunction, canned
from .maps import How
from .record import Part
from .results import AsyncResult

if TYPE_CHECKING:
    from .client import Client


class View(abc.ABC):
    """Does things on some of a client's engines.

    Attributes
    ----------
    block : bool
        Whether `apply`, `map`, `push` and the like wait and return values.
    targets : int, list of int, "all" or None
        The engines.
    """

    _flag_names = ["targets", "block", "track", "label"]

    def __init__(self, client: Client, targets: Any, **flags: Any) -> None:
        self.client, self.targets = client, targets
        self.block = client.block
        self.track = False
        self.label: str | None = None
        self.history: list[str] = []
        self.set_flags(**flags)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.targets}>"

    def __len__(self) -> int:
        return len(self.client._build_targets(self.targets)[1])

    def set_flags(self, **kwargs: Any) -> View:
        """Set flags of the view, such as `block`."""
        for name, value in kwargs.items():
            if name not in self._flag_names:
                names = ", ".join(self._flag_names)
                raise KeyError(f"there is no flag `{name}`; there are {names}")
            setattr(self, name, value)
        return self

    @contextlib.contextmanager
    def temp_flags(self, **kwargs: Any) -> Iterator[View]:
        """Set flags of the view for a while."""
        before = {name: getattr(self, name, None) for name in self._flag_names}
        try:
            yield self.set_flags(**kwargs)
        finally:
            for name, value in before.items():
                setattr(self, name, value)

    # Calls.

    def _function(
        self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[ship.Shipped, tuple[Any, ...], dict[str, Any], str]:
        """Return a function as it travels, its arguments and its name."""
        args = tuple(map(canned, args))
        kwargs = {name: canned(value) for name, value in kwargs.items()}
        if isinstance(f, Reference):
            return ship.ship(functions.call), (f, *args), kwargs, f.name
        return functions.shipped(f), args, kwargs, ship.name_of(f)

    @abc.abstractmethod
    def _really_apply(
        self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], block: bool | None = None
    ) -> Any:
        """Call a function on the engines; return its result, come or to come."""

    def apply(self, f: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call `f(*args, **kwargs)` on the engines."""
        return self._really_apply(f, args, kwargs)

    def apply_async(self, f: Any, /, *args: Any, **kwargs: Any) -> AsyncResult:
        """Call `f(*args, **kwargs)` on the engines and return the result to come."""
        result: AsyncResult = self._really_apply(f, args, kwargs, block=False)
        return result

    def apply_sync(self, f: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call `f(*args, **kwargs)` on the engines and return what it returns."""
        return self._really_apply(f, args, kwargs, block=True)

    def _parts(self, result: core.AsyncResult, code: str | None = None) -> list[Part]:
        """Return the tasks of a result of the cluster, and remember their numbers."""
        return [Part(self.client, result, n, 1, code) for n in range(len(result.tasks))]

    def _result(self, parts: list[Part], fname: str, single: bool = True) -> AsyncResult:
        result = AsyncResult(self.client, parts, fname, single, self.targets)
        self._remember(result)
        return result

    def _remember(self, result: AsyncResult) -> None:
        self.client._remember(result._parts)
        remember(self.history, result.msg_ids)

    def _finished(self, result: AsyncResult, block: bool | None) -> Any:
        """Return the result to come, or what it comes to."""
        return result.get() if (self.block if block is None else block) else result

    # Maps.

    @abc.abstractmethod
    def _map(self, function: Any, sequences: tuple[Any, ...], how: How) -> AsyncResult:
        """Start a map; return its result to come."""

    def map_async(self, f: Any, *sequences: Any, **kwargs: Any) -> AsyncResult:
        """Call a function for each element of the sequences; return the result to come."""
        kwargs["block"] = False
        result: AsyncResult = self.map(f, *sequences, **kwargs)
        return result

    def map_sync(self, f: Any, *sequences: Any, **kwargs: Any) -> list[Any]:
        """Call a function for each element of the sequences; return the values."""
        kwargs["block"] = True
        values: list[Any] = self.map(f, *sequences, **kwargs)
        return values

    def map(
        self,
        f: Any,
        *sequences: Any,
        block: bool | None = None,
        return_exceptions: bool = False,
        **how: Any,
    ) -> Any:
        """Call a function for each element of the sequences.

        Parameters
        ----------
        block : bool
            Whether to wait and return the values.
        chunksize : int
            How many elements a task has (load-balanced views). Without it engines claim elements
            from an index that they share, and a task is what one engine does of them.
        ordered : bool
            Whether the values come in the order of the elements, or as they are there.
        return_exceptions : bool
            Whether an error stands in the place of its value.
        """
        result = self._map(f, sequences, How(return_exceptions=return_exceptions, **how))
        return self._finished(result, block)

    def remote(self, block: bool | None = None, **flags: Any) -> Callable[[Any], RemoteFunction]:
        """Decorate a function that is to be called on the engines."""
        return lambda function: RemoteFunction(self, function, block=block, **flags)

    def parallel(
        self, dist: str = "b", block: bool | None = None, **flags: Any
    ) -> Callable[[Any], ParallelFunction]:
        """Decorate a function whose arguments are sequences, of which each engine takes a part."""
        return lambda function: ParallelFunction(self, function, dist=dist, block=block, **flags)

    # What the client does, for these engines.

    def wait(self, jobs: Any = None, timeout: float | None = -1) -> bool:
        """Wait for results, or for all that the view has submitted."""
        return self.client.wait(self.history if jobs is None else jobs, timeout)

    def abort(self, jobs: Any = None, targets: Any = None, block: bool | None = None) -> Any:
        """Take back tasks that have not begun: those named, or all of these engines."""
        if jobs is not None:
            return self.client.abort(jobs)
        return self.client.abort(None, targets=self.targets if targets is None else targets)

    def queue_status(self, targets: Any = None, verbose: bool = False) -> dict[Any, Any]:
        """Return how many tasks each engine has in its line, and has completed."""
        return self.client.queue_status(self.targets if targets is None else targets, verbose)

    def get_result(
        self, indices_or_msg_ids: Any = -1, block: bool | None = None, owner: bool = True
    ) -> AsyncResult:
        """Return the result of tasks by number, or by place in the view's history."""
        wanted = indices_or_msg_ids
        if isinstance(wanted, int):
            wanted = self.history[wanted]
        return self.client.get_result(wanted, owner=owner, block=block)

    def shutdown(
        self, targets: Any = None, restart: bool = False, hub: bool = False, block: Any = None
    ) -> None:
        """End the engines for good."""
        self.client.shutdown(self.targets if targets is None else targets, restart, hub)

    def purge_results(self, jobs: Any = (), targets: Any = ()) -> None:
        """Forget results."""
        self.client.purge_results(jobs, targets)

    def spin(self) -> None:
        """Take what has come; it is taken without this, too."""
        self.client.core._drain()

    @property
    def results(self) -> dict[str, Any]:
        """The client's results."""
        return self.client.results

    @property
    def outstanding(self) -> set[str]:
        """The numbers of the view's tasks that have not ended."""
        return self.client.outstanding & set(self.history)

    @property
    def executor(self) -> Any:
        """A `concurrent.futures.Executor` over the engines."""
        from .executor import ViewExecutor

        return ViewExecutor(self)

    def register_joblib_backend(
        self, name: str = "ipyparallel", make_default: bool = False
    ) -> None:
        """Let joblib run on the engines, under a name."""
        from .joblib import register

        register(name, self, make_default)


HISTORY_TASKS_MAX = 100_000
"""How many tasks a history goes back."""


def remember(history: list[str], numbers: list[str]) -> None:
    """Add tasks to a history; the oldest are forgotten."""
    history += numbers
    if len(history) > 2 * HISTORY_TASKS_MAX:
        del history[:-HISTORY_TASKS_MAX]


def dependencies(after: Any, follow: Any) -> dict[str, Any]:
    """Return what tasks wait for, as options."""
    found: dict[str, Any] = {}
    rules = None
    for name, given in (("after", after), ("follow", follow)):
        if given is None or given == []:
            continue
        each = given if isinstance(given, Dependency) else Dependency(given)
        rule = each.all, each.success, each.failure
        if rules not in (None, rule):
            raise ValueError("`after` and `follow` must agree on `all`, `success` and `failure`")
        rules = rule
        found[name] = [_number(task) for task in sorted(each)]
    if rules is not None:
        found["wait_for_all"], found["on_success"], found["on_failure"] = rules
    return found


def _number(task: str) -> int:
    if not str(task).isdigit():
        raise ValueError(f"`{task}` is not a task: `AsyncResult.msg_ids` gives their numbers")
    return int(task)
