"""On a real SLURM (one node on loopback): what jobs ask for, and what kills do not lose.

Needs root and the packages slurm-wlm and munge; skipped, saying so, where they are missing.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from helpers import ROOT, snakemake
from safetensors.torch import load_file

SCRIPT = Path(__file__).parent / "slurm-loopback.sh"
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("slurmctld") or not shutil.which("munged"),
        reason="needs root, and SLURM: apt-get install slurm-wlm munge",
    ),
]
# the profile's own settings, but for a cluster of one small node with quick polls
SMALL = [
    "--profile", "slurm", "--jobs", "2", "--latency-wait", "5",
    "--default-resources", "slurm_partition=cpu", "mem_mb=3000", "runtime=10",
    "--set-resources", "train_model:slurm_partition=gpu", "train_model:gpu=1",
    "train_model:mem_mb=2500", "train_model:runtime=5", "decode_benchmarks:mem_mb=4000",
    "decode_checkpoints:mem_mb=4000", "measure_probabilities:mem_mb=2500",
    "check_model:mem_mb=2500",
    "--set-threads", "train_model=1", "decode_benchmarks=1", "decode_checkpoints=1",
    "measure_probabilities=1", "score_samples=1",
    "--slurm-init-seconds-before-status-checks", "5", "--seconds-between-status-checks", "5",
]  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A running SLURM."""
    base = tmp_path_factory.mktemp("slurm")
    environment = {**os.environ, "SLURM_BASE": str(base)}
    started = subprocess.run(
        [SCRIPT, "start"], env=environment, check=False, capture_output=True, text=True
    )
    if started.returncode:
        pytest.skip(f"SLURM does not start here: {started.stderr.strip()[-300:]}")
    yield base
    subprocess.run([SCRIPT, "stop"], env=environment, check=True, capture_output=True)


def copy_project(folder, model_folder):
    """A copy of the project with a study of one model folder and one long training."""
    for name in ("Snakefile", "workflow", "config", "profiles", "envs"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        folder.mkdir(exist_ok=True)
        copy(source, folder / name)
    (folder / "slurm").symlink_to("profiles/slurm")
    study = {
        "study": "faults",
        "models": {"tiny": {"title": "Tiny", "path": str(model_folder)}},
        "data": {"world": {"steps": [1, 3]}, "rows": 4000},
        "benchmarks": {"a": {"title": "A", "world": {"steps": [2, 2]}, "rows": 4}},
        "methods": {"dft": {"title": "DFT", "objective": "dft"}},
        "training": {"batch_size": 8, "max_length": 128, "save_every": 50, "log_every": 10},
        "decoding": {"dtype": "float32"},
        "tables": {"table1": {"caption": "A table.", "methods": ["dft"]}},
    }
    (folder / "config" / "faults.yaml").write_text(yaml.safe_dump(study))
    return folder


@pytest.fixture
def checkout(tmp_path, model_folder):
    """The project, for one test."""
    return copy_project(tmp_path / "project", model_folder)


TARGET = "results/faults/models/tiny/dft-seed0"
LOG = "results/faults/state/tiny/dft-seed0/train.csv"


def start(checkout, *arguments):
    """Snakemake on the cluster, in the background, towards the trained model."""
    words = [sys.executable, "-m", "snakemake", TARGET, "--configfile", "config/faults.yaml"]
    with (checkout / "snakemake.log").open("a") as log:
        return subprocess.Popen(
            [*words, *SMALL, *arguments], cwd=checkout, stdout=log, stderr=subprocess.STDOUT
        )


def wait_for(condition, seconds=120):
    """The first true value of `condition()`; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.2)
    raise AssertionError(f"nothing after {seconds} s")


def training_job(checkout):
    """The SLURM job that trains, once it has logged steps; it asked for what it should have."""

    def trained():
        log = checkout / LOG
        return log.exists() and len(log.read_text().splitlines()) > 10

    wait_for(trained)
    jobs = subprocess.run(
        ["squeue", "--noheader", "--states=R", "--format=%A %k"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    job = next(job.split()[0] for job in jobs if "train_model" in job)
    asked = subprocess.run(
        ["scontrol", "show", "job", job], capture_output=True, text=True, check=True
    ).stdout
    for what in ("Partition=gpu", "TresPerJob=gres:gpu:1", "mem=2500M", "TimeLimit=00:05:00"):
        assert what in asked, asked
    return job


def payload():
    """The process id of the training itself."""
    found = subprocess.run(
        ["pgrep", "--full", "rectify.train --settings"], capture_output=True, text=True, check=True
    )
    return [int(pid) for pid in found.stdout.split()][-1]


@pytest.fixture(scope="module")
def undisturbed(model_folder, tmp_path_factory):
    """The weights of the same training on this machine, without SLURM and without faults."""
    folder = copy_project(tmp_path_factory.mktemp("undisturbed") / "project", model_folder)
    done = snakemake(TARGET, "--configfile", "config/faults.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return load_file(folder / TARGET / "model.safetensors")


def finish(process, checkout):
    """Wait for Snakemake; returns the trained weights and the training's log."""
    assert process.wait(600) == 0, (checkout / "snakemake.log").read_text()[-3000:]
    log = checkout / "logs" / "train_model" / "faults" / "tiny" / "dft-seed0.log"
    return load_file(checkout / TARGET / "model.safetensors"), log.read_text()


def scancel(checkout):
    subprocess.run(["scancel", training_job(checkout)], check=True)


def kill_payload(checkout):
    training_job(checkout)
    os.kill(payload(), signal.SIGKILL)


def terminate_payload(checkout):
    training_job(checkout)
    os.kill(payload(), signal.SIGTERM)


def requeue(checkout):
    subprocess.run(["scontrol", "requeue", training_job(checkout)], check=True)


FAULTS = [scancel, kill_payload, terminate_payload, requeue]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_with_the_weights_of_an_undisturbed_run(cluster, checkout, undisturbed, fault):
    process = start(checkout)
    fault(checkout)
    weights, log = finish(process, checkout)
    assert "resuming from" in log
    assert all(torch.equal(weights[key], undisturbed[key]) for key in undisturbed)
