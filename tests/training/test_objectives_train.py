"""Training with each objective: the reference, rewards, the whole batch, the log."""

from dataclasses import replace
from importlib.metadata import version

import pandas as pd
import pytest
import torch
from accelerate import Accelerator
from helpers import ROOT, SETTINGS
from rectify.evaluation.tokens import token_probabilities
from rectify.models.encoding import encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.built_in import OBJECTIVES
from rectify.objectives.loss import IGNORED, with_token_nll
from rectify.step.errors import StepError
from rectify.training import checkpoints
from rectify.training.batches import collate
from rectify.training.checkpoints import fingerprint, installed
from rectify.training.monitors import Monitors, alarms
from small_training import examples_of, run, with_rewards

pytestmark = pytest.mark.filterwarnings("ignore:.*pin_memory.*")


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_an_objective_that_needs_rewards_refuses_rows_without(model_folder, rows, tmp_path):
    holes = with_rewards(rows)
    holes.loc[3, "reward"] = float("nan")
    for given, said in ((rows, "16 of 16 rows"), (holes, "1 of 16 rows")):
        examples = examples_of(model_folder, given, 16)
        with pytest.raises(StepError, match=f"'reward-power' needs rewards, but {said} have none"):
            run(model_folder, examples, tmp_path / "out", objective="reward-power")


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
    assert all((a == b).all() for a, b in zip(rated, plain, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_accumulation_does_not_change_token_mean(model_folder, rows, tmp_path, objective):
    """One micro-batch of 8 against eight of 1, from the first gradient norm to the weights."""
    examples = written(examples_of(model_folder, with_rewards(rows), 32))
    logs = []
    for micro in (8, 1):
        out = tmp_path / str(micro)
        run(model_folder, examples, out, objective=objective, micro_batch_size=micro)
        logs.append(pd.read_csv(out / "train.csv"))
    for column in ("loss", "nll", "grad_norm", "weight_mean", "weight_max", "response_tokens"):
        assert logs[0][column].tolist() == pytest.approx(logs[1][column].tolist(), rel=2e-4)


def written(examples):
    """The examples with log-probabilities under someone who wrote them."""
    generator = torch.Generator().manual_seed(0)
    values = [-torch.rand(len(example.response), generator=generator) for example in examples]
    pairs = zip(examples, values, strict=True)
    return [replace(example, values={"behaviour_logp": own}) for example, own in pairs]


def test_log_probabilities_of_the_writer_stay_with_their_tokens(model_folder, rows):
    """A row that is cut loses those of the tokens that it loses; one too few is refused."""
    plain = examples_of(model_folder, rows, 4)
    lists = [[-0.1 * t for t in range(len(example.response))] for example in plain]
    tokenizer, own = load_tokenizer(model_folder), rows.head(4).assign(behaviour_logp=lists)
    room = len(plain[0].prompt) + 2
    cut, _ = encode_rows(tokenizer, "chat", own, room)
    torch.testing.assert_close(cut[0].values["behaviour_logp"], torch.tensor([0.0, -0.1]))
    batch = collate(cut[:1])
    assert batch["behaviour_logp"][batch["targets"] != IGNORED].tolist() == pytest.approx([0, -0.1])
    own.at[own.index[2], "behaviour_logp"] = lists[2][1:]
    with pytest.raises(StepError, match=r"row 3: behaviour_logp has \d+ values, but the solution"):
        encode_rows(tokenizer, "chat", own, 128)


def test_an_objective_that_needs_the_writer_refuses_rows_without(model_folder, rows, tmp_path):
    examples = examples_of(model_folder, rows, 16)
    with pytest.raises(StepError, match="'pear' needs behaviour_logp, but 16 of 16 rows have none"):
        run(model_folder, examples, tmp_path / "out", objective="pear")


@pytest.mark.slow
def test_a_reference_may_be_another_model(model_folder, rows, tmp_path):
    """With the one that SFT has made, ratios and KL start elsewhere than at 1 and 0."""
    examples = examples_of(model_folder, rows, 16)
    run(model_folder, examples, tmp_path / "sft", objective="sft")
    first = {}
    for objective, column in (("iw-sft-token", "ratio_deviation"), ("asft", "kl")):
        for name, other in (("own", None), ("other", tmp_path / "sft")):
            out = tmp_path / f"{objective}-{name}"
            run(model_folder, examples, out, objective=objective, reference=other)
            first[objective, name] = pd.read_csv(out / "train.csv")[column][0]
        assert first[objective, "own"] == pytest.approx(0, abs=1e-7)
        assert first[objective, "other"] > 1e-3


def test_psft_starts_each_batch_of_updates_as_sft(model_folder, rows, tmp_path):
    """After two steps the old weights are read anew: the ratios are 1 again."""
    changes = {"objective": "psft", "parameters": {"updates": 2}, "warmup_ratio": 0.0}
    changes["schedule"] = "constant_with_warmup"
    run(model_folder, examples_of(model_folder, rows, 48), tmp_path / "out", **changes)
    mean = pd.read_csv(tmp_path / "out" / "train.csv")["weight_mean"].tolist()
    assert len(mean) == 6
    assert mean[0::2] == pytest.approx([1, 1, 1], abs=1e-5)
    assert all(abs(weight - 1) > 1e-3 for weight in mean[1::2])


@pytest.mark.slow
def test_variational_fitting_reads_the_model_anew_each_round(model_folder, rows, tmp_path):
    """Two rounds of three steps: the first is reward-exponential, the second is not."""
    examples = examples_of(model_folder, with_rewards(rows), 48)
    logs = []
    for objective, more in (("reward-variational", {"rounds": 2}), ("reward-exponential", {})):
        out = tmp_path / objective
        run(model_folder, examples, out, objective=objective, parameters={"beta": 1.0, **more})
        logs.append(pd.read_csv(out / "train.csv")["weight_max"].tolist())
    assert logs[0][:3] == pytest.approx(logs[1][:3], rel=1e-4)
    assert abs(logs[0][3] - logs[1][3]) > 1e-3


@pytest.mark.parametrize("library", ["torch", "transformers", "accelerate", "trl"])
def test_a_library_decides_the_fingerprint(model_folder, rows, tmp_path, monkeypatch, library):
    rows.head(2).to_parquet(tmp_path / "rows.parquet")
    run = ("grpo", dict(SETTINGS), tmp_path / "rows.parquet", model_folder)
    before, real = fingerprint(*run), checkpoints.version
    assert fingerprint(*run) == before
    monkeypatch.setattr(checkpoints, "version", lambda name: real(name) + (name == library) * ".1")
    assert fingerprint(*run) != before


def test_a_library_that_is_not_there_has_no_version():
    """Training by an objective runs where TRL and peft are not installed."""
    assert installed("no-such-library") == "none"
    assert installed("torch") == version("torch")


def test_an_objective_of_ones_own_decides_the_fingerprint(model_folder, rows, tmp_path):
    """An edit of its file makes another run; a study's other settings are as they were."""
    rows.to_parquet(tmp_path / "rows.parquet")
    own = tmp_path / "own.py"
    settings = {**SETTINGS, "objective": f"{own}:weight"}
    found = []
    for text in ("return logp.exp()", "return logp.exp() ** 2", "return logp.exp()"):
        own.write_text(f"def weight(logp):\n    {text}\n")
        found.append(fingerprint("train", settings, tmp_path / "rows.parquet", model_folder))
    assert found[0] == found[2] != found[1]


def test_log_has_the_monitors(model_folder, rows, tmp_path):
    run(model_folder, examples_of(model_folder, rows, 16), tmp_path / "out", objective="dft")
    log = pd.read_csv(tmp_path / "out" / "train.csv")
    assert log["step"].tolist() == [1, 2]
    assert {"entropy", "p_eos", "weight_vanishing"} <= set(log)
    assert ((log["entropy"] > 0) & (log["p_eos"] > 0) & (log["p_eos"] < 1)).all()
    assert {"loss", "nll", "grad_norm", "learning_rate", "tokens_per_second"} <= set(log)
    assert ((log["weight_mean"] > 0) & (log["weight_mean"] < log["weight_max"])).all()
    for of in ("tokens", "sequences"):
        assert ((log[f"weight_ess_{of}"] > 0) & (log[f"weight_ess_{of}"] <= 1)).all()
    assert (log["weight_p10"] < log["weight_p50"]).all()
    assert (log["weight_p50"] < log["weight_p90"]).all()
    assert not {"ratio_deviation", "kl"} & set(log)


@pytest.mark.slow
def test_drift_from_the_reference_is_logged_and_said_once(model_folder, rows, tmp_path, capsys):
    examples = examples_of(model_folder, rows, 64)
    near = {"objective": "iw-sft-token", "learning_rate": 1e-6}
    run(model_folder, examples, tmp_path / "near", **near)
    assert "|p / p_ref - 1|" not in capsys.readouterr().out
    far = {"objective": "iw-sft-token", "learning_rate": 1e-2, "epochs": 3.0}
    run(model_folder, examples, tmp_path / "far", **far)
    assert capsys.readouterr().out.count("|p / p_ref - 1|") == 1
    log = pd.read_csv(tmp_path / "near" / "train.csv")
    # of the same tokens, by a model that has hardly moved
    assert log["ref_entropy"].tolist() == pytest.approx(log["entropy"].tolist(), rel=2e-3)
    near, far = (
        pd.read_csv(tmp_path / n / "train.csv")["ratio_deviation"] for n in ("near", "far")
    )
    assert near[0] == far[0] == 0
    assert 0 < near.iloc[-1] < 0.01
    assert far.iloc[-1] > 0.5


def test_monitors_are_the_statistics_of_the_weights():
    """Two sequences of 3 and 1 response tokens, added as two micro-batches."""
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
    assert row["weight_vanishing"] == 0
    assert row["p_eos"] == pytest.approx(0.5)  # at the third token of one, the first of the other
    assert "entropy" not in row


def test_weights_below_nothing_are_weights_of_their_size():
    """Such as those of DFT without detach, where p is below 1 / e."""
    monitors, mask = Monitors(), torch.ones(1, 4, dtype=torch.bool)
    weight = torch.tensor([[-2.0, 1.0, 1e-4, -1e-4]])
    monitors.add(torch.ones(1, 4), weight, mask)
    monitors.gather(Accelerator(cpu=True))
    row = monitors.columns()
    assert row["weight_vanishing"] == 0.5
    assert row["weight_ess_tokens"] == pytest.approx(3.0002**2 / (4 * 5), rel=1e-3)
    assert row["weight_mean"] == pytest.approx(-0.25)


def test_monitors_of_ends_and_entropies():
    """Of two sequences one was cut, and has no EOS; entropies are means over what is given."""
    monitors = Monitors()
    p = torch.tensor([[0.5, 0.25, 0.8], [0.5, 0.1, 0.9]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    weight, ended = torch.tensor([[1.0, 1e-4, 0.0], [1.0, 1.0, 9.0]]), torch.tensor([True, False])
    entropies = {"entropy": torch.tensor([1.0, 2.0]), "ref_entropy": torch.tensor([3.0])}
    monitors.add(-p.log() * mask, weight, mask, None, None, ended, entropies)
    monitors.gather(Accelerator(cpu=True))
    row = monitors.columns()
    assert row["p_eos"] == pytest.approx(0.8)
    assert row["weight_vanishing"] == pytest.approx(2 / 5)
    assert (row["entropy"], row["ref_entropy"]) == (1.5, 3.0)


def test_alarms_are_of_what_is_far_few_or_collapsed():
    first = {"weight_ess_tokens": 1.0, "entropy": 1.0}
    assert not list(alarms(first, first))
    odd = {"weight_ess_tokens": 0.05, "entropy": 0.09, "ratio_deviation": 0.6}
    said = dict(alarms(odd, first))
    assert said.keys() == {"ess", "entropy", "deviation"}
    assert "0.050, below 0.1" in said["ess"]
    assert "0.09 nats, below a tenth of the 1 in the log's first row" in said["entropy"]


def test_the_sampled_entropy_is_that_of_every_so_many_response_tokens(model_folder, rows):
    model = with_token_nll(load_model(model_folder, "fp32"))
    batch = collate(examples_of(model_folder, rows, 4))
    with torch.no_grad():
        asked = {"scalars": ["entropy"], "entropy_every": 5}
        _, found = model(batch["input_ids"], batch["targets"], **asked)
    every = found["entropy"][batch["targets"] != IGNORED]
    torch.testing.assert_close(found["sampled_entropy"], every[::5])


def test_a_collapse_is_said_once(model_folder, rows, tmp_path, capsys):
    """At a learning rate that makes the model repeat itself; train.csv has what the alarm is of."""
    changes = {"objective": "dft-sequence", "learning_rate": 1e-2, "epochs": 2.0}
    run(model_folder, examples_of(model_folder, rows, 32), tmp_path / "out", **changes)
    said = capsys.readouterr().out
    log = pd.read_csv(tmp_path / "out" / "train.csv")
    assert (log["weight_ess_tokens"] < 0.1).any()
    assert said.count("the ESS ratio of the tokens' weights is") == 1
