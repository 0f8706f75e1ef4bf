"""Training with PPO from end to end: reward on a toy task, resume, stop, bad input."""

import math
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pandas as pd
import pytest
from helpers import (
    PPO,
    ROOT,
    InterruptedRunError,
    assert_equal,
    resumed_from,
    settings_file,
    small_letters,
    step,
)
from rectify.rl import ppo
from rectify.rl.questions import Question
from rectify.step.errors import StepError, Stopped
from safetensors.torch import load_file


def run(folder, prompts, out, reward=small_letters, **changes):
    questions = [Question(prompt, "") for prompt in prompts]
    settings = SimpleNamespace(**{**PPO, **changes})
    state = out.with_suffix(".state")
    state.mkdir(exist_ok=True)
    ppo.train(folder, questions, settings, out, state, reward)
    return load_file(out / "model.safetensors"), pd.read_csv(out / "train.csv")


@pytest.mark.slow
def test_reward_rises_on_a_toy_task(model_folder, prompts, tmp_path, always_finished):
    changes = {"steps": 15, "batch_size": 32, "micro_batch_size": 32, "learning_rate": 1e-2}
    _, log = run(model_folder, prompts * 2, tmp_path / "out", **changes)
    assert log["reward"].head(2).mean() < 0.6
    assert log["reward"].tail(2).mean() > 0.8
    assert log["kl"].iloc[0] == 0
    assert log["kl"].iloc[-1] > 0


def test_micro_batches_do_not_change_a_step(model_folder, prompts, tmp_path, always_finished):
    logs = [
        run(model_folder, prompts, tmp_path / str(micro), steps=2, micro_batch_size=micro)[1]
        for micro in (8, 1)
    ]
    for column in ("reward", "loss", "value_loss", "grad_norm", "kl"):
        both = [log[column].tolist() for log in logs]
        assert both[0] == pytest.approx(both[1], rel=1e-3, abs=1e-6), column


@pytest.mark.slow
def test_resume_equals_a_straight_run_bitwise(
    model_folder, prompts, tmp_path, capsys, always_finished
):
    changes = {"steps": 5, "save_every": 2}
    straight, log = run(model_folder, prompts, tmp_path / "straight", **changes)
    calls = []

    def dies(golds, texts):
        calls.append(1)
        if len(calls) == 4:
            raise InterruptedRunError
        return small_letters(golds, texts)

    with pytest.raises(InterruptedRunError):
        run(model_folder, prompts, tmp_path / "cut", dies, **changes)
    state = tmp_path / "cut.state"
    assert (state / "checkpoint-2" / "complete").is_file()
    (state / "checkpoint-3").mkdir()  # half-written: never resumed from
    resumed, again = run(model_folder, prompts, tmp_path / "cut", **changes)
    assert resumed_from(capsys) == ["checkpoint-2"]
    assert_equal(straight, resumed)
    pd.testing.assert_frame_equal(log.drop(columns="seconds"), again.drop(columns="seconds"))
    assert not state.exists()


def test_sigterm_saves_at_the_end_of_the_step(model_folder, prompts, tmp_path, always_finished):
    def asks(golds, texts):
        os.kill(os.getpid(), signal.SIGTERM)
        return small_letters(golds, texts)

    with pytest.raises(Stopped, match="stopped at step 1"):
        run(model_folder, prompts, tmp_path / "out", asks)
    assert (tmp_path / "out.state" / "checkpoint-1" / "complete").is_file()
    assert not (tmp_path / "out").exists()


def test_a_reward_that_is_not_finite_stops_the_run(
    model_folder, prompts, tmp_path, always_finished
):
    def broken(golds, texts):
        return [math.nan for _ in texts]

    with pytest.raises(StepError, match="gradient is not finite at step 1"):
        run(model_folder, prompts, tmp_path / "out", broken)


def ppo_step(arguments):
    """The step in this process."""
    ppo.main(ppo.parser().parse_args(list(map(str, arguments))))


def test_bad_input_is_named(model_folder, prompts, rows, tmp_path):
    questions = tmp_path / "questions.parquet"
    arguments = ["--rows", questions, "--model", model_folder, "--out", tmp_path / "out"]
    arguments += ["--settings", settings_file(PPO)]
    table = rows.head(8).assign(problem_id=range(8))
    table.drop(columns="answer").to_parquet(questions)
    with pytest.raises(StepError, match="no column 'answer'"):
        ppo_step(arguments)
    with pytest.raises(StepError, match="mini_batches 3 does not divide"):
        run(model_folder, prompts, tmp_path / "out", ppo={**PPO["ppo"], "mini_batches": 3})


@pytest.mark.slow
def test_command_line_stops_and_resumes(model_folder, rows, tmp_path):
    """SIGTERM to the whole process group, as a scheduler sends it; then the rest of the run."""
    questions = tmp_path / "questions.parquet"
    rows.assign(problem_id=range(len(rows))).to_parquet(questions)
    settings = settings_file({**PPO, "steps": 60, "ppo": {**PPO["ppo"], "max_new_tokens": 30}})
    arguments = ["--rows", questions, "--model", model_folder, "--settings", settings]
    words = [sys.executable, "-m", "rectify", "ppo", *arguments, "--out", tmp_path / "out"]
    process = subprocess.Popen(
        list(map(str, words)),
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    log = tmp_path / "out.state" / "train.csv"
    while not log.is_file():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)
    _, errors = process.communicate()
    assert process.returncode == 75, errors
    assert "SIGTERM: stopped at step" in errors
    assert "Traceback" not in errors
    done = step("ppo", *arguments, "--out", tmp_path / "out", "--tensorboard", tmp_path / "events")
    assert done.returncode == 0, done.stderr
    assert "resuming from" in done.stdout
    assert len(pd.read_csv(tmp_path / "out" / "train.csv")) == 60
    assert list((tmp_path / "events").glob("events.out.tfevents.*"))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "train.csv"} <= names
