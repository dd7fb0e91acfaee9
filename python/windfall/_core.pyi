"""The compiled core: tables, functions and problems behind one door."""

from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Function", "Problem", "Rows", "StreamBits", "Table", "__version__"]

__version__: str

@final
class Table:
    """Named columns of numbers or labels."""

    @staticmethod
    def from_columns(
        columns: list[tuple[str, np.ndarray[Any, Any] | list[str]]],
    ) -> Table: ...
    @staticmethod
    def from_arrow(data: Any) -> Table: ...
    @staticmethod
    def from_file(path: str) -> Table: ...
    def write(self, path: str) -> None: ...
    def names(self) -> list[str]: ...
    def rows(self) -> int: ...
    def columns(self) -> dict[str, Any]: ...
    def stream_names(self) -> list[str]: ...
    def hash(self) -> str: ...

@final
class StreamBits:
    """The stream of one task, as a bit generator for `numpy.random.Generator`."""

    def __new__(cls, seed: str, name: str, task: int) -> StreamBits: ...
    @property
    def capsule(self) -> Any: ...
    @property
    def lock(self) -> Any: ...
    def random_raw(self, size: int | None = None) -> Any: ...
    def spawn(self, n_children: int) -> list[StreamBits]: ...

@final
class Function:
    """A user's function: compiled code or Python."""

    @staticmethod
    def pointer(address: int, with_data: bool, owner: Any) -> Function: ...
    @staticmethod
    def low_level(callable: Any) -> Function: ...
    @staticmethod
    def python(callable: Any, vectorised: bool, outputs: int = 1) -> Function: ...

@final
class Rows:
    """An answer with its table."""

    def names(self) -> list[str]: ...
    def rows(self) -> int: ...
    def column(self, name: str) -> NDArray[np.float64] | list[str]: ...
    def json(self) -> str: ...

@final
class Problem:
    """A problem, checked and ready to solve."""

    def __new__(
        cls,
        job: str,
        table: Table | None = None,
        function: Function | None = None,
        kept: Table | None = None,
    ) -> Problem: ...
    @staticmethod
    def from_file(path: str) -> Problem: ...
    @staticmethod
    def fits(
        job: str,
        arrays: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None],
        shape: tuple[int, int],
        terms: tuple[list[str], bool],
    ) -> Problem: ...
    def name(self) -> str: ...
    def job(self) -> str | None: ...
    def solve(
        self,
        workers: int | None = None,
        tick: Callable[
            [int, int, float | None, float | None, float, list[tuple[int, int, int, str]]], None
        ]
        | None = None,
    ) -> tuple[
        str, dict[str, Any], list[NDArray[np.float64]], dict[str, Any] | None, Rows | None
    ]: ...
    def run_task(self, task: int) -> bytes: ...
    def verify(self) -> list[tuple[str, str, bool]]: ...
