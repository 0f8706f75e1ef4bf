"""Training: batches, accumulation, resume, refusal of non-finite losses."""

import itertools
import math
import os
import random
import subprocess
import sys
import time
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from helpers import SETTINGS, assert_equal, interrupt, one_line, resumed_from, settings_file, step
from rectify.models.encoding import Example
from rectify.models.folder import load_model
from rectify.objectives.loss import IGNORED
from rectify.step.command import run_step, step_parser
from rectify.step.errors import StepError
from rectify.training.batches import collate, micro_batches, order_examples
from rectify.training.checkpoints import hold, last_checkpoint, prepare_state
from rectify.training.run import count_steps
from safetensors.torch import load_file
from small_training import examples_of, run, with_rewards

pytestmark = pytest.mark.filterwarnings("ignore:.*pin_memory.*")


def test_targets_are_the_response_tokens_at_the_position_before_them():
    batch = collate([Example([5, 6], [7, 8, 9]), Example([5], [7])])
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8], [5, 0, 0, 0]]
    none = IGNORED
    assert batch["targets"].tolist() == [[none, 7, 8, 9], [7, none, none, none]]


def test_every_epoch_shows_each_row_once_in_a_new_order():
    examples = [Example([0], [index]) for index in range(10)]
    order = [example.response[0] for example in order_examples(examples, 10, 2, 3)]
    first, second = order[:10], order[10:]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_micro_batches_make_up_the_batches():
    rows = [[index] * (1 + 37 * index % 23) for index in range(48)]
    for how in ("as_they_come", "sorted", "least_padding"):
        micro = micro_batches(rows, 16, 4, how)
        assert len(micro) == 12
        for batch in range(3):
            inside = [row for part in micro[4 * batch : 4 * batch + 4] for row in part]
            assert sorted(inside) == sorted(rows[16 * batch : 16 * batch + 16])
    as_they_come = [rows[first : first + 4] for first in range(0, 48, 4)]
    assert micro_batches(rows, 16, 4, "as_they_come") == as_they_come


def test_micro_batches_are_cut_for_the_fewest_padded_tokens():
    """Against all ways to cut rows, longest first, into three of no more than 3 longest rows."""
    source = random.Random(0)
    for _ in range(50):
        lengths = sorted((source.randint(1, 30) for _ in range(9)), reverse=True)

        def padded(*cuts, lengths=lengths):
            edges = itertools.pairwise((0, *cuts, 9))
            tokens = [lengths[start] * (end - start) for start, end in edges]
            return sum(tokens) if max(tokens) <= 3 * lengths[0] else math.inf

        best = min(padded(*cuts) for cuts in itertools.combinations(range(1, 9), 2))
        found = micro_batches([[0] * length for length in lengths], 9, 3, "least_padding")
        assert len(found) == 3
        tokens = [len(batch) * len(batch[0]) for batch in found]
        assert sum(tokens) == best
        assert max(tokens) <= 3 * lengths[0]


def test_rows_of_one_length_have_as_many_in_each_micro_batch():
    found = micro_batches([[0]] * 12, 12, 3, "least_padding")
    assert [len(batch) for batch in found] == [3] * 4


def test_a_paper_sized_batch_is_cut_in_a_moment():
    source = random.Random(0)
    rows = [[0] * source.randint(1, 2048) for _ in range(256)]
    started = time.process_time()
    micro_batches(rows, 256, 4, "least_padding")
    assert time.process_time() - started < 0.5


def test_first_step_is_adamw_on_the_mean_over_response_tokens(model_folder, rows, tmp_path):
    """The whole path against a loop with full logits and torch's own AdamW."""
    examples = examples_of(model_folder, rows, 8)
    changes = {"objective": "dft", "warmup_ratio": 0.0, "schedule": "constant_with_warmup"}
    ours = run(model_folder, examples, tmp_path / "out", **changes)

    model = load_model(model_folder, "fp32")
    batch = collate(examples)
    mask = batch["targets"] != IGNORED
    logits = model(batch["input_ids"]).logits.log_softmax(-1)
    logp = logits.gather(-1, batch["targets"].clamp(min=0)[..., None])[..., 0][mask]
    (-logp.detach().exp() * logp).mean().backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["max_grad_norm"])
    decayed = [p for n, p in model.named_parameters() if "norm" not in n and "bias" not in n]
    rest = [p for n, p in model.named_parameters() if "norm" in n or "bias" in n]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}]
    torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95)).step()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(ours[name], parameter.detach(), rtol=0, atol=2e-5)


