"""Spark: orders are jobs of one task, tables are broadcast; and fits over a DataFrame's groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

from .._errors import InputError, TaskError
from .base import IN_FLIGHT, NONE_THERE, REPLY_BYTES_MAX, Backend, other_version
from .worker import Parcel, Reply, here, run, version

ORDER = "__windfall_row__"
"""The column that keeps the order of rows while groups are brought together."""

STREAM_NAME = "windfall map"
"""The name of the streams of a map's items."""

ITEM_FAILED = "an item of windfall's map failed:"
"""What stands before the packed failure of an item in Spark's text of an error."""


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
            raise InputError.with_hint(
                f"`{session!r}` has no SparkContext, as a session of Spark Connect has none",
                "on a classic SparkSession, or a SparkContext",
            ) from error
        self.context = context
        self.workers = found if workers is None else workers
        self.name = f"Spark ({context.master})"
        self.shared_storage = shared_storage
        self.reply_bytes_max = _reply_bytes_max(context)
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
        task = _there("run_order", shared)
        try:
            reply: Reply = self.context.parallelize([order], 1).map(task).collect()[0]
        except Exception as error:
            # At Ctrl-C PySpark itself takes back all jobs.
            if "cancelled" in str(error):
                raise CancelledError(str(error)) from error
            self._refuse_other(error)
            raise
        return reply

    def _refuse_other(self, error: Exception) -> None:
        """Raise if Spark's error is that of `_there`."""
        found = re.search(r"has windfall (.+?), this process", str(error))
        if found is not None:
            raise other_version(self.name, found[1]) from error

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

        Raises
        ------
        TaskError
            If the function does: with the item, its arguments, the seed and the trace there. The
            cause is the exception itself.
        UnsupportedError
            If the workers have another Windfall, or none.

        Examples
        --------
        >>> windfall.backends.Spark(spark).map(lambda x: x**2, range(4))  # doctest: +SKIP
        [0, 1, 4, 9]
        """
        items = list(enumerate(zip(*sequences)))
        if not items:
            return []
        tasks = 4 * self.workers if per_task is None else -(-len(items) // per_task)
        call = _there("call_items", function, None if rng is None else str(rng))
        parts = self.context.parallelize(items, min(len(items), tasks)).mapPartitions(call)
        try:
            results: list[Any] = parts.collect()
        except Exception as error:
            self._refuse_other(error)
            self._name_item(error, rng)
            raise
        return results

    def _name_item(self, error: Exception, seed: int | None) -> None:
        """Raise if Spark's error is the failure of an item."""
        import base64
        import pickle

        from .._cluster.failure import remote_error

        found = re.search(f"{ITEM_FAILED} ([A-Za-z0-9+/=]+)", str(error))
        if found is None:
            return
        item, call, worker, packed = pickle.loads(base64.b64decode(found[1]))
        told = remote_error(packed, None, -1, 0)
        failed = TaskError(
            f"task {item} failed (seed {seed}, {self.name}, {worker}): {told.ename}: {told.evalue}"
            f"\n{told.traceback.rstrip()}\nitem {item} of the map: {call}"
        )
        failed.tasks, failed.seed = (item, item + 1), seed
        failed.worker, failed.trace = f"{self.name}, {worker}", told.traceback
        raise failed from told.__cause__


def _reply_bytes_max(context: Any) -> int:
    """Return how large a reply may be: half of what a job may give to Spark's driver."""
    told = context.getConf().get("spark.driver.maxResultSize", "1g")
    allowed = int(context._jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(told))
    # 0 stands for no limit.
    return min(REPLY_BYTES_MAX, allowed // 2) or REPLY_BYTES_MAX


def _there(work: str, *given: Any) -> Callable[[Any], Any]:
    """Return a function of this module as Spark gets it, with its last arguments.

    It travels by value, so that it can speak where Windfall is missing, or is another one.
    """
    needed = version()
    refusal = other_version("Spark", "<another>").args[0]

    def checked(what: Any) -> Any:
        try:
            from windfall.backends import spark, worker

            found = worker.version()
        except ImportError:
            found = NONE_THERE
        if found != needed:
            raise RuntimeError(refusal.replace("<another>", found))
        return getattr(spark, work)(what, *given)

    return checked


def run_order(order: bytes, shared: Any) -> Reply:
    """Run an order in a worker of Spark."""
    parcel = None if shared is None else Parcel(*shared.value)
    return run(order, parcel, version())


def call_items(
    items: Iterable[tuple[int, tuple[Any, ...]]], function: Callable[..., Any], seed: str | None
) -> Iterator[Any]:
    """Call a user's function on the items of a partition."""
    import numpy as np

    from .._core import StreamBits

    bits: Any = None
    for item, arguments in items:
        more = {}
        if seed is not None:
            bits = bits or StreamBits(seed, STREAM_NAME, item)
            bits.move_to(seed, STREAM_NAME, item)
            more["rng"] = np.random.Generator(bits)
        try:
            result = function(*arguments, **more)
        except Exception as error:
            raise RuntimeError(_told(item, function, arguments, error)) from None
        yield result


def _told(item: int, function: Callable[..., Any], arguments: Any, error: Exception) -> str:
    """Return the failure of an item as text, which is all that Spark brings back of it."""
    import base64
    import pickle

    from .._cluster.failure import describe
    from .._cluster.map_engine import short

    label = getattr(function, "__qualname__", None) or type(function).__qualname__
    call = f"{label}({', '.join(map(short, arguments))})"
    packed = pickle.dumps((item, call, here(), describe(error, 1)))
    return f"{ITEM_FAILED} {base64.b64encode(packed).decode()}"


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
        is used; workers with another Windfall, or none, are an error then. Each group has the
        numbers that the local function gives to its rows in the order in which Spark has them:
        of one file, as they lie in it.
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
    schema = _Fit(model, keys, options).schema(data)
    rows = data.withColumn(ORDER, F.monotonically_increasing_id())
    grouped = rows.repartition(*keys).sortWithinPartitions(ORDER)
    return grouped.mapInArrow(_there("fit_groups", model, keys, options), schema)


def fit_groups(
    batches: Iterable[Any], model: str, keys: list[str], options: dict[str, Any]
) -> Iterator[Any]:
    """Fit the groups of a partition."""
    return _Fit(model, keys, options)(batches)


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
