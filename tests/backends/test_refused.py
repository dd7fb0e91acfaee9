"""Workers that have another Windfall, or none, are refused with the remedy before any work."""

import pytest
from engines import ENGINES
from test_spark import refused_by_spark

import windfall

# An interpreter that starts with this finds no module of that name.
HIDDEN = """
import sys

class Hidden:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] == "windfall":
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Hidden)
"""
IN_PROCESSES = [name for name in ENGINES if name != "threads"]


@pytest.fixture(scope="module", params=IN_PROCESSES)
def bare(request, tmp_path_factory):
    """An engine whose workers are processes without Windfall."""
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "sitecustomize.py").write_text(HIDDEN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        with ENGINES[request.param]() as engine:
            yield engine.on


def test_workers_without_windfall_are_refused(bare):
    with pytest.raises(windfall.UnsupportedError, match="no such module") as caught:
        windfall.pi(100_000, rng=1, on=bare)
    assert f"pip install windfall=={windfall.__version__}" in caught.value.hint


def test_sparks_map_and_fits_need_it_too(bare):
    if not hasattr(bare, "sparkContext"):
        pytest.skip("only Spark has these")
    refused_by_spark(bare, "no such module")
