"""Training: batches, accumulation, resume, refusal of non-finite losses."""

import json
import os
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from accelerate import Accelerator
from helpers import ROOT, SETTINGS, one_line, step
from rectify.batches import collate, order_examples
from rectify.histogram import token_probabilities
from rectify.io import StepError
from rectify.loss import IGNORED
from rectify.model import load_model
from rectify.objectives import OBJECTIVES
from rectify.tokenizer import Example, encode_rows, load_tokenizer
from rectify.train import count_steps, fingerprint, prepare_state, train
from safetensors.torch import load_file

pytestmark = pytest.mark.filterwarnings("ignore:.*pin_memory.*")


def examples_of(folder, rows, count=64):
    """The first rows as token ids."""
    return encode_rows(load_tokenizer(folder), "chat", rows.head(count), 128)[0]


def with_rewards(rows):
    """The rows with rewards 0 to 1, in fifths."""
    return rows.assign(reward=[index % 6 / 5 for index in range(len(rows))])


def run(folder, examples, out, state=None, **changes):
    """Train in this process; returns the weights."""
    settings = SimpleNamespace(**{**SETTINGS, **changes})
    torch.manual_seed(0)
    state = state or out.with_suffix(".state")
    prepare_state(state, "test")
    model = load_model(folder, settings.precision)
    train(model, examples, settings, folder, out, state)
    return load_file(out / "model.safetensors")


def assert_equal(first, second):
    """Bitwise equality of two sets of weights."""
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_targets_are_the_response_tokens_at_the_position_before_them():
    batch = collate([Example([5, 6], [7, 8, 9]), Example([5], [7])])
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8], [5, 0, 0, 0]]
    none = IGNORED
    assert batch["targets"].tolist() == [[none, 7, 8, 9], [7, none, none, none]]


def test_rewards_stay_with_their_rows(model_folder, rows):
    """Also where a row is dropped; other steps read such rows as if they had none."""
    rewarded = with_rewards(rows).head(6)
    rewarded.loc[2, "problem"] = "What is " + "1 + " * 200 + "1?"
    examples = examples_of(model_folder, rewarded)
    assert [example.reward for example in examples] == [0.0, 0.2, 0.6, 0.8, 1.0]
    torch.testing.assert_close(collate(examples[1:3])["reward"], torch.tensor([[0.2], [0.6]]))
    model = load_model(model_folder, "fp32")
    rated, plain = (
        token_probabilities(model, each, 8)
        for each in (examples, [replace(example, reward=None) for example in examples])
    )
    assert (rated == plain).all()


def test_every_epoch_shows_each_row_once_in_a_new_order():
    examples = [Example([0], [index]) for index in range(10)]
    order = [example.response[0] for example in order_examples(examples, 10, 2, 3, sort=False)]
    first, second = order[:10], order[10:]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_batches_do_not_depend_on_sorting_and_are_sorted_within():
    examples = [Example([0] * (1 + index % 7), [index]) for index in range(20)]
    plain = order_examples(examples, 5, 4, 0, sort=False)
    sort = order_examples(examples, 5, 4, 0, sort=True)
    for start in range(0, 20, 4):
        ours, theirs = sort[start : start + 4], plain[start : start + 4]
        assert sorted(e.response[0] for e in ours) == sorted(e.response[0] for e in theirs)
        assert [len(e) for e in ours] == sorted((len(e) for e in ours), reverse=True)


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


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_accumulation_does_not_change_token_mean(model_folder, rows, tmp_path, objective):
    """One micro-batch of 8 against eight of 1, from the first gradient norm to the weights."""
    examples = examples_of(model_folder, with_rewards(rows), 32)
    logs = []
    for micro in (8, 1):
        out = tmp_path / str(micro)
        run(model_folder, examples, out, objective=objective, micro_batch_size=micro)
        logs.append(pd.read_csv(out / "train.csv"))
    for column in ("loss", "nll", "grad_norm", "weight_mean", "weight_max", "response_tokens"):
        assert logs[0][column].tolist() == pytest.approx(logs[1][column].tolist(), rel=2e-4)


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


