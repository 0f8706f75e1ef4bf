"""What the SLURM tests share: the project in a folder, Snakemake on the cluster, its jobs."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml
from helpers import ROOT

FOLDER = Path(__file__).parent
# the profile's own settings, but for a cluster of one small node
SIZES = {
    "train_model": {"slurm_partition": "gpu", "gpu": 1, "mem_mb": 2500, "runtime": 5},
    "pretrain_model": {"slurm_partition": "gpu", "gpu": 1, "mem_mb": 2600, "runtime": 6},
    "decode_benchmarks": {"mem_mb": 4000, "runtime": 7},
    "decode_checkpoints": {"mem_mb": 4000, "runtime": 8},
    "measure_probabilities": {"mem_mb": 2500},
    "precheck": {"mem_mb": 2500},
    "check_model": {"mem_mb": 2500},
}
DEFAULTS = {"slurm_partition": "cpu", "mem_mb": 3000, "runtime": 10}


def sizes(changes: dict[str, dict] | None = None) -> list[str]:
    """Snakemake's options that ask for SIZES, some rules' (or the `default`) changed."""
    changes = changes or {}
    default = {**DEFAULTS, **changes.get("default", {})}
    asked = {rule: {**size, **changes.get(rule, {})} for rule, size in SIZES.items()}
    return [
        "--default-resources", *(f"{key}={value}" for key, value in default.items()),
        "--set-resources",
        *(f"{rule}:{key}={value}" for rule, size in asked.items() for key, value in size.items()),
        "--set-threads", *(f"{rule}=1" for rule in [*asked, "score_samples"]),
    ]  # fmt: skip


def copy_project(folder: Path) -> Path:
    """A copy of the project."""
    folder.mkdir()
    for name in ("Snakefile", "workflow", "config", "profiles", "envs"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / name)
    (folder / "slurm").symlink_to("profiles/slurm")
    return folder


def one_training(folder: Path, model: Path, rows: int) -> Path:
    """A copy of the project with a study of one model folder and one training."""
    study = {
        "study": "faults",
        "models": {"tiny": {"title": "Tiny", "path": str(model)}},
        "data": {"world": {"steps": [1, 3]}, "rows": rows},
        "benchmarks": {"a": {"title": "A", "world": {"steps": [2, 2]}, "rows": 4}},
        "methods": {"dft": {"title": "DFT", "objective": "dft"}},
        "training": {"batch_size": 8, "max_length": 128, "save_every": 50, "log_every": 10},
        "decoding": {"dtype": "float32"},
        "tables": {"table1": {"caption": "A table.", "methods": ["dft"]}},
    }
    copy_project(folder)
    (folder / "config" / "faults.yaml").write_text(yaml.safe_dump(study))
    return folder


def start(checkout: Path, *arguments: str, changes: dict[str, dict] | None = None):
    """Snakemake on the cluster, in the background."""
    words = [sys.executable, FOLDER / "impatient.py", *arguments, "--profile", "slurm"]
    words += ["--jobs", "2", "--latency-wait", "5", *sizes(changes)]
    with (checkout / "snakemake.log").open("a") as log:
        return subprocess.Popen(words, cwd=checkout, stdout=log, stderr=subprocess.STDOUT)


def wait_for(condition, seconds=400):
    """The first true value of `condition()`; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.2)
    raise AssertionError(f"nothing after {seconds} s")


def output(*words: str) -> str:
    """What a command prints."""
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def running_jobs(rule: str) -> list[str]:
    """Numbers of a rule's running jobs."""
    lines = output("squeue", "--noheader", "--states=R", "--format=%A %k").splitlines()
    return [line.split()[0] for line in lines if rule in line]


def jobs_of(uuid: str) -> dict[str, str]:
    """What scontrol says of every job of a Snakemake run, by job number."""
    records = output("scontrol", "--oneliner", "show", "jobs").splitlines()
    own = [record for record in records if f"JobName={uuid} " in record]
    return {re.search(r"JobId=(\d+)", record)[1]: record for record in own}


def run_id(checkout: Path) -> str:
    """The id of the last Snakemake run, which is its jobs' name, from its log."""
    return re.findall(r"SLURM run ID: (\S+)", (checkout / "snakemake.log").read_text())[-1]
