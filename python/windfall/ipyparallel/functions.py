"""Functions and what goes with them: decorators, references, dependencies."""

from __future__ import annotations

import functools
import importlib
import sys
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from .._cluster import engine, ship
from .._cluster.load import load
from .error import UnmetDependency

Function = Callable[..., Any]

_codes: weakref.WeakKeyDictionary[types.FunctionType, tuple[types.CodeType, ship.Shipped]]
_codes = weakref.WeakKeyDictionary()


class Mode:
    """How functions of `__main__` travel: by their code alone, or with what they refer to."""

    by_value = False


def shipped(function: Function) -> ship.Shipped:
    """Return a function as it travels.

    One of `__main__` is its code alone: every global name is looked up on the engine, in its
    namespace. After `use_cloudpickle()` what it refers to travels with it.
    """
    if Mode.by_value or not isinstance(function, types.FunctionType) or not _is_main(function):
        return ship.ship(function)
    known = _codes.get(function)
    if known is not None and known[0] is function.__code__:
        return known[1]
    found = ship.interactive(function)
    if not (function.__closure__ or function.__defaults__ or function.__kwdefaults__):
        _codes[function] = function.__code__, found
    return found


def _is_main(function: Any) -> bool:
    return isinstance(function, types.FunctionType) and function.__module__ == "__main__"


def interactive(function: Any) -> Any:
    """Let a function be as if it were defined in `__main__`: its global names are the engine's."""
    if isinstance(function, types.FunctionType):
        main = sys.modules["__main__"].__dict__
        bare = types.FunctionType(
            function.__code__,
            main,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        bare.__kwdefaults__, bare.__doc__ = function.__kwdefaults__, function.__doc__
        bare.__qualname__ = function.__qualname__
        bare.__dict__.update(function.__dict__)
        function = bare
    function.__module__ = "__main__"
    return function


class Canned:
    """A function among arguments: it becomes a function of the engine's namespace there."""

    def __init__(self, function: types.FunctionType) -> None:
        self.function = function

    def __reduce__(self) -> tuple[Function, tuple[bytes]]:
        return _uncanned, (shipped(self.function).body,)


def _uncanned(body: bytes) -> Any:
    return load(body, namespace())


def namespace() -> dict[str, Any]:
    """Return the namespace in which the names of a task are looked up."""
    if engine.engine_id() is None:
        return sys.modules["__main__"].__dict__
    return engine.current().namespace


def canned(value: Any) -> Any:
    """Return an argument as it is to travel."""
    return Canned(value) if _is_main(value) and not Mode.by_value else value


class Reference:
    """A name, or any expression, that is looked up on the engine which receives it."""

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"`{name!r}` is not a string")
        self.name = name

    def __repr__(self) -> str:
        return f"<Reference: {self.name!r}>"

    def __reduce__(self) -> tuple[Function, tuple[str]]:
        return _looked_up, (self.name,)


def _looked_up(name: str) -> Any:
    if engine.engine_id() is None:
        return Reference(name)
    return eval(name, namespace())


