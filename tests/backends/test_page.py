"""The examples of docs/mappings.md that need an engine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from engines import need

PAGE = Path(__file__).resolve().parents[2] / "docs/mappings.md"
BLOCKS = re.findall(r"^```py (\w+)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
NEEDS = {"processes": [], "joblib": ["joblib"], "dask": ["distributed"], "ray": ["ray"]}
NEEDS["spark"] = ["pyspark", "pyarrow", "pandas"]


@pytest.mark.parametrize("name, code", [b for b in BLOCKS if b[0] != "mpi"], ids=lambda b: b[:9])
def test_the_example_of_an_engine_runs(name, code, tmp_path):
    need(*NEEDS[name])
    if name == "spark" and shutil.which("java") is None:
        pytest.skip("Java is not installed: apt-get install default-jre-headless")
    program = tmp_path / "program.py"
    # A program that starts processes is guarded, as each engine's manual asks.
    guarded = "".join(f"    {line}" for line in code.splitlines(keepends=True))
    program.write_text(f"if __name__ == '__main__':\n{guarded}")
    environment = {"RAY_AUTH_MODE": "disabled", "PYSPARK_PYTHON": sys.executable}
    environment["DASK_TEMPORARY_DIRECTORY"] = str(tmp_path)

    run = subprocess.run(
        [sys.executable, str(program)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