@pytest.mark.slow
def test_sum_of_means_adds_up_the_micro_batches_gradients(model_folder, rows, tmp_path):
    """As released: with n micro-batches of one row each, about n times token_mean's gradient."""
    equal = examples_of(model_folder, rows, 160)
    length = len(equal[0].response)
    examples = [example for example in equal if len(example.response) == length][:8]
    assert len(examples) == 8
    norms = {}
    for rule in ("token_mean", "sum_of_means"):
        out = tmp_path / rule
        run(model_folder, examples, out, accumulation=rule, micro_batch_size=1)
        norms[rule] = pd.read_csv(out / "train.csv")["grad_norm"][0]
    assert norms["sum_of_means"] == pytest.approx(8 * norms["token_mean"], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "objective",
    ["sft", "dft", "iw-sft", "mode-seeking", "asft", "psft", "reward-variational", "profit-random"],
)
def test_resume_equals_a_straight_run_bitwise(
    model_folder, rows, tmp_path, monkeypatch, capsys, objective
):
    examples = examples_of(model_folder, with_rewards(rows), 64)
    changes = {"objective": objective, "save_every": 3, "checkpoints": [2, 6]}
    straight = run(model_folder, examples, tmp_path / "straight", **changes)

    state = tmp_path / "state"
    with interrupt(monkeypatch, before_step=6):
        run(model_folder, examples, tmp_path / "cut", state, **changes)
    assert not (tmp_path / "cut").exists()
    assert (state / "checkpoint-3" / "complete").is_file()
    (state / "checkpoint-5").mkdir()  # half-written: never resumed from
    resumed = run(model_folder, examples, tmp_path / "cut", state, **changes)
    assert resumed_from(capsys) == ["checkpoint-3"]
    assert_equal(straight, resumed)
    for step_number in (2, 6):
        name = f"checkpoint-{step_number}/model.safetensors"
        assert_equal(load_file(tmp_path / "straight" / name), load_file(tmp_path / "cut" / name))
    logs = [pd.read_csv(tmp_path / name / "train.csv") for name in ("straight", "cut")]
    same = [c for c in logs[0] if c != "tokens_per_second"]
    pd.testing.assert_frame_equal(logs[0][same], logs[1][same])
    assert not state.exists()


@pytest.mark.slow
def test_an_alarm_that_was_said_is_not_said_again_after_a_resume(
    model_folder, rows, tmp_path, monkeypatch, capsys
):
    examples = examples_of(model_folder, rows, 64)
    far = {"objective": "iw-sft-token", "learning_rate": 1e-2, "epochs": 3.0, "save_every": 3}
    said, state = "|p / p_ref - 1| is", tmp_path / "state"
    with interrupt(monkeypatch, before_step=12):
        run(model_folder, examples, tmp_path / "cut", state, **far)
    assert capsys.readouterr().out.count(said) == 1
    run(model_folder, examples, tmp_path / "cut", state, **far)
    again = capsys.readouterr()
    assert "resuming from" in again.out + again.err
    assert said not in again.out


def test_half_written_checkpoint_is_not_resumed_from(tmp_path):
    for step_number in (3, 12):
        (tmp_path / f"checkpoint-{step_number}").mkdir()
    assert last_checkpoint(tmp_path) is None
    (tmp_path / "checkpoint-3" / "complete").touch()
    assert last_checkpoint(tmp_path).name == "checkpoint-3"


def test_state_of_another_run_is_not_resumed_from(tmp_path):
    state = tmp_path / "state"
    prepare_state(state, "one")
    (state / "checkpoint-3").mkdir()
    prepare_state(state, "one")
    assert (state / "checkpoint-3").is_dir()
    prepare_state(state, "other")
    assert not (state / "checkpoint-3").exists()