def call(function: Function, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function that is only known on the engine."""
    return function(*args, **kwargs)


class dependent:  # noqa: N801
    """A function that runs only where a condition holds; elsewhere it is tried on."""

    def __init__(
        self,
        _wrapped_f: Function,
        _wrapped_df: Function,
        /,
        *dargs: Any,
        **dkwargs: Any,
    ) -> None:
        self.f, self.df, self.dargs, self.dkwargs = _wrapped_f, _wrapped_df, dargs, dkwargs
        self.__name__ = getattr(_wrapped_f, "__name__", "f")
        self.__doc__ = getattr(_wrapped_f, "__doc__", None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.df(*self.dargs, **self.dkwargs) is False:
            raise UnmetDependency(f"the condition of `{self.__name__}` does not hold here")
        return self.f(*args, **kwargs)

    def __reduce__(self) -> tuple[Function, tuple[Any, ...]]:
        args = tuple(map(canned, self.dargs))
        kwargs = {name: canned(value) for name, value in self.dkwargs.items()}
        return _dependent, (canned(self.f), canned(self.df), args, kwargs)


def _dependent(
    function: Function, condition: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dependent:
    return dependent(function, condition, *args, **kwargs)


class depend:  # noqa: N801
    """Decorate a function that may run only where `condition(*args, **kwargs)` is not False."""

    def __init__(self, _wrapped_f: Function, /, *args: Any, **kwargs: Any) -> None:
        self.f, self.args, self.kwargs = _wrapped_f, args, kwargs

    def __call__(self, function: Function) -> dependent:
        return dependent(function, self.f, *self.args, **self.kwargs)


def require(*objects: Any, **mapping: Any) -> Function:
    """Decorate a function that needs modules, functions or other objects by their names."""
    names: list[str] = []
    for each in objects:
        if isinstance(each, types.ModuleType):
            names.append(each.__name__)
        elif isinstance(each, str):
            names.append(each)
        elif hasattr(each, "__name__"):
            mapping[each.__name__] = each
        else:
            raise TypeError(f"`{each!r}` has no name; give it one: `require(name=…)`")
    for name in names:
        importlib.import_module(name)
    return depend(_require, *names, **mapping)


def _require(*names: str, **mapping: Any) -> bool:
    space = namespace()
    for name in names:
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            raise UnmetDependency(f"`{name}` cannot be imported: {error}") from error
        top = name.partition(".")[0]
        space[top] = sys.modules.get(top, module)
    space.update(mapping)
    return True


class Dependency(set[Any]):
    """Tasks that others wait for, by their numbers or results.

    Parameters
    ----------
    dependencies
        A task or several: results, or numbers as `AsyncResult.msg_ids` gives them.
    all : bool
        Whether all must have ended, or any.
    success, failure : bool
        Whether tasks that succeeded, or failed, count.
    """

    def __init__(
        self,
        dependencies: Any = (),
        all: bool = True,  # noqa: A002
        success: bool = True,
        failure: bool = False,
    ) -> None:
        if not (success or failure):
            raise ValueError("a dependency needs `success` or `failure`, else it is never met")
        super().__init__(ids_of(dependencies))
        self.all, self.success, self.failure = all, success, failure

    def _met(self, completed: set[Any], failed: set[Any]) -> set[Any]:
        return (completed if self.success else set()) | (failed if self.failure else set())

    def check(self, completed: Iterable[Any], failed: Iterable[Any] = ()) -> bool:
        """Whether it is met once these tasks have succeeded and failed."""
        found = self & self._met(set(completed), set(failed))
        return not self or (found == self if self.all else bool(found))

    def unreachable(self, completed: Iterable[Any], failed: Iterable[Any] = ()) -> bool:
        """Whether it can never be met once these tasks have succeeded and failed."""
        ended = (set() if self.success else set(completed)) | (
            set() if self.failure else set(failed)
        )
        lost = self & ended
        return bool(self) and (bool(lost) if self.all else lost == self)

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dictionary."""
        return {
            "dependencies": sorted(self),
            "all": self.all,
            "success": self.success,
            "failure": self.failure,
        }


def ids_of(tasks: Any) -> list[str]:
    """Return the numbers of tasks that are given as results, numbers, or a mixture."""
    if tasks is None:
        return []
    if isinstance(tasks, (str, int)):
        return [str(tasks)]
    own = getattr(tasks, "msg_ids", None)
    if own is not None:
        return list(own)
    return [number for each in tasks for number in ids_of(each)]


class RemoteFunction:
    """A function that is called on the engines of a view."""

    def __init__(self, view: Any, f: Any, block: bool | None = None, **flags: Any) -> None:
        self.view, self.func, self.block, self.flags = view, f, block, flags
        if not isinstance(f, Reference):
            functools.update_wrapper(self, f)
        doc = getattr(f, "__doc__", None) or ""
        self.__doc__ = f"{type(self).__name__} wrapping:\n{doc}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        block = self.view.block if self.block is None else self.block
        with self.view.temp_flags(block=block, **self.flags):
            return self.view.apply(self.func, *args, **kwargs)


class ParallelFunction(RemoteFunction):
    """A function whose arguments are sequences, of which each engine takes a part.

    Parameters
    ----------
    **how
        `dist`, `chunksize`, `ordered`, `return_exceptions`: see `View.map`; other flags are the
        view's.
    """

    def __init__(self, view: Any, f: Any, block: bool | None = None, **how: Any) -> None:
        from .maps import How

        self.how = How(**{name: how.pop(name) for name in How._fields if name in how})
        super().__init__(view, f, block, **how)

    def _mapped(self, sequences: tuple[Any, ...], whole: bool) -> Any:
        block = self.view.block if self.block is None else self.block
        with self.view.temp_flags(**self.flags):
            result = self.view._map(self.func, sequences, self.how._replace(whole=whole))
        return result.get() if block else result

    def __call__(self, *sequences: Any) -> Any:
        return self._mapped(sequences, whole=True)

    def map(self, *sequences: Any) -> Any:
        """Call the function for each element of the sequences."""
        return self._mapped(sequences, whole=False)


def remote(view: Any, block: bool | None = None, **flags: Any) -> Function:
    """Decorate a function that is to be called on the engines of a view."""
    return lambda function: RemoteFunction(view, function, block=block, **flags)


def parallel(view: Any, dist: str = "b", block: bool | None = None, **how: Any) -> Function:
    """Decorate a function whose arguments are sequences, of which each engine takes a part."""
    return lambda function: ParallelFunction(view, function, dist=dist, block=block, **how)
