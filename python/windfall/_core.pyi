"""The compiled core: tables, functions and problems behind one door."""

from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Function", "Problem", "Table", "__version__"]

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
    def hash(self) -> str: ...

@final
class Function:
    """A user's function: compiled code or Python."""

    @staticmethod
    def pointer(address: int, with_gradient: bool, with_data: bool, owner: Any) -> Function: ...
    @staticmethod
    def low_level(callable: Any) -> Function: ...
    @staticmethod
    def python(callable: Any, vectorised: bool, outputs: int = 1) -> Function: ...

@final
class Problem:
    """A problem, checked and ready to solve."""

    def __new__(
        cls, job: str, table: Table | None = None, function: Function | None = None
    ) -> Problem: ...
    @staticmethod
    def from_file(path: str) -> Problem: ...
    def name(self) -> str: ...
    def job(self) -> str | None: ...
    def solve(
        self,
        workers: int | None = None,
        tick: Callable[
            [int, int, float | None, float | None, float, list[tuple[int, int, int, str]]], None
        ]
        | None = None,
    ) -> tuple[str, dict[str, Any], list[NDArray[np.float64]], dict[str, Any] | None]: ...
    def verify(self) -> list[tuple[str, str, bool]]: ...
