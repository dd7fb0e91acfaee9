"""What `--out` and `--plot` of the shell write: the numbers that Python has."""

import csv
import json
import subprocess
import warnings

import numpy as np
import pytest
from test_docs import command_path

import windfall

CHAINS = ["--with", "sd=1,10", "--chains", "2", "--warmup", "50", "-n", "6"]
MOUSE = ["-s", "mean_difference(survival)", "-s", "welch_t(survival)", "--groups", "group"]


@pytest.fixture
def shell(tmp_path):
    """Run the command; return its answer and the rows that it wrote."""
    command = command_path()
    if command is None:
        pytest.skip("the windfall command is not built; run `cargo build --release`")

    def run(*arguments, ending="csv"):
        out = tmp_path / f"out.{ending}"
        fixed = ["--seed", "7", "--json", "--out", out]
        done = subprocess.run(
            [command, *arguments, *fixed], capture_output=True, text=True, check=True
        )
        if ending == "parquet":
            parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
            return json.loads(done.stdout), parquet.read_table(out).to_pydict()
        with open(out) as file:
            header, *rows = csv.reader(file)
        return json.loads(done.stdout), dict(zip(header, map(list, zip(*rows))))

    return run


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_draws_of_chains(shell, ending):
    _, columns = shell("sample", "-m", "gaussian", *CHAINS, ending=ending)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", windfall.ConvergenceWarning)
        ours = windfall.sample("gaussian", sd=[1, 10], chains=2, warmup=50, draws=6, rng=7)
    for place, name in enumerate(ours.names):
        written = np.array(columns[name], dtype=float)
        assert np.array_equal(written, ours.draws[:, :, place].ravel())
    assert [int(float(chain)) for chain in columns["chain"]] == [0] * 6 + [1] * 6
    assert [int(float(draw)) for draw in columns["draw"]] == [*range(6)] * 2
    density = np.array(columns["log_density"], dtype=float)
    assert np.array_equal(density, ours.chain_stats["log_density"].ravel())


def test_values_of_permutations(shell, examples):
    data = examples / "mouse.csv"
    _, columns = shell("permutation", str(data), *MOUSE, "-n", "50")
    ours = windfall.permutation_test(
        data, MOUSE[1:4:2], groups="group", n_resamples=50, rng=7, distribution=True
    )
    assert list(columns) == MOUSE[1:4:2]
    for written, values in zip(columns.values(), ours.null_distribution):
        assert [float(value) for value in written] == values.tolist()


def test_points_of_a_power_curve(shell):
    _, columns = shell("power", "t-test", "--effect", "0.5", "-n", "10,20", "-s", "1000")
    ours = windfall.power("t-test", effect=0.5, n=[10, 20], n_simulations=1000, rng=7)
    assert list(columns) == ["n", "effect", "power", "mcse", "low", "high"]
    for name, written in columns.items():
        assert [float(value) for value in written] == list(ours.table[name])


def test_rounds_of_a_sample_size(shell, tmp_path):
    picture = tmp_path / "search.svg"
    test = ["sample-size", "t-test", "--effect", "0.5", "--simulations", "20000"]
    answer, columns = shell(*test, "--plot", str(picture))
    ours = windfall.sample_size("t-test", effect=0.5, n_simulations=20_000, rng=7)
    assert list(columns) == ["n", "simulations", "power", "mcse", "low", "high"]
    for name, written in columns.items():
        assert [float(value) for value in written] == list(ours.table[name])
    svg = picture.read_text()
    assert svg.startswith("<svg") and svg.rstrip().endswith("</svg>")
    assert "sample size: t-test" in svg
    assert svg.count('width="5" height="5"') == len(columns["n"])  # a mark for each n
    assert answer["problem"] == "sample_size"


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "-m", "gaussian", "--with", "sd=1,10"],
        ["power", "t-test", "--effect", "0.5", "-n", "10"],
        ["sample-size", "t-test", "--effect", "0.5"],
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.parametrize("flag", ["--out", "--plot"])
def test_an_ending_that_nobody_writes_is_refused_before_any_work(arguments, flag, tmp_path):
    command = command_path()
    if command is None:
        pytest.skip("the windfall command is not built; run `cargo build --release`")
    out = tmp_path / "out.doc"
    done = subprocess.run([command, *arguments, flag, out], capture_output=True, text=True)
    assert done.returncode == 2 and "out.doc" in done.stderr and not out.exists()