@pytest.mark.slow
def test_two_jobs_do_not_train_one_run(tmp_path):
    """The second waits, then gives up; a lock is given back when its process ends."""
    code = "from pathlib import Path; from rectify.training.checkpoints import hold; "
    code += f"hold(Path({str(tmp_path)!r}))"
    other = subprocess.Popen(
        [sys.executable, "-c", f"{code}; print('held', flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdout.readline() == "held\n"
    with pytest.raises(StepError, match="another job is training this run"):
        hold(tmp_path, seconds=0.1)
    other.communicate("")
    hold(tmp_path, seconds=0.1)


def test_nan_loss_stops_the_run_and_keeps_the_last_checkpoint(
    model_folder, rows, tmp_path, monkeypatch
):
    examples = examples_of(model_folder, rows, 64)
    state = tmp_path / "state"
    from rectify.training import monitors

    whole = monitors.Monitors.add

    def poison(self, nll, weight, *others):
        whole(self, nll, weight, *others)
        poison.calls += 1
        if poison.calls > 9:
            weight.fill_(float("nan"))

    poison.calls = 0
    monkeypatch.setattr(monitors.Monitors, "add", poison)
    with pytest.raises(StepError, match="loss is not finite at step 5"):
        run(model_folder, examples, tmp_path / "out", state, save_every=3)
    assert not (tmp_path / "out").exists()
    assert (state / "checkpoint-3" / "complete").is_file()


def test_a_gpu_that_is_too_small_is_said_in_a_line(capsys):
    """Wherever in a step its memory runs out."""

    def step(_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")

    with pytest.raises(SystemExit) as end:
        run_step(step, step_parser("x", "A step."), [])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("rectify x: out of GPU memory: CUDA out of memory.")
    assert "sharding: full" in said
    assert said.count("\n") == 1


@pytest.fixture(scope="module")
def undisturbed(model_folder, rows, tmp_path_factory):
    """A training that nothing stops: its arguments, but for where to, and its model folder."""
    folder = tmp_path_factory.mktemp("undisturbed")
    rows.to_parquet(folder / "rows.parquet")
    arguments = ["--rows", folder / "rows.parquet", "--model", model_folder]
    arguments += ["--settings", settings_file({**SETTINGS, "save_every": 4})]
    done = step("train", *arguments, "--out", folder / "out")
    assert done.returncode == 0, done.stderr
    return arguments, folder / "out"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize(("size", "complete"), [(1300, set()), (1600, {"checkpoint-4"})])
def test_a_full_disk_loses_nothing_that_was_complete(undisturbed, tmp_path, size, complete):
    """The state on a disk that takes no whole checkpoint, or one but not two; then on a larger."""
    arguments, straight = undisturbed
    (tmp_path / "disk").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o"]
    if subprocess.run([*mount, f"size={size}k", "none", tmp_path / "disk"], check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        state = tmp_path / "disk" / "state"
        done = step("train", *arguments, "--out", tmp_path / "out", "--state", state)
        one_line(done, "No space left on device", "free space, run again")
        assert not (tmp_path / "out").exists()
        assert {marker.parent.name for marker in state.glob("checkpoint-*/complete")} == complete
        subprocess.run([*mount, "remount,size=64m", "none", tmp_path / "disk"], check=True)
        done = step("train", *arguments, "--out", tmp_path / "out", "--state", state)
        assert done.returncode == 0, done.stderr
        assert ("resuming from" in done.stdout) == bool(complete)
    finally:
        subprocess.run(["umount", tmp_path / "disk"], check=True)
    assert_equal(*(load_file(out / "model.safetensors") for out in (tmp_path / "out", straight)))


def test_too_few_rows_for_a_batch():
    settings = SimpleNamespace(**SETTINGS)
    assert count_steps(settings, 20) == 2
    with pytest.raises(StepError, match="batch_size is 8, but only 7 rows"):
        count_steps(settings, 7)


@pytest.mark.slow
def test_command_line_writes_an_ordinary_model_folder(model_folder, rows, tmp_path):
    rows.head(16).to_parquet(tmp_path / "rows.parquet")
    arguments = ["--rows", tmp_path / "rows.parquet", "--model", model_folder]
    arguments += ["--settings", settings_file({**SETTINGS, "checkpoints": [1, 2]})]
    arguments += ["--out", tmp_path / "out", "--tensorboard", tmp_path / "events"]
    done = step("train", *arguments)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "chat_template.jinja",
        "checkpoint-1",  # the last step's weights are the folder itself
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "train.csv",
    ]
    assert list((tmp_path / "events").glob("events.out.tfevents.*"))
    assert not (tmp_path / "out.state").exists()
    one_line(step("train", *arguments[:2], "--model", tmp_path, *arguments[4:]), "tokenizer.json")