class InterruptedRunError(Exception):
    """Stands for a killed process."""


@pytest.mark.parametrize("objective", ["sft", "dft", "iw-sft", "mode-seeking", "asft"])
def test_resume_equals_a_straight_run_bitwise(model_folder, rows, tmp_path, objective, monkeypatch):
    examples = examples_of(model_folder, rows, 64)
    changes = {"objective": objective, "save_every": 3, "checkpoints": [2, 6]}
    straight = run(model_folder, examples, tmp_path / "straight", **changes)

    from rectify.callbacks import Recorder

    def stop_after_five(self, args, state, control, **_):
        if state.global_step == 5:
            raise InterruptedRunError

    state = tmp_path / "state"
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "on_step_begin", stop_after_five)
        with pytest.raises(InterruptedRunError):
            run(model_folder, examples, tmp_path / "cut", state, **changes)
    assert not (tmp_path / "cut").exists()
    assert (state / "checkpoint-3" / "complete").is_file()

    resumed = run(model_folder, examples, tmp_path / "cut", state, **changes)
    assert_equal(straight, resumed)
    for step_number in (2, 6):
        name = f"checkpoint-{step_number}/model.safetensors"
        assert_equal(load_file(tmp_path / "straight" / name), load_file(tmp_path / "cut" / name))
    logs = [pd.read_csv(tmp_path / name / "train.csv") for name in ("straight", "cut")]
    same = [c for c in logs[0] if c != "tokens_per_second"]
    pd.testing.assert_frame_equal(logs[0][same], logs[1][same])
    assert not state.exists()


def test_half_written_checkpoint_is_not_resumed_from(tmp_path):
    from rectify.trainer import last_checkpoint

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


def test_nan_loss_stops_the_run_and_keeps_the_last_checkpoint(
    model_folder, rows, tmp_path, monkeypatch
):
    examples = examples_of(model_folder, rows, 64)
    state = tmp_path / "state"
    from rectify import callbacks

    whole = callbacks.Monitors.add

    def poison(self, nll, weight, *others):
        whole(self, nll, weight, *others)
        poison.calls += 1
        if poison.calls > 9:
            weight.fill_(float("nan"))

    poison.calls = 0
    monkeypatch.setattr(callbacks.Monitors, "add", poison)
    with pytest.raises(StepError, match="loss is not finite at step 5"):
        run(model_folder, examples, tmp_path / "out", state, save_every=3)
    assert not (tmp_path / "out").exists()
    assert (state / "checkpoint-3" / "complete").is_file()


def test_log_has_the_monitors(model_folder, rows, tmp_path):
    run(model_folder, examples_of(model_folder, rows, 16), tmp_path / "out", objective="dft")
    log = pd.read_csv(tmp_path / "out" / "train.csv")
    assert log["step"].tolist() == [1, 2]
    assert {"loss", "nll", "grad_norm", "learning_rate", "tokens_per_second"} <= set(log)
    assert ((log["weight_mean"] > 0) & (log["weight_mean"] < log["weight_max"])).all()
    for of in ("tokens", "sequences"):
        assert ((log[f"weight_ess_{of}"] > 0) & (log[f"weight_ess_{of}"] <= 1)).all()
    assert (log["weight_p10"] < log["weight_p50"]).all()
    assert (log["weight_p50"] < log["weight_p90"]).all()
    assert not {"ratio_deviation", "kl"} & set(log)


