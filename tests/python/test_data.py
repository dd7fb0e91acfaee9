"""Data from everywhere gives the same table, shared where the layout allows."""

import numpy as np
import pytest

import windfall
from windfall._core import Table
from windfall._data import table_from


def hashes(*data):
    return {table_from(item).hash() for item in data}


def test_every_source_gives_the_same_table(law, examples):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    polars = pytest.importorskip("polars", reason="polars is not installed")
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    records = np.rec.fromarrays(list(law.values()), names=list(law))
    sources = [
        *(law, pandas.DataFrame(law), polars.DataFrame(law), pyarrow.table(law)),
        *({k: list(v) for k, v in law.items()}, records, examples / "law_school.csv"),
    ]
    assert len(hashes(*sources)) == 1


def test_columns_are_shared_not_copied():
    values = np.arange(5.0)
    table = table_from({"x": values})
    before = table.hash()
    values[0] = 7.0
    assert table.hash() != before
    strided = np.arange(10.0)[::2]
    table = table_from({"x": strided})
    before = table.hash()
    strided[0] = 7.0
    assert table.hash() == before


def test_an_arrow_column_is_read_with_nulls_and_text():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = polars.DataFrame({"x": [1, None, 3], "g": ["a", "b", "a"], "b": [True, False, None]})
    frame = frame.with_columns(c=polars.col("g").cast(polars.Categorical))
    table = table_from(frame)
    assert table.names() == ["x", "g", "b", "c"]
    with pytest.raises(windfall.NotFiniteError, match="row 1") as caught:
        windfall.bootstrap(frame, "mean(x)")
    assert caught.value.row == 1


def test_a_two_dimensional_array_has_numbered_columns():
    array = np.arange(6.0).reshape(3, 2)
    assert table_from(array).names() == ["x0", "x1"]
    assert hashes(array) == hashes({"x0": [0, 2, 4], "x1": [1, 3, 5]})
    with pytest.raises(ValueError, match="3 dimensions"):
        table_from(np.zeros((2, 2, 2)))


def test_unequal_columns_are_refused():
    with pytest.raises(windfall.InputError, match="`y`.*2 rows.*3 rows"):
        Table.from_columns([("x", np.zeros(3)), ("y", np.zeros(2))])


def test_a_missing_file_is_named():
    with pytest.raises(OSError, match=r"nowhere\.csv"):
        windfall.bootstrap("nowhere.csv", "mean(x)")
