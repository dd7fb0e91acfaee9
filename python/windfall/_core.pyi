"""The compiled core: tables, functions and problems behind one door."""

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Claims",
    "JOBS",
    "ClientLink",
    "EngineLink",
    "Function",
    "MapLoop",
    "Problem",
    "Rows",
    "Segment",
    "StreamBits",
    "Table",
    "__version__",
    "clusters",
    "current_item",
    "now_us",
    "run_shards",
    "serve",
    "set_current_item",
]

__version__: str
JOBS: bytes

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
    def move_to(self, seed: str, name: str, task: int) -> None: ...
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
    def pointer(address: int, with_gradient: bool, with_data: bool, owner: Any) -> Function: ...
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
        on: tuple[str, list[int] | None] | None = None,
    ) -> tuple[
        str, dict[str, Any], list[NDArray[np.float64]], dict[str, Any] | None, Rows | None
    ]: ...
    def run_task(self, task: int) -> bytes: ...
    def verify(self) -> list[tuple[str, str, bool]]: ...

@final
class Segment:
    """Memory behind a descriptor; it has no name and goes with its last user."""

    @staticmethod
    def zeros(nbytes: int) -> Segment: ...
    @staticmethod
    def of(buffers: Sequence[Any]) -> Segment: ...
    @property
    def nbytes(self) -> int: ...
    def view(self, offset: int, nbytes: int) -> memoryview: ...
    def shared(self) -> memoryview: ...
    def fileno(self) -> int: ...

@final
class ClientLink:
    """A client's end of its connection to the controller."""

    def __new__(cls, name: str, is_owner: bool = False) -> ClientLink: ...
    @property
    def client(self) -> int: ...
    def submit(
        self,
        targets: Sequence[int] | None,
        balanced: bool,
        function: bytes | None,
        body: bytes,
        segment: Segment | None = None,
        label: str = "",
        retries: int = 0,
        timeout_s: float | None = None,
        depends: str | None = None,
    ) -> int: ...
    def blob(self, name: bytes, body: bytes) -> None: ...
    def request(self, json: str) -> int: ...
    def flush(self) -> None: ...
    def poll(self, timeout_s: float | None = None) -> list[tuple[Any, ...]]: ...

@final
class EngineLink:
    """An engine's end of its connection to the controller that started it."""

    def __new__(cls) -> EngineLink: ...
    @property
    def engine(self) -> int: ...
    def ready(self) -> None: ...
    def next(self) -> tuple[Any, ...]: ...
    def done(
        self,
        task: int,
        status: int,
        started_us: int,
        body: bytes,
        segment: Segment | None = None,
    ) -> None: ...
    def output(self, task: int, stream: int, body: bytes) -> None: ...
    def part(self, task: int, body: bytes, segment: Segment | None = None) -> None: ...
    def flush(self) -> None: ...

@final
class Claims:
    """The shared index of one map, at the start of a segment."""

    ITEMS_MAX: int
    def __new__(
        cls, segment: Segment, items: int | None = None, engines: int = 1, chunk: int = 0
    ) -> Claims: ...
    @staticmethod
    def nbytes(engines: int) -> int: ...
    @property
    def done(self) -> int: ...
    def seen(self) -> list[tuple[int | None, int, int, int, int]]: ...
    def stop(self) -> None: ...
    @property
    def is_stopped(self) -> bool: ...
    @property
    def has_work(self) -> bool: ...
    def lost(self, slot: int) -> list[tuple[int, int]]: ...
    def put_back(self, ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]: ...

@final
class MapLoop:
    """What an engine needs to know of a map beside its index."""

    def __new__(
        cls,
        function: Callable[..., Any],
        sequences: Sequence[tuple[str, Any, int]],
        failed: Callable[[int, BaseException], Any],
        *,
        order: bytes | None = None,
        first: int = 0,
        starred: bool = False,
        stops_at_error: bool = True,
    ) -> MapLoop: ...
    def run(
        self,
        claims: Claims,
        slot: int,
        now_ns: int,
        report: Callable[[list[tuple[int, int]], list[Any], bytes | None, int], object],
    ) -> tuple[list[tuple[int, int]], list[Any], bytes | None, int]: ...

def current_item() -> int | None: ...
def set_current_item(item: int | None) -> int | None: ...
def serve(name: str, options: str) -> None: ...
def clusters() -> list[str]: ...
def now_us() -> int: ...
def run_shards(body: bytes, segment: Segment | None = None) -> tuple[int, bytes]: ...
