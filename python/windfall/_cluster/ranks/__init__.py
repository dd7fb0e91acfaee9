"""Engines as ranks of MPI: the launcher, what each rank is, and how they speak to one another."""

from __future__ import annotations

import os
import shutil

from ..._errors import InputError

LAUNCHERS = ("local", "mpi", "slurm")
"""Who may start engines."""


def check(launcher: str, mpirun: str | None) -> None:
    """Raise if engines cannot be started so from Python."""
    if launcher not in LAUNCHERS:
        raise InputError(f"`launcher` is `{launcher}`; it is one of {', '.join(LAUNCHERS)}")
    if launcher == "local" and mpirun is not None:
        raise InputError(f'`mpirun` is `{mpirun}`, and `launcher` is "local"; it must be "mpi"')
    if launcher == "slurm" and "SLURM_JOB_ID" not in os.environ:
        raise InputError(
            "`launcher` is `slurm`, and this process is not in an allocation of Slurm"
            "\nhint: `salloc` gives one; `windfall start --launcher slurm` submits a batch job"
        )
    if launcher == "slurm" and shutil.which("srun") is None:
        raise InputError("`launcher` is `slurm`, and there is no `srun` here")
