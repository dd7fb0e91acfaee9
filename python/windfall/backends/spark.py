"""Spark: orders are jobs of one task, tables are broadcast; and fits over a DataFrame's groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

from .. import __version__
from .._errors import InputError
from .base import IN_FLIGHT, Backend, other_version
from .worker import Parcel, Reply, run

ORDER = "__windfall_row__"
"""The column that keeps the order of rows while groups are brought together."""

STREAM_NAME = "windfall map"
"""The name of the streams of a map's items."""


class Spark(Backend):
    """The cores of a Spark application.

    Parameters
    ----------
    session : SparkSession or SparkContext
        Spark itself runs again what an executor had that died.
    workers : int, optional
        How many tasks run at once; Spark's default parallelism if left out.
    shared_storage : bool
        See `Backend`.
    """

    mapping = "spark"

    def __init__(
        self, session: Any, *, workers: int | None = None, shared_storage: bool = False
    ) -> None:
        try:
            context = getattr(session, "sparkContext", session)
            found = int(context.defaultParallelism)
        except Exception as error:
            raise InputError(
                f"`{session!r}` has no SparkContext, as a session of Spark Connect has none\n"
                "hint: on a classic SparkSession, or a SparkContext"
            ) from error
        self.context = context
        self.workers = found if workers is None else workers
        self.name = f"Spark ({context.master})"
        self.shared_storage = shared_storage
        self._threads: ThreadPoolExecutor | None = None

    def share(self, parcel: Parcel) -> Any:
        return self.context.broadcast(parcel)

    def unshare(self, shared: Any) -> None:
        shared.destroy()

    def submit(self, order: bytes, shared: Any, *, is_lacking: bool) -> Future[Reply]:
        # A job of one task each, from a thread each: replies come one by one.
        if self._threads is None:
            self._threads = ThreadPoolExecutor(IN_FLIGHT * self.workers, "windfall-spark")
        return self._threads.submit(self._reply, order, shared)

    def _reply(self, order: bytes, shared: Any) -> Reply:
        task = _Task(shared, __version__)
        try:
            reply: Reply = self.context.parallelize([order], 1).map(task).collect()[0]
        except Exception as error:
            # At Ctrl-C PySpark itself takes back all jobs.
            text = str(error)
            if "cancelled" in text:
                raise CancelledError(text) from error
            if "No module named 'windfall" in text:
                raise other_version(self.name, "no such module") from error
            raise
        return reply

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._threads = None

    def map(
        self,
        function: Callable[..., Any],
        *sequences: Iterable[Any],
        rng: int | None = None,
        per_task: int | None = None,
    ) -> list[Any]:
        """Call a function of Python on each item and return the results in order.

        Parameters
        ----------
        function : callable
            It travels by cloudpickle. With `rng` it is given a generator as `rng=`.
        *sequences : iterables
            Of as many arguments as the function takes.
        rng : int, optional
            A seed: item `i` draws from its own stream, the same on any number of workers.
        per_task : int, optional
            Items of a task; by default four tasks a worker.

        Examples
        --------
        >>> windfall.backends.Spark(spark).map(lambda x: x**2, range(4))  # doctest: +SKIP
        [0, 1, 4, 9]
        """
        items = list(enumerate(zip(*sequences)))
        if not items:
            return []
        tasks = 4 * self.workers if per_task is None else -(-len(items) // per_task)
        call = _Call(function, None if rng is None else str(rng))
        parts = self.context.parallelize(items, min(len(items), tasks)).mapPartitions(call)
        results: list[Any] = parts.collect()
        return results


class _Task:
    """What Spark calls with an order; it travels by its names alone."""

    def __init__(self, shared: Any, version: str) -> None:
        self.shared, self.version = shared, version

    def __call__(self, order: bytes) -> Reply:
        parcel = None if self.shared is None else Parcel(*self.shared.value)
        return run(order, parcel, self.version)


class _Call:
    """A user's function on the items of a partition."""

    def __init__(self, function: Callable[..., Any], seed: str | None) -> None:
        self.function, self.seed = function, seed

    def __call__(self, items: Iterable[tuple[int, tuple[Any, ...]]]) -> Iterator[Any]:
        import numpy as np

        from .._core import StreamBits

        bits: Any = None
        for place, arguments in items:
            if self.seed is None:
                yield self.function(*arguments)
                continue
            if bits is None:
                bits = StreamBits(self.seed, STREAM_NAME, place)
            bits.move_to(self.seed, STREAM_NAME, place)
            yield self.function(*arguments, rng=np.random.Generator(bits))


def fit_many(data: Any, model: str, *, by: str | Sequence[str], **options: Any) -> Any:
    """Fit one regression to each group of the rows of a Spark DataFrame, where they are.

    The rows of a group are brought together on one executor and fitted by
    `windfall.fit_many`; the frame never comes to the driver.

    Parameters
    ----------
    data : pyspark.sql.DataFrame
        From whatever Spark reads.
    model : str
        A formula; see `windfall.fit_many`. A text column among its terms is refused: which
        levels it has is known only where all rows are. `C(k)` is refused as well.
    by : str or sequence of str
        The columns whose values tell the groups apart.
    **options
        Those of `windfall.fit_many`, but for `workers`, `on` and `progress`.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of the local table, in no particular order of rows. It is computed when it
        is used. Each group has the numbers that the local function gives it.
    """
    from pyspark.sql import functions as F

    keys = [by] if isinstance(by, str) else list(by)
    wanted = set(options) & {"workers", "on", "progress", "names", "intercept"}
    if wanted:
        raise InputError(f"`{min(wanted)}` has no meaning on a Spark DataFrame")
    for key in keys:
        if key not in data.columns:
            raise InputError(f"`by` names `{key}`; there are {data.columns}")
    _refuse_levels(data, model, keys, options)
    fit = _Fit(model, keys, options)
    rows = data.withColumn(ORDER, F.monotonically_increasing_id())
    grouped = rows.repartition(*keys).sortWithinPartitions(ORDER)
    return grouped.mapInArrow(fit, fit.schema(data))


def _refuse_levels(data: Any, model: str, keys: list[str], options: dict[str, Any]) -> None:
    import re

    texts = {name for name, kind in data.dtypes if kind == "string"}
    texts -= {*keys, options.get("cluster")}
    named = set(re.findall(r"[A-Za-z_][A-Za-z_0-9.]*", model))
    found = sorted(texts & named)
    if found or re.search(r"\bC\s*\(", model):
        what = f"`{found[0]}`, a column of text" if found else "`C(…)`"
        raise InputError(
            f"the formula has {what}: its levels are known only where all rows are\n"
            "hint: add a column of 0 and 1 for each level, or fit locally"
        )


class _Fit:
    """The fits of the groups of a partition."""

    def __init__(self, model: str, keys: list[str], options: dict[str, Any]) -> None:
        self.model, self.keys, self.options = model, keys, options

    def schema(self, data: Any) -> Any:
        """Return the columns of the answer: those of a fit to two made-up groups."""
        from pyspark.sql import types as T

        kinds = dict(data.dtypes)
        like = {"string": T.StringType()}
        table = self._shape(kinds)
        fields = []
        for name, values in table.items():
            is_text = isinstance(values, list)
            kind = T.StringType() if is_text else T.DoubleType()
            if name in self.keys:
                kind = like.get(kinds[name], T.DoubleType())
            fields.append(T.StructField(name, kind))
        return T.StructType(fields)

    def _shape(self, kinds: dict[str, str]) -> dict[str, Any]:
        """Return the columns of the table that these options give."""
        import warnings

        import numpy as np

        rows = 40
        rng = np.random.default_rng(1)
        made: dict[str, Any] = {}
        for name, kind in kinds.items():
            made[name] = ["a"] * rows if kind == "string" else rng.uniform(0.1, 0.9, rows)
        for key in self.keys:
            made[key] = ["a"] * rows if kinds[key] == "string" else np.zeros(rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._table(made)

    def _table(self, data: Any) -> dict[str, Any]:
        from .._problems.fit_many import fit_many as local

        table = local(data, self.model, by=self.keys, workers=1, progress=False, **self.options)
        return dict(table.table or {})

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        found = list(batches)
        if not found:
            return
        rows = pa.Table.from_batches(found)
        if not rows.num_rows:
            return
        table = pa.table(self._table(rows.drop_columns([ORDER])))
        yield from table.to_batches()
