"""The same bytes from the shell and Python, at any worker count, on any instruction set."""

import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT

import windfall

JOBS = sorted((ROOT / "examples").glob("*.toml"))


def shell_binary():
    binary = ROOT / "target" / "release" / "windfall"
    if not binary.exists():
        pytest.skip("the command is not built: cargo build --release")
    return binary


@pytest.mark.parametrize("job", JOBS, ids=lambda path: path.stem)
def test_shell_and_python_print_the_same(job):
    done = subprocess.run(
        [shell_binary(), "run", job, "--json", "--seed", "5"],
        capture_output=True,
        text=True,
        check=True,
    )
    shell = json.loads(done.stdout)
    run = shell.pop("run")
    assert run["workers"] >= 1
    again = subprocess.run(
        [sys.executable, "-c", CODE, str(job)], capture_output=True, text=True, check=True
    )
    assert json.loads(again.stdout) == shell
    assert json.dumps(json.loads(again.stdout)) == json.dumps(shell)


CODE = """
import sys, tempfile, pathlib, tomllib, windfall
path = pathlib.Path(sys.argv[1])
job = tomllib.loads(path.read_text())
job["seed"] = 5
if "data" in job:
    job["data"] = str(path.parent / job["data"])
print(windfall.run(job).to_json())
"""


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_worker_count_changes_nothing(law, workers):
    alone = windfall.bootstrap(law, "correlation(lsat, gpa)", rng=1, workers=1)
    shared = windfall.bootstrap(law, "correlation(lsat, gpa)", rng=1, workers=workers)
    assert shared.to_json() == alone.to_json()
    assert (shared.distribution == alone.distribution).all()


@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512"])
def test_the_instruction_set_changes_nothing(isa):
    code = "import windfall; print(windfall.pi(10**6, rng=1).to_json())"
    environment = {**os.environ, "WINDFALL_ISA": isa}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    if done.returncode and "WINDFALL_ISA" in done.stderr:
        pytest.skip(f"this machine has no {isa}")
    assert done.stdout.strip() == windfall.pi(10**6, rng=1).to_json()


def test_verify_says_so(law):
    result = windfall.bootstrap(law, "median(lsat)", rng=1)
    verification = windfall.verify(result)
    assert verification
    assert len(verification.rows) == 7
    assert "threads × 7" in str(verification)
