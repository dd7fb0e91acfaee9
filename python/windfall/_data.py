"""Turn what users hold their data in into named columns, without a copy where it can be."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ._core import Table

Column: TypeAlias = np.ndarray[Any, Any] | list[str]


def table_from(data: Any) -> Table:
    """Return the table of `data`.

    A path names a CSV or Parquet file. A mapping gives columns by name. Anything with
    the Arrow PyCapsule interface (polars, pyarrow, pandas 2.2) is read through it; older
    pandas column by column. A one-dimensional array is the column `x`; a
    two-dimensional one has the columns `x0`, `x1`, …; a structured one its fields.

    Contiguous float64 columns of native byte order are shared, all others copied.
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, (str, os.PathLike)):
        return Table.from_file(os.fspath(data))
    if isinstance(data, Mapping):
        return Table.from_columns([(str(k), column(v)) for k, v in data.items()])
    if _is_pandas(data):
        return Table.from_columns([(str(k), column(data[k])) for k in data.columns])
    if hasattr(data, "__arrow_c_stream__"):
        return Table.from_arrow(data)
    array = np.asarray(data)
    if array.dtype.names:
        return Table.from_columns([(k, column(array[k])) for k in array.dtype.names])
    if array.ndim == 1:
        return Table.from_columns([("x", column(array))])
    if array.ndim == 2:
        columns = enumerate(array.T)
        return Table.from_columns([(f"x{place}", column(v)) for place, v in columns])
    raise ValueError(
        f"data has {array.ndim} dimensions; give one column, or a table of rows and columns"
    )


def samples_table(samples: Sequence[Any], *, paired: bool) -> tuple[Table, str | None]:
    """Return the table of several samples, and the column that tells them apart.

    Paired samples become the columns `x0`, `x1`, … of one row each. Independent ones
    are stacked in the column `x`, with the labels `0`, `1`, … in the column `sample`,
    so that a formula writes `x.0`, `x.1`.
    """
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    for place, array in enumerate(arrays):
        if array.ndim != 1:
            raise ValueError(f"sample {place} has {array.ndim} dimensions; it must have 1")
    if paired or len(arrays) == 1:
        lengths = {len(array) for array in arrays}
        if len(lengths) > 1:
            raise ValueError(f"paired samples differ in length: {sorted(lengths)}")
        if len(arrays) == 1:
            return Table.from_columns([("x", column(arrays[0]))]), None
        pairs = [(f"x{place}", column(array)) for place, array in enumerate(arrays)]
        return Table.from_columns(pairs), None
    labels = [str(place) for place, array in enumerate(arrays) for _ in array]
    stacked = np.concatenate(arrays)
    return Table.from_columns([("x", stacked), ("sample", labels)]), "sample"


def reduced(packed: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    """Return how a pickled table is made again; its bytes travel out of band where they can."""
    return Table.from_packed, (packed,)


def column(values: Any) -> Column:
    """Return float64 values, or a list of text for labels."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"a column has {array.ndim} dimensions; it must have 1")
    if array.dtype.kind in "biuf":
        return np.ascontiguousarray(array, dtype=np.float64)
    if array.dtype.kind == "O" and all(_is_number(value) for value in array):
        return np.array([np.nan if v is None else v for v in array], dtype=np.float64)
    return ["" if value is None else str(value) for value in array]


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, (int, float, np.number))


def _is_pandas(data: Any) -> bool:
    return type(data).__module__.split(".")[0] == "pandas" and hasattr(data, "columns")
