"""The form of the tree: arrows, dependencies, house numbers, dead files, wording."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
MEDIAN_LINES_MAX = 150
DOC_SHARE_MIN = 0.15
DEPENDENCIES_MAX = 190


@cache
def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def sources(*suffixes):
    return [path for path in tracked() if path.suffix in suffixes]


def rust_sources():
    return [p for p in sources(".rs") if "/tests/" not in str(p) and "/benches/" not in str(p)]


@cache
def metadata():
    done = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)["packages"]


def table(name):
    text = (ROOT / "ARCHITECTURE.md").read_text()
    body = text.split(f"<!-- {name} -->")[1].split(f"<!-- end of {name} -->")[0]
    rows = [line.strip().strip("|").split("|") for line in body.strip().splitlines()[2:]]
    return [[cell.strip() for cell in row] for row in rows]


def without_tests(text):
    return text.split("#[cfg(test)]\nmod tests")[0]


def test_arrows_go_down():
    allowed = {crate: set(imports.split()) for crate, imports in table("arrows")}
    ours = {package["name"] for package in metadata()}
    assert ours == set(allowed)
    for package in metadata():
        imports = {
            dependency["name"]
            for dependency in package["dependencies"]
            if dependency["kind"] is None and dependency["name"] in ours
        }
        assert imports <= allowed[package["name"]], package["name"]


def test_every_dependency_has_its_reason():
    explained = {name.strip() for names, *_ in table("dependencies") for name in names.split(",")}
    ours = {package["name"] for package in metadata()}
    used = {
        dependency["name"]
        for package in metadata()
        for dependency in package["dependencies"]
        if dependency["kind"] != "dev" and dependency["name"] not in ours
    }
    assert used == explained


def test_the_lock_file_stays_small():
    lock = (ROOT / "Cargo.lock").read_text()
    assert lock.count("[[package]]") <= DEPENDENCIES_MAX


def test_files_are_short():
    lengths = []
    for path in sources(".rs", ".py", ".pyi"):
        lines = len(without_tests(path.read_text()).splitlines())
        assert lines <= FILE_LINES_MAX or "_table" in path.name, f"{path}: {lines} lines"
        lengths.append(lines)
    lengths.sort()
    assert lengths[len(lengths) // 2] <= MEDIAN_LINES_MAX


@pytest.mark.parametrize("path", sources(".rs"), ids=lambda p: str(p.relative_to(ROOT)))
def test_rust_form(path):
    text = path.read_text()
    assert text.startswith("//! "), "the first line tells the one idea"
    for number, line in enumerate(text.splitlines(), 1):
        assert len(line) <= 100 or "http" in line, f"line {number} is {len(line)} wide"
    for name, lines in rust_functions(text):
        assert lines <= FUNCTION_LINES_MAX, f"`{name}` has {lines} lines"


def rust_functions(text):
    """Yield the name and length of each function, found by the indentation of its braces."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        match = re.match(r"( *)(?:pub(?:\([a-z]+\))? )?(?:const |unsafe )*fn (\w+)", line)
        if not match:
            continue
        opening = next(n for n in range(start, len(lines)) if lines[n].endswith(("{", ";", "}")))
        if lines[opening].endswith("{"):
            ends = (match[1] + "}", match[1] + "};")
            close = next(n for n in range(opening, len(lines)) if lines[n] in ends)
            yield match[2], close - start + 1


@pytest.mark.parametrize("path", sources(".py"), ids=lambda p: str(p.relative_to(ROOT)))
def test_python_form(path):
    import ast

    text = path.read_text()
    tree = ast.parse(text)
    if text.strip():
        assert ast.get_docstring(tree), "the first line tells the one idea"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            doc = ast.get_docstring(node, clean=False) or ""
            lines = node.end_lineno - node.lineno + 1 - len(doc.splitlines())
            assert lines <= FUNCTION_LINES_MAX, f"`{node.name}` has {lines} lines"


@pytest.mark.parametrize("crate", ["streams", "core", "expr", "stats"])
def test_docs_are_a_fair_share(crate):
    docs = code = 0
    for path in (ROOT / "crates" / crate / "src").rglob("*.rs"):
        for line in without_tests(path.read_text()).splitlines():
            stripped = line.strip()
            docs += stripped.startswith(("///", "//!"))
            code += bool(stripped)
    assert docs / code >= DOC_SHARE_MIN


# Vector code, the door to Python, and what maps shared memory.
UNSAFE_ROOMS = (
    "lanes/",
    "python/",
    "cluster/src/segment.rs",
    "cluster/src/os/linux.rs",
    "cluster/src/shared/memory.rs",
)


def test_unsafe_stands_only_in_its_rooms():
    for path in sources(".rs"):
        if re.search(r"\bunsafe (\{|fn|impl)", path.read_text()):
            where = path.relative_to(ROOT / "crates").as_posix()
            assert where.startswith(UNSAFE_ROOMS), path


def test_libraries_do_not_print_exit_or_ask():
    banned = {
        r"std::env::|env::var": {"windfall"},
        r"process::exit": {"windfall"},
        r"Instant::now|SystemTime": set(),
    }
    for path in rust_sources():
        parts = path.relative_to(ROOT).parts
        if parts[0] != "crates" or path.name == "clock.rs" or "examples" in parts:
            continue
        text = without_tests(path.read_text())
        for pattern, rooms in banned.items():
            found = re.search(pattern, text)
            assert not found or parts[1] in rooms, f"{path}: {found and found[0]}"


def test_no_dead_or_stray_files():
    for path in tracked():
        name = path.name
        assert not name.endswith((".orig", ".rej", ".bak", "~", ".swp", "_old.rs")), path
        assert path.stat().st_size <= 1_000_000, f"{path} is large"


def test_no_path_of_a_machine():
    pattern = re.compile(r"(?<![\w./-])/(root|home|Users|work|tmp/target)/\w")
    for path in sources(".rs", ".py", ".md", ".toml", ".sh", ".pyi", ".txt"):
        found = pattern.search(path.read_text(errors="replace"))
        assert not found, f"{path}: {found and found[0]}"


def test_nothing_is_left_to_do():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|todo!\(|unimplemented!\(")
    for path in sources(".rs", ".py"):
        if path != Path(__file__).resolve():
            assert not marks.search(path.read_text()), path
