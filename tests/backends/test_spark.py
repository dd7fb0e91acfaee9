"""What Spark has beside jobs: fits over the groups of a DataFrame, and a map."""

import numpy as np
import pytest
from engines import ENGINES

import windfall
import windfall.backends


@pytest.fixture(scope="module")
def session():
    with ENGINES["spark"]() as engine:
        yield engine.on


def table(groups=23, rows=40):
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(groups), rows)
    x, z = rng.normal(size=(2, groups * rows))
    y = g * x - z + rng.normal(size=groups * rows)
    names = [f"site {place % 7}" for place in g]
    return {"g": g.astype(float), "site": names, "x": x, "z": z, "y": y}


def rows_of(columns, keys):
    names = list(columns)
    rows = zip(*(list(columns[name]) for name in names))
    return sorted((dict(zip(names, row)) for row in rows), key=lambda r: [r[k] for k in keys])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"se": "hc3", "confidence_level": 0.9},
        {"cluster": "site"},
        {"weights": "w", "ridge": 0.5},
    ],
    ids=["plain", "robust", "clusters", "weights"],
)
def test_fits_of_a_frame_are_those_of_the_local_function(session, options):
    data = table()
    data["w"] = np.abs(data["x"]) + 0.1
    here = windfall.fit_many(data, "y ~ x + log(1 + z^2)", by="g", **options)
    columns = list(data)
    frame = session.createDataFrame(
        list(zip(*(np.asarray(data[c]).tolist() for c in columns))), columns
    )
    there = windfall.backends.spark.fit_many(frame, "y ~ x + log(1 + z^2)", by="g", **options)
    assert there.columns == list(here.table)
    found = {name: [row[name] for row in there.collect()] for name in there.columns}
    keys = ["g", "term"]
    for mine, theirs in zip(rows_of(here.table, keys), rows_of(found, keys), strict=True):
        assert {k: _plain(v) for k, v in mine.items()} == {k: _plain(v) for k, v in theirs.items()}


def _plain(value):
    if isinstance(value, (float, np.floating)):
        return "nan" if np.isnan(value) else float(value)
    return value


def test_groups_by_text_and_by_several_columns(session):
    data = table()
    columns = list(data)
    rows = list(zip(*(np.asarray(data[c]).tolist() for c in columns)))
    frame = session.createDataFrame(rows, columns)
    here = windfall.fit_many(data, "y ~ x", by=["site", "g"])
    there = windfall.backends.spark.fit_many(frame, "y ~ x", by=["site", "g"]).collect()
    mine = {(r["site"], r["g"], r["term"]): r["estimate"] for r in rows_of(here.table, ["g"])}
    assert {(r["site"], r["g"], r["term"]): r["estimate"] for r in there} == mine


def test_what_a_frame_cannot_have_is_refused(session):
    data = table()
    columns = list(data)
    rows = list(zip(*(np.asarray(data[c]).tolist() for c in columns)))
    frame = session.createDataFrame(rows, columns)
    fit = windfall.backends.spark.fit_many
    with pytest.raises(windfall.InputError, match="`site`, a column of text"):
        fit(frame, "y ~ x + site", by="g")
    with pytest.raises(windfall.InputError, match="names `h`"):
        fit(frame, "y ~ x", by="h")
    with pytest.raises(windfall.InputError, match="`workers` has no meaning"):
        fit(frame, "y ~ x", by="g", workers=2)
    with pytest.raises(windfall.InputError, match="unknown column `xx`"):
        fit(frame, "y ~ xx", by="g")


def test_a_map_keeps_order_and_streams(session):
    backend = windfall.backends.Spark(session)
    assert backend.map(lambda a, b: a - b, range(50), range(50, 0, -1)) == list(range(-50, 50, 2))
    draw = lambda n, rng: float(rng.normal(size=n).sum())  # noqa: E731
    once = backend.map(draw, [3] * 20, rng=7)
    assert once == backend.map(draw, [3] * 20, rng=7, per_task=3)
    assert len(set(once)) == 20
    assert backend.map(draw, [], rng=1) == []
