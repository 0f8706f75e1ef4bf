"""What kills do not lose: each ends with the weights of an undisturbed run, bit by bit."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from helpers import snakemake
from loopback import one_training, output, run_id, running_jobs, start, wait_for
from safetensors.torch import load_file

TARGET = "results/faults/models/tiny/dft-seed0"
STUDY = ("--configfile", "config/faults.yaml")
STATE = "results/faults/state/tiny/dft-seed0"
ROWS = 4000


@pytest.fixture(scope="module")
def undisturbed(model_folder, tmp_path_factory):
    """The weights of the same training without SLURM and without faults."""
    folder = tmp_path_factory.mktemp("undisturbed") / "project"
    one_training(folder, model_folder, ROWS)
    done = snakemake(TARGET, *STUDY, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return load_file(folder / TARGET / "model.safetensors")


@pytest.fixture
def checkout(tmp_path, model_folder):
    """The project, for one fault."""
    return one_training(tmp_path / "project", model_folder, ROWS)


def training_job(checkout):
    """The SLURM job that trains, once it has logged steps."""

    def trained():
        log = checkout / STATE / "train.csv"
        return log.exists() and len(log.read_text().splitlines()) > 10

    wait_for(trained)
    return running_jobs("train_model")[0]


def payloads(checkout):
    """The process ids of a checkout's trainings."""
    found = subprocess.run(
        ["pgrep", "--full", "rectify train --settings"], capture_output=True, text=True, check=False
    )
    folders = {int(pid): Path(f"/proc/{pid}/cwd") for pid in found.stdout.split()}
    return [pid for pid, folder in folders.items() if folder.resolve() == checkout.resolve()]


def check_end(process, checkout, expected):
    """Snakemake ends well, the training has been resumed, and its weights are the expected ones."""
    assert process.wait(600) == 0, (checkout / "snakemake.log").read_text()[-3000:]
    log = checkout / "logs" / "train_model" / "faults" / "tiny" / "dft-seed0.log"
    assert "resuming from" in log.read_text()
    weights = load_file(checkout / TARGET / "model.safetensors")
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[key], expected[key]) for key in expected)


def scancel(checkout):
    output("scancel", training_job(checkout))


def kill_payload(checkout):
    training_job(checkout)
    os.kill(payloads(checkout)[-1], signal.SIGKILL)


def terminate_payload(checkout):
    training_job(checkout)
    os.kill(payloads(checkout)[-1], signal.SIGTERM)
    log = checkout / "logs" / "train_model" / "faults" / "tiny" / "dft-seed0.log"
    wait_for(lambda: "SIGTERM: stopped at step" in log.read_text())  # and says so, before its retry


def preempt(checkout):
    """Another job, of higher priority, needs all GPUs."""
    job = training_job(checkout)
    output("sbatch", "--partition=gpu", "--gpus=2", "--mem=100", "--output=/dev/null",
           "--wrap=sleep 5")  # fmt: skip
    wait_for(lambda: job not in running_jobs("train_model"))
    assert "Restarts=1" in output("scontrol", "show", "job", job)


FAULTS = [scancel, kill_payload, terminate_payload, preempt]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_loses_nothing(checkout, undisturbed, fault):
    # preempt's jobs give way to those of gpu
    partition = "preempt" if fault is preempt else "gpu"
    process = start(
        checkout, TARGET, *STUDY, changes={"train_model": {"slurm_partition": partition}}
    )
    fault(checkout)
    check_end(process, checkout, undisturbed)


def test_a_walltime_that_is_too_short_loses_nothing(checkout, undisturbed):
    process = start(checkout, TARGET, *STUDY, changes={"train_model": {"runtime": "attempt*1"}})
    training_job(checkout)
    # SLURM's shortest limit is a minute, the training may be shorter: it stands still until then;
    # SLURM continues a job before it terminates it
    os.kill(payloads(checkout)[-1], signal.SIGSTOP)
    check_end(process, checkout, undisturbed)
    assert "TIMEOUT" in (checkout / "snakemake.log").read_text()


def test_snakemake_itself_killed_is_recovered_as_the_readme_says(checkout, undisturbed):
    process = start(checkout, TARGET, *STUDY)
    training_job(checkout)
    process.kill()
    process.wait()
    rows = checkout / "results" / "faults" / "data" / "training.parquet"
    written = rows.stat().st_mtime_ns
    assert len(payloads(checkout)) == 1  # SLURM's jobs go on without Snakemake

    output("scancel", f"--name={run_id(checkout)}")
    wait_for(lambda: not payloads(checkout))
    done = snakemake("--unlock", *STUDY, cwd=checkout)
    assert done.returncode == 0, done.stderr
    process = start(checkout, TARGET, *STUDY)
    assert len(wait_for(lambda: payloads(checkout))) == 1
    check_end(process, checkout, undisturbed)
    assert rows.stat().st_mtime_ns == written  # what was done is not done again
