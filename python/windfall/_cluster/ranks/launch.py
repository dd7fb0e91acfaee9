"""Becomes the launcher of ranks: `python -m windfall._cluster.ranks.launch < options.json`."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..engine import SETTINGS

_VENDORS = {
    "Open MPI": (("open mpi", "openrte", "prrte", "prte"), "pmix"),
    "MPICH": (("hydra", "mpich"), "pmi2"),
    "Intel MPI": (("intel(r) mpi",), "pmi2"),
}
"""MPIs by the name that mpi4py gives: what their launchers say of themselves, and Slurm's name of
how their ranks find one another."""

_ENGINES_MAX = 1000
"""How many connections rank 0 can watch at once, by `select`."""

_ASK_S = 30
"""How long a question to a program may take, in seconds."""

_VENDOR = "import mpi4py; mpi4py.rc.initialize = False; from mpi4py import MPI;"
_VENDOR += "print(MPI.get_vendor()[0])"


def fail(what: str, hint: str) -> NoReturn:
    """End with words on standard error."""
    raise SystemExit(f"{what}\nhint: {hint}")


def vendor() -> str:
    """Return the name of the MPI that mpi4py loads here."""
    asked = subprocess.run([sys.executable, "-c", _VENDOR], capture_output=True, text=True)
    if asked.returncode:
        said = (asked.stderr.strip().splitlines() or ["it said nothing"])[-1]
        fail(
            f"engines as ranks of MPI need the package `mpi4py`: {said}",
            "pip install mpi4py, for the Python that engines run on, and an MPI it finds",
        )
    return asked.stdout.strip()


def mpirun(mpi: str) -> str:
    """Return the launcher of that MPI."""
    beside = str(Path(sys.executable).with_name("mpirun"))
    names = [beside, "mpirun", "mpiexec", "mpirun.openmpi", "mpirun.mpich", "mpiexec.hydra"]
    words = _VENDORS.get(mpi, ((mpi.lower(),), ""))[0]
    seen = []
    for path in filter(None, map(shutil.which, names)):
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_ASK_S)
        said = (told.stdout + told.stderr).lower()
        if any(word in said for word in words):
            return path
        seen.append(path)
    there = "; there are " + ", ".join(dict.fromkeys(seen)) if seen else ""
    fail(
        f"mpi4py has loaded {mpi}, and no launcher of {mpi} was found{there}",
        "install it, or name one: --mpirun COMMAND, mpirun='COMMAND'",
    )


def command(options: dict[str, Any], mpi: str) -> list[str]:
    """Return the command that starts the ranks, one more than engines."""
    engines = options["engines"]
    if engines > _ENGINES_MAX:
        fail(
            f"{engines} engines as ranks of MPI are more than one rank can lead: {_ENGINES_MAX}",
            "start fewer, with more threads each",
        )
    program = [sys.executable, "-m", "windfall._cluster.ranks.rank", str(engines)]
    given = shlex.split(options.get("mpirun") or "")
    if options["launcher"] == "slurm":
        return [*(given or srun(mpi)), "-n", str(engines + 1), *program]
    launcher = given or [mpirun(mpi)]
    if mpi == "Open MPI":
        # Other MPIs hand the whole environment on.
        passed = [name for name in (SETTINGS, "PYTHONPATH") if name in os.environ]
        launcher += [part for name in passed for part in ("-x", name)]
    return [*launcher, "-n", str(engines + 1), *program]


def srun(mpi: str) -> list[str]:
    """Return Slurm's launcher, with the way in which ranks of that MPI find one another."""
    if shutil.which("srun") is None:
        fail("there is no `srun` here", "--launcher slurm is for machines with Slurm")
    listed = subprocess.run(["srun", "--mpi=list"], capture_output=True, text=True, timeout=_ASK_S)
    offered = (listed.stdout + listed.stderr).split()
    wanted = _VENDORS.get(mpi, ((), "pmix"))[1]
    if wanted not in offered:
        fail(
            f"ranks of {mpi} find one another by `{wanted}`, which this Slurm does not offer",
            "--mpirun 'srun --mpi=…' names another way; or --launcher mpi in the allocation",
        )
    # Rank 0 leads and takes no core; a rank that dies ends the others.
    return ["srun", f"--mpi={wanted}", "--overcommit", "--kill-on-bad-exit=1"]


def submit(words: Sequence[str], options: dict[str, Any]) -> None:
    """Have Slurm run that command as a batch job, and say so."""
    if shutil.which("sbatch") is None:
        fail("there is no `sbatch` here", "--launcher slurm is for machines with Slurm")
    exports = [f"export {SETTINGS}={shlex.quote(os.environ[SETTINGS])}"]
    if "PYTHONPATH" in os.environ:
        exports.append(f"export PYTHONPATH={shlex.quote(os.environ['PYTHONPATH'])}")
    script = "\n".join(["#!/bin/sh", *exports, f"exec {shlex.join(words)}", ""])
    name, engines = options["name"], options["engines"]
    # A core for each engine; rank 0 leads and takes none, so srun puts it on top. To overcommit
    # the job itself would grant it a single core on each node.
    asked = ["sbatch", "--parsable", f"--job-name=windfall-{name}", f"--ntasks={engines}"]
    asked += options.get("sbatch") or []
    done = subprocess.run(asked, input=script, capture_output=True, text=True, timeout=_ASK_S)
    if done.returncode:
        said = done.stderr.strip() or "it said nothing"
        fail(f"sbatch refused the job: {said}", "--sbatch=OPTION gives it what it misses")
    job = done.stdout.strip().split(";")[0]
    print(
        f"submitted as job {job}: {engines + 1} ranks, the first of which leads\n"
        f"cluster `{name}` is there when the job runs, for clients on the job's first node\n"
        f"`squeue --job {job}` tells where it stands, `scancel {job}` ends it"
    )


def _crowd() -> None:
    """Let Open MPI start a rank more than there are slots: rank 0 leads and takes no core."""
    os.environ.setdefault("OMPI_MCA_rmaps_base_oversubscribe", "1")
    os.environ.setdefault("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")


def main(arguments: Sequence[str] = ()) -> None:
    """Become the launcher that the options on standard input ask for."""
    options = json.load(sys.stdin)
    with contextlib.suppress(OSError):
        os.setsid()  # Ctrl-C in the terminal is not for the ranks
    _crowd()
    settings = {
        "cluster": options["name"],
        "path": options.get("path", []),
        "environment": options.get("environment", {}),
        "threads": options.get("threads"),
        "owner_within_s": options.get("owner_within_s"),
    }
    os.environ[SETTINGS] = json.dumps(settings)
    words = command(options, vendor())
    if options["launcher"] == "slurm" and "SLURM_JOB_ID" not in os.environ:
        submit(words, options)
        return
    if options.get("sbatch"):
        fail(
            f"`{options['sbatch'][0]}` is an option for sbatch", "it is for batch jobs: none is run"
        )
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    try:
        os.execvp(words[0], words)
    except OSError as error:
        fail(f"`{words[0]}` cannot be started: {error}", "--mpirun COMMAND names another launcher")


if __name__ == "__main__":
    main()
