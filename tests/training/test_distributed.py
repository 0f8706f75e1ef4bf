"""Several processes: the same global batch gives the same model; a SIGTERM loses nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import torch
from helpers import ROOT, SETTINGS, one_line, settings_file, step
from rectify.training.launch import command
from safetensors.torch import load_file
from worker import WAYS

pytestmark = pytest.mark.slow
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'workflow'}{os.pathsep}{ROOT / 'tests'}"}


@pytest.fixture(scope="module")
def trained(model_folder, rows, tmp_path_factory):
    """The same trainings on one and on two processes: {1: folder, 2: folder}."""
    folder = tmp_path_factory.mktemp("distributed")
    rows = rows.head(40).assign(reward=[index % 6 / 5 for index in range(40)])
    rows.to_parquet(folder / "rows.parquet")
    shutil.copy2(model_folder / "model.safetensors", folder)
    worker = [ROOT / "tests" / "worker.py", model_folder, folder / "rows.parquet"]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for processes, launcher in ((1, []), (2, torchrun)):
        words = [sys.executable, *launcher, *worker, folder / str(processes)]
        done = subprocess.run(
            [*map(str, words)], env=ENVIRONMENT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.mark.parametrize(("name", "how"), WAYS)
def test_two_processes_train_the_model_that_one_does(trained, name, how):
    """8 rows in micro-batches of 4: two a step on one process, one a step on each of two."""
    for file in ("model.safetensors", "checkpoint-2/model.safetensors"):
        one, two = (load_file(trained / n / f"{name}-{how}" / file) for n in ("1", "2"))
        assert one.keys() == two.keys()
        for key, weight in one.items():
            if how == "none":
                assert torch.equal(weight, two[key]), key
            else:
                torch.testing.assert_close(weight, two[key], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "how"), WAYS)
def test_the_log_counts_the_tokens_of_all_processes(trained, name, how):
    one, two = (pd.read_csv(trained / n / f"{name}-{how}" / "train.csv") for n in ("1", "2"))
    same = ["step", "loss", "nll", "weight_mean", "weight_max", "weight_p50"]
    same += ["weight_ess_tokens", "weight_ess_sequences", "response_tokens"]
    pd.testing.assert_frame_equal(one[same], two[same], rtol=1e-4)


def test_two_processes_train_the_dpo_model_that_one_does(trained):
    one, two = (load_file(trained / n / "dpo" / "model.safetensors") for n in ("1", "2"))
    start = load_file(trained / "model.safetensors")
    for key, weight in one.items():
        torch.testing.assert_close(weight, two[key], rtol=0, atol=1e-5)
    assert max((one[key] - weight).abs().max() for key, weight in start.items()) > 1e-3
    logs = [pd.read_csv(trained / n / "dpo" / "train.csv") for n in ("1", "2")]
    same = ["step", "loss", "rewards/margins"]
    pd.testing.assert_frame_equal(logs[0][same], logs[1][same], rtol=1e-4)


def test_a_batch_that_the_processes_cannot_share(model_folder, rows, tmp_path):
    rows.head(16).to_parquet(tmp_path / "rows.parquet")
    done = step(
        "launch", "--processes", 2, "--", "train", "--settings",
        settings_file({**SETTINGS, "batch_size": 4}), "--rows", tmp_path / "rows.parquet",
        "--model", model_folder, "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode != 0
    assert "batch_size 4 is not a multiple of micro_batch_size 4 times 2 processes" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("processes", "how", "lora"),
    [(1, "none", None), (2, "full", None), (2, "full", {"rank": 4, "alpha": 8})],
)
def test_sigterm_saves_and_a_rerun_ends_with_the_same_weights(
    model_folder, rows, tmp_path, processes, how, lora
):
    """One process exits with 75; torchrun, asked to stop, passes the signal on and exits with 1."""
    rows.to_parquet(tmp_path / "rows.parquet")
    changes = {"objective": "iw-sft", "epochs": 8.0, "sharding": how, "lora": lora}
    settings = settings_file({**SETTINGS, **changes})

    def train(out):
        words = [
            sys.executable, "-m", "rectify", "launch", "--processes", processes, "--", "train",
            "--settings", settings, "--rows", tmp_path / "rows.parquet", "--model", model_folder,
            "--out", tmp_path / out,
        ]  # fmt: skip
        return subprocess.Popen(
            [*map(str, words)], env=ENVIRONMENT, cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    straight = train("straight")
    said, _ = straight.communicate(timeout=120)
    assert straight.returncode == 0, said
    cut = train("cut")
    log = tmp_path / "cut.state" / "train.csv"
    while not (log.exists() and len(log.read_text().splitlines()) > 20):
        time.sleep(0.05)
        assert cut.poll() is None
    cut.send_signal(signal.SIGTERM)
    said, _ = cut.communicate(timeout=60)
    assert cut.returncode == (75 if processes == 1 else 1), said
    assert "SIGTERM: stopped at step" in said
    assert not (tmp_path / "cut").exists()
    again = train("cut")
    said, _ = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert "resuming from" in said
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("straight", "cut")]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_how_processes_are_started():
    assert command(0, 1, ["train", "--x"], None, "")[1:] == ["-m", "rectify", "train", "--x"]
    one_node = " ".join(command(8, 1, ["train"], None, ""))
    assert "torch.distributed.run --nproc-per-node=8 " in one_node
    assert "--shutdown-timeout=240 --standalone -m rectify train" in one_node
    nodes = " ".join(command(8, 2, ["train"], "123", "gpu01"))
    assert nodes.startswith("srun --overlap --nodes=2 --ntasks=2 --ntasks-per-node=1 ")
    assert "--nnodes=2 --rdzv-id=123 --rdzv-backend=c10d --rdzv-endpoint=gpu01:29523" in nodes


def test_several_nodes_need_a_slurm_job(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    one_line(step("launch", "--nodes", 2, "--", "train"), "SLURM_JOB_ID is not set")
