"""Start a step on the GPUs of a job: one process each, on one node or several.

    rectify launch --processes 8 --nodes 2 -- train --settings ...

One process is the step itself. Several on one node are torchrun's; on several nodes, those of a
SLURM job, srun starts a torchrun on each and they meet on the first. `--print` shows the command
instead.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys

from rectify.step.command import step_parser
from rectify.step.errors import StepError

SAVING = 240  # seconds that the processes have to save in after a SIGTERM
PORT = 29400  # of the first node; a job's number is added, so that two jobs on a node differ


def command(processes: int, nodes: int, step: list[str], job: str | None, host: str) -> list[str]:
    """The command line that starts `rectify STEP`, as a list of words.

    processes: per node; job: the SLURM job's number; host: the name of its first node.
    """
    program = ["-m", "rectify", *step]
    if processes <= 1 and nodes <= 1:
        return [sys.executable, *program]
    torchrun = [
        sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes or 1}",
        f"--shutdown-timeout={SAVING}",
    ]  # fmt: skip
    if nodes <= 1:
        return [*torchrun, "--standalone", *program]
    port = PORT + int(job or 0) % 10_000
    return [
        "srun", "--overlap", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1",
        *torchrun, f"--nnodes={nodes}", f"--rdzv-id={job}", "--rdzv-backend=c10d",
        f"--rdzv-endpoint={host}:{port}", *program,
    ]  # fmt: skip


def first_host(job: str | None) -> str:
    """The first node of a SLURM job; raises StepError outside of one."""
    if job is None:
        raise StepError("--nodes above 1 needs a SLURM job around it (SLURM_JOB_ID is not set)")
    # of SLURM's variables, jobs that Snakemake submits reliably see this number alone
    nodes = subprocess.run(
        ["squeue", "--noheader", "--jobs", job, "--format=%N"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    names = subprocess.run(
        ["scontrol", "show", "hostnames", nodes], capture_output=True, text=True, check=True
    ).stdout
    return names.split()[0]


def main(arguments: argparse.Namespace) -> None:
    """Become the command."""
    job = os.environ.get("SLURM_JOB_ID")
    host = "localhost"
    if arguments.nodes > 1:
        host = "FIRST_NODE" if arguments.print else first_host(job)
    words = command(arguments.processes, arguments.nodes, arguments.step, job, host)
    if arguments.print:
        print(shlex.join(words))
    else:
        os.execvp(words[0], words)  # not a child: signals reach the step itself


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("launch", __doc__)
    options.add_argument("--processes", type=int, default=1, help="per node; 0 is 1")
    options.add_argument("--nodes", type=int, default=1, help="of the SLURM job this runs in")
    options.add_argument("--print", action="store_true", help="print the command, run nothing")
    options.add_argument("step", nargs="+", help="a step and its arguments, after --")
    return options