def test_drift_from_the_reference_is_logged_and_said_once(model_folder, rows, tmp_path, capsys):
    examples = examples_of(model_folder, rows, 64)
    near = {"objective": "iw-sft-token", "learning_rate": 1e-6}
    run(model_folder, examples, tmp_path / "near", **near)
    assert "|p / p_ref - 1|" not in capsys.readouterr().out
    far = {"objective": "iw-sft-token", "learning_rate": 1e-2, "epochs": 3.0}
    run(model_folder, examples, tmp_path / "far", **far)
    assert capsys.readouterr().out.count("|p / p_ref - 1|") == 1
    near, far = (
        pd.read_csv(tmp_path / n / "train.csv")["ratio_deviation"] for n in ("near", "far")
    )
    assert near[0] == far[0] == 0
    assert 0 < near.iloc[-1] < 0.01
    assert far.iloc[-1] > 0.5


def test_monitors_are_the_statistics_of_the_weights():
    """Two sequences of 3 and 1 response tokens, added as two micro-batches."""
    from rectify.callbacks import Monitors

    monitors = Monitors()
    p, ref = torch.tensor([[0.5, 0.25, 0.5]]), torch.tensor([[0.25, 0.5, 0.5]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    monitors.add(-p.log(), torch.tensor([[1.0, 2.0, 3.0]]), mask, ref.log(), torch.ones(3))
    last = torch.tensor([[True, False, False]])
    monitors.add(-p.log() * last, torch.tensor([[4.0, 9.0, 9.0]]), last, ref.log(), torch.ones(1))
    monitors.gather(Accelerator(cpu=True))
    row = monitors.columns()
    assert row["weight_mean"] == 2.5
    assert row["weight_max"] == 4
    assert row["weight_p50"] == 3
    assert row["weight_ess_tokens"] == pytest.approx(10**2 / (4 * (1 + 4 + 9 + 16)))
    assert row["weight_ess_sequences"] == pytest.approx(6**2 / (2 * (2**2 + 4**2)))
    assert row["ratio_deviation"] == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert row["kl"] == 1
    assert row["response_tokens"] == 4


def test_an_objective_that_needs_rewards_refuses_rows_without(model_folder, rows, tmp_path):
    holes = with_rewards(rows)
    holes.loc[3, "reward"] = float("nan")
    for given, said in ((rows, "16 of 16 rows"), (holes, "1 of 16 rows")):
        examples = examples_of(model_folder, given, 16)
        with pytest.raises(StepError, match=f"'reward-power' needs rewards, but {said} have none"):
            run(model_folder, examples, tmp_path / "out", objective="reward-power")


@pytest.mark.parametrize(
    ("objective", "parameters", "same_as"),
    [
        ("mode-seeking", {"gamma": 0.0}, "sft"),
        ("rft", {}, "sft"),
        ("focal", {"gamma": 0.0}, "sft"),
        ("dft+sft", {"alpha": 0.0}, "dft"),
        ("asft", {"kl_weight": 0.0}, "dft"),
        ("config/objectives/example.py:unsure", {"power": 0.0}, "sft"),
        ("COPY", {}, "dft"),
    ],
)
def test_where_two_objectives_are_one_so_are_the_models(
    model_folder, rows, tmp_path, objective, parameters, same_as, monkeypatch
):
    monkeypatch.chdir(ROOT)
    if objective == "COPY":
        copy = tmp_path / "own.py"
        copy.write_text("def weight(logp):\n    return logp.exp()\n")
        objective = f"{copy}:weight"
    examples = examples_of(model_folder, rows, 32)
    ours = run(model_folder, examples, tmp_path / "a", objective=objective, parameters=parameters)
    theirs = run(model_folder, examples, tmp_path / "b", objective=same_as)
    for name, weight in theirs.items():
        torch.testing.assert_close(ours[name], weight, rtol=0, atol=1e-6)


def test_an_anchor_holds_the_model_at_its_reference(model_folder, rows, tmp_path):
    """The KL is 0 at the start, and the smaller the larger its weight."""
    examples = examples_of(model_folder, rows, 64)
    last = []
    for kl_weight in (0.01, 1.0, 100.0):
        out = tmp_path / str(kl_weight)
        parameters = {"kl_weight": kl_weight}
        run(model_folder, examples, out, objective="sft-kl", parameters=parameters, epochs=2.0)
        log = pd.read_csv(out / "train.csv")
        assert log["kl"][0] == pytest.approx(0, abs=1e-7)
        last.append(log["kl"].iloc[-1])
    assert last[0] > last[1] > last[2] > 0


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16"])
def test_the_first_step_is_at_the_reference_in_any_precision(
    model_folder, rows, tmp_path, precision
):
    """Both are read as training reads the model: no ratio differs from 1, no KL from 0."""
    examples = examples_of(model_folder, rows, 16)
    first = {}
    for objective in ("mode-seeking", "asft"):
        changes = {"objective": objective, "precision": precision, "gradient_checkpointing": True}
        run(model_folder, examples, tmp_path / objective, **changes)
        first[objective] = pd.read_csv(tmp_path / objective / "train.csv").iloc[0]
    assert first["mode-seeking"]["ratio_deviation"] == 0
    assert first["mode-seeking"]["weight_p10"] == pytest.approx(1, abs=1e-6)
    assert first["mode-seeking"]["weight_max"] == pytest.approx(1, abs=1e-6)
    assert first["asft"]["kl"] == pytest.approx(0, abs=1e-6)


def test_an_objective_of_ones_own_decides_the_fingerprint(model_folder, rows, tmp_path):
    """An edit of its file makes another run; a study's other settings are as they were."""
    rows.to_parquet(tmp_path / "rows.parquet")
    own = tmp_path / "own.py"
    settings = {**SETTINGS, "objective": f"{own}:weight"}
    found = []
    for text in ("return logp.exp()", "return logp.exp() ** 2", "return logp.exp()"):
        own.write_text(f"def weight(logp):\n    {text}\n")
        found.append(fingerprint(settings, tmp_path / "rows.parquet", model_folder))
    assert found[0] == found[2] != found[1]


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_loses_nothing_that_was_complete(model_folder, rows, tmp_path):
    """The state on a disk that takes one checkpoint (about 1 MB), not two; then on a larger one."""
    rows.to_parquet(tmp_path / "rows.parquet")
    (tmp_path / "disk").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o"]
    if subprocess.run([*mount, "size=1600k", "none", tmp_path / "disk"], check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        arguments = ["--rows", tmp_path / "rows.parquet", "--model", model_folder]
        arguments += ["--settings", json.dumps({**SETTINGS, "save_every": 4})]
        state = tmp_path / "disk" / "state"
        done = step("train", *arguments, "--out", tmp_path / "out", "--state", state)
        one_line(done, "No space left on device", "free space, run again")
        assert not (tmp_path / "out").exists()
        complete = {marker.parent.name for marker in state.glob("checkpoint-*/complete")}
        assert complete == {"checkpoint-4"}
        subprocess.run([*mount, "remount,size=64m", "none", tmp_path / "disk"], check=True)
        done = step("train", *arguments, "--out", tmp_path / "out", "--state", state)
        assert done.returncode == 0, done.stderr
        assert "resuming from" in done.stdout
    finally:
        subprocess.run(["umount", tmp_path / "disk"], check=True)
    done = step("train", *arguments, "--out", tmp_path / "straight")
    assert done.returncode == 0, done.stderr
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("out", "straight")]
    assert_equal(*weights)


def test_too_few_rows_for_a_batch():
    settings = SimpleNamespace(**SETTINGS)
    assert count_steps(settings, 20) == 2
    with pytest.raises(StepError, match="batch_size is 8, but only 7 rows"):
        count_steps(settings, 7)


@pytest.mark.slow
def test_command_line_writes_an_ordinary_model_folder(model_folder, rows, tmp_path):
    rows.head(16).to_parquet(tmp_path / "rows.parquet")
    arguments = ["--rows", tmp_path / "rows.parquet", "--model", model_folder]
    arguments += ["--settings", json.dumps({**SETTINGS, "checkpoints": [1, 2]})]
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
