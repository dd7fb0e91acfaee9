"""Results: frozen, tidy, printable, plottable."""

import dataclasses
import json

import pytest

import windfall


@pytest.fixture
def result(law):
    return windfall.bootstrap(law, "correlation(lsat, gpa)", method="bca", rng=1)


def test_it_is_frozen(result):
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.estimate = 0


def test_it_becomes_a_dictionary_with_the_run_apart(result):
    fields = result.to_dict()
    run = fields.pop("run")
    assert {"seconds", "workers", "workers_source", "host", "version"} <= run.keys()
    assert json.loads(result.to_json()) == fields
    assert fields["interval"].keys() == {
        *("low", "high", "level", "method", "low_mcse", "high_mcse"),
    }


def test_it_becomes_a_tidy_frame(result):
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = result.to_frame()
    assert len(frame) == 1
    assert {"estimate", "mcse", "ci_low", "ci_high", "ci_level", "draws"} <= set(frame.columns)


def test_it_shows_itself(result):
    assert "correlation(lsat, gpa)" in repr(result)
    assert "<table>" in result._repr_html_()


def test_it_draws_itself(result, tmp_path):
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    matplotlib.use("Agg")
    axes = result.plot()
    assert axes.get_xlabel() == "correlation(lsat, gpa)"
    axes.figure.savefig(tmp_path / "plot.png")
    matplotlib.pyplot.close(axes.figure)
    with pytest.raises(ValueError, match="no distribution"):
        windfall.pi(1000, rng=1).plot()
