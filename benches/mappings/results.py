"""Keeps tables as sections of benches/results/mappings-DATE.md, with the machine they are from."""

import datetime
import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["windfall", "numpy", "mpi4py", "dask", "ray", "pyspark", "joblib", "loky"]
PROGRAMS = {
    "Open MPI": ["mpirun.openmpi", "--version"],
    "MPICH": ["mpichversion"],
    "Slurm": ["sbatch", "--version"],
    "Java": ["java", "-version"],
}


def keep(title: str, text: str) -> None:
    """Print a section; with `--write` among the arguments also write it in place of its last."""
    print(f"\n## {title}\n\n{text}", flush=True)
    if "--write" not in sys.argv:
        return
    today = datetime.date.today().isoformat()
    path = ROOT / f"benches/results/mappings-{today}.md"
    before = path.read_text() if path.exists() else f"# Mappings, {today}\n"
    sections = re.split(r"^## ", before, flags=re.M)
    sections[0] = f"# Mappings, {today}\n\n{machine()}"
    mine = f"{title}\n\n{text}"
    for place, section in enumerate(sections):
        if section.startswith(f"{title}\n"):
            sections[place] = mine
            break
    else:
        sections.append(mine)
    path.write_text("\n\n## ".join(section.strip() for section in sections) + "\n")


def machine() -> str:
    """Return the machine, and the versions of what runs on it."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    versions = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    versions += [f"{name} {version(command)}" for name, command in PROGRAMS.items()]
    return f"{os.cpu_count()} × {model}; {platform.system()}; {', '.join(versions)}."


def version(command: list[str]) -> str:
    """Return the first version that a program names."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        return "(not here)"
    found = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
    return found[0] if found else "(of unknown version)"
