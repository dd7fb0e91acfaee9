"""What Spark has beside jobs: fits over the groups of a DataFrame, and a map."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import windfall
import windfall.backends

COMMAND = Path(__file__).resolve().parents[2] / "target/release/windfall"


pytestmark = pytest.mark.parametrize("engine", ["spark"], indirect=True)


@pytest.fixture
def session(engine):
    return engine.on


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


def test_a_failing_item_of_a_map_is_named_with_its_seed(session):
    def fails(i, rng):
        return 1 // (77 - i)

    with pytest.raises(windfall.TaskError, match=r"task 77 failed \(seed 7, Spark") as caught:
        windfall.backends.Spark(session).map(fails, range(100), rng=7)
    error = caught.value
    assert error.tasks == (77, 78) and error.seed == 7 and "process" in error.worker
    assert "ZeroDivisionError" in error.trace and "return 1 // (77 - i)" in error.trace
    assert "item 77 of the map:" in str(error) and "fails(77)" in str(error)
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert windfall.backends.Spark(session).map(abs, [-1]) == [1]


def refused_by_spark(session, there):
    with pytest.raises(windfall.UnsupportedError, match=there) as caught:
        windfall.backends.Spark(session).map(lambda x: x, range(4))
    assert "pip install windfall==" in caught.value.hint
    rows = [(g, float(x)) for g in range(2) for x in range(9)]
    frame = session.createDataFrame(rows, ["g", "x"])
    fits = windfall.backends.spark.fit_many(frame, "x ~ 1", by="g")
    with pytest.raises(Exception, match=f"(?s)has windfall {there}.*pip install windfall=="):
        fits.collect()


def test_another_version_is_refused_by_map_and_fits(session, monkeypatch):
    monkeypatch.setattr("windfall.backends.spark.version", lambda: "0.0.1")
    refused_by_spark(session, windfall.__version__)


@pytest.fixture
def wide(tmp_path):
    """A table on disk, as Parquet and as CSV: more than may come to the driver."""
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(6)
    group, (x, y) = rng.integers(50, size=200_000), rng.normal(size=(2, 200_000))
    rows = pyarrow.table({"g": group.astype(float), "x": x, "y": x + y})
    pyarrow.parquet.write_table(rows, tmp_path / "wide.parquet")
    pyarrow.csv.write_csv(rows, tmp_path / "wide.csv")
    return tmp_path


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_files_are_fitted_where_spark_reads_them(session, wide, kind):
    import pyarrow.parquet

    if kind == "csv":
        frame = session.read.csv(str(wide / "wide.csv"), header=True, inferSchema=True)
    else:
        frame = session.read.parquet(str(wide / "wide.parquet"))
    fits = windfall.backends.spark.fit_many(frame, "y ~ x", by="g")
    fits.write.parquet(str(wide / f"fits of {kind}"))
    with pytest.raises(Exception, match="maxResultSize"):
        frame.collect()
    found = pyarrow.parquet.read_table(wide / f"fits of {kind}").to_pydict()
    here = windfall.fit_many(wide / f"wide.{kind}", "y ~ x", by="g").table
    mine, theirs = (rows_of(columns, ["g", "term"]) for columns in (here, found))
    assert len(theirs) == 100
    assert [{k: _plain(v) for k, v in row.items()} for row in mine] == theirs


def test_partials_of_more_than_the_driver_takes_at_once_come_in_parts(session):
    # 64 MB of resamples, where a job of Spark's may give 4.
    job = dict(rng=3, n_resamples=8_000_000, method="percentile")
    x = np.random.default_rng(7).normal(size=10)
    there = windfall.bootstrap({"x": x}, "mean(x)", on=session, **job)
    assert there.to_json() == windfall.bootstrap({"x": x}, "mean(x)", **job).to_json()


def test_shards_through_a_pipe_are_those_of_home(session, tmp_path):
    if not COMMAND.exists():
        pytest.skip("the command is not built: cargo build --release")

    def command(*words):
        return subprocess.run(
            [COMMAND, *map(str, words)], capture_output=True, text=True, check=True, timeout=60
        ).stdout

    def answer(*words):
        return {**json.loads(command(*words, "--json", "--quiet")), "run": None}

    values = np.random.default_rng(8).normal(size=500)
    (tmp_path / "law.csv").write_text("".join(f"{line}\n" for line in ["x", *values]))
    job = tmp_path / "job.toml"
    job.write_text(
        "problem = 'bootstrap'\ndata = 'law.csv'\nstatistic = 'median(x)'\n"
        "resamples = 200000\nseed = 4\n"
    )
    shards = int(command("shard", job, "--count"))
    numbers = session.sparkContext.parallelize(range(shards), min(shards, 4))
    pipe = f"{COMMAND} shard {job} - --workers 1"
    numbers.pipe(pipe, checkCode=True).saveAsTextFile(str(tmp_path / "partials"))
    parts = sorted((tmp_path / "partials").glob("part-*"))
    assert len(parts) > 1 and shards >= len(parts)
    assert answer("merge", job, *parts) == answer("run", job)
