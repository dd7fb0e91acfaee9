"""Run the examples of the README, the docs and the docstrings; hold them to what they show."""

import contextlib
import doctest
import importlib
import io
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import windfall

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "docs/figures"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]
MODULES = ["", "._result", "._data", "._rng", "._functions", "._naming", ".shared"]
MODULES += [f"._problems.{path.stem}" for path in (ROOT / "python/windfall/_problems").glob("*.py")]
MODULES += ["._cluster.cluster", "._cluster.engine", "._cluster.parts", "._cluster.pool"]
MODULES += ["._cluster.map_result", "._cluster.nested", "._cluster.randomness", "._cluster.views"]

# A block of code, and the block of text after it, if there is one: what it prints.
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n(?:\s*^```text\n(.*?)^```)?", re.DOTALL | re.MULTILINE)


def blocks(page, language):
    """Yield code and the lines that it shows; `…` stands for whatever is left out."""
    for found, code, shown in BLOCK.findall(page.read_text()):
        if found == language:
            yield code, [line.strip() for line in shown.splitlines() if line.strip(" …")]


def pages(candidates, language):
    found = [page for page in candidates if any(blocks(page, language))]
    return pytest.mark.parametrize("page", found, ids=lambda page: str(page.relative_to(ROOT)))


@pytest.fixture
def beside_examples(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")


@pages(PAGES, "python")
def test_the_python_of_a_page_runs(page, beside_examples):
    names = {}
    for code, shown in blocks(page, "python"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(page), "exec"), names)
        holds(printed.getvalue(), shown)
    figures_are_as_committed(Path())


@pages(DOCS, "sh")
def test_the_commands_of_a_page_run(page, beside_examples):
    command = command_path()
    if command is None:
        pytest.skip("the windfall command is not built; run `cargo build --release`")
    for code, shown in blocks(page, "sh"):
        lines = code.splitlines()
        assert all("windfall " in line for line in lines)
        environment = {**os.environ, "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
        runs = [
            subprocess.run(
                line, shell=True, env=environment, capture_output=True, text=True, timeout=300
            )
            for line in lines
        ]
        assert all(run.returncode == 0 for run in runs), [run.stderr for run in runs]
        holds("".join(run.stdout for run in runs), shown)
    figures_are_as_committed(Path())


def figures_are_as_committed(folder):
    """Compare the pictures that a page has drawn with those that it shows."""
    for drawn in folder.glob("*.svg"):
        kept = FIGURES / drawn.name
        if os.environ.get("WINDFALL_BLESS"):
            shutil.copy(drawn, kept)
        new, old = drawn.read_text(), kept.read_text()
        if "matplotlib" in new:  # its versions differ in what is no line or mark
            assert lines_of(new) == lines_of(old), drawn.name
        else:
            assert new == old, drawn.name


def lines_of(svg):
    return [re.findall(r"[-+.\d]+", path) for path in re.findall(r' d="([^"]*)"', svg)]


@pytest.mark.parametrize("figure", sorted(FIGURES.glob("*")), ids=lambda figure: figure.name)
def test_a_figure_is_small_shown_and_drawn_by_its_page(figure):
    assert figure.stat().st_size < 40_000
    shown_on = [page for page in PAGES if f"figures/{figure.name})" in page.read_text()]
    assert len(shown_on) == 1
    codes = [code for language in ("sh", "python") for code, _ in blocks(shown_on[0], language)]
    assert any(figure.name in code for code in codes)


@pages(DOCS, "rust")
def test_the_rust_of_a_page_is_quoted_from_the_tree(page):
    sources = [path.read_text() for path in (ROOT / "crates").rglob("*.rs")]
    for code, _ in blocks(page, "rust"):
        assert any(code in source for source in sources), code


@pages(DOCS, "toml")
def test_the_job_files_of_a_page_are_examples(page):
    jobs = [path.read_text() for path in (ROOT / "examples").glob("*.toml")]
    for code, _ in blocks(page, "toml"):
        assert any(code in job for job in jobs), code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def command_path():
    """Return the command of this tree: the one just built, else the one on the path."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = shutil.which("windfall", path=str(target / "release")) or shutil.which("windfall")
    return found and Path(found)


def holds(printed, shown):
    printed = [line.strip() for line in printed.splitlines()]
    for line in shown:
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        assert any(map(pattern.fullmatch, printed)), f"`{line}` is not among {printed}"


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_run(module):
    found = importlib.import_module("windfall" + module)
    outcome = doctest.testmod(found, extraglobs={"windfall": windfall})
    assert outcome.failed == 0
