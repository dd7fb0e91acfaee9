"""Run every Python example of the README, the docs and the docstrings."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import windfall

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = ["", "._problems", "._result", "._data", "._rng", "._functions"]


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "page", [p for p in PAGES if blocks(p)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_examples_of_a_page_run(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    names = {}
    for block in blocks(page):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_run(module):
    found = importlib.import_module("windfall" + module)
    outcome = doctest.testmod(found, extraglobs={"windfall": windfall})
    assert outcome.failed == 0
