"""DPO: the loss, what TRL is fed, resume, bad input."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from helpers import SETTINGS, assert_equal, interrupt, resumed_from, settings_file
from rectify.data.world import make_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.rl.dpo import encode_pairs, main, make_trainer, parser, train
from rectify.step.errors import StepError
from safetensors.torch import load_file

pytestmark = pytest.mark.filterwarnings("ignore:.*(pin_memory|TRL currently supports).*")

DPO = {**SETTINGS, "schedule": "constant_with_warmup", "dpo": {"beta": 0.1}}


@pytest.fixture(scope="module")
def pair_rows():
    """The expert's solution against a crowd's of another question."""
    good = pd.DataFrame(make_rows("pairs", 24, "expert", (1, 2)))
    bad = pd.DataFrame(make_rows("others", 24, "crowd", (1, 2), wrong=0.5))
    columns = {"problem": good["problem"], "chosen": good["solution"], "rejected": bad["solution"]}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def pairs(model_folder, pair_rows):
    return encode_pairs(load_tokenizer(model_folder), "chat", pair_rows, 128)[0]


def trainer_of(folder, pairs, tmp_path, **changes):
    settings = SimpleNamespace(**{**DPO, **changes})
    model = load_model(folder, "fp32")
    return make_trainer(model, load_tokenizer(folder), pairs, settings, 3, tmp_path)


def sequence_logp(model, prompt, response):
    """Log p of a response, from full logits of one unpadded sequence."""
    logits = model(torch.tensor([prompt + response])).logits[0].log_softmax(-1)
    places = range(len(prompt) - 1, len(prompt) + len(response) - 1)
    return sum(logits[place, token] for place, token in zip(places, response, strict=True))


def test_trl_is_fed_our_own_token_ids(model_folder, pair_rows, pairs, tmp_path):
    """Prompt style, EOS after both answers, padding on the right; in the order we set."""
    tokenizer = load_tokenizer(model_folder)
    trainer = trainer_of(model_folder, pairs, tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    texts = set()
    for row in pair_rows.itertuples():
        prompt = f"<|im_start|>user\n{row.problem}<|im_end|>\n<|im_start|>assistant\n"
        texts |= {prompt + row.chosen + "<|endoftext|>", prompt + row.rejected + "<|endoftext|>"}
    for ids, used in zip(batch["input_ids"], batch["attention_mask"], strict=True):
        assert tokenizer.decode(ids[used.bool()]) in texts
        assert used.tolist() == sorted(used.tolist(), reverse=True)
    half = len(batch["input_ids"]) // 2
    for row in (0, half):
        ids = batch["input_ids"][row][batch["completion_mask"][row].bool()].tolist()
        assert ids[-1] == tokenizer.eos_token_id
        side = ("chosen", "rejected")[row // half]
        assert tokenizer.decode(ids[:-1]) in set(pair_rows[side])


def test_loss_at_initialisation_is_log_2(model_folder, pairs, tmp_path):
    trainer = trainer_of(model_folder, pairs, tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    assert trainer.compute_loss(trainer.model, batch).item() == pytest.approx(math.log(2), abs=1e-6)


def test_loss_is_that_of_the_paper_for_a_policy_that_has_moved(model_folder, pairs, tmp_path):
    """-log sigmoid(beta (log p/p_ref of chosen - of rejected)), eq. 7 of arXiv 2305.18290."""
    trainer = trainer_of(model_folder, pairs, tmp_path, dpo={"beta": 0.7})
    reference = load_model(model_folder, "fp32")
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in trainer.model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    policy = load_model(model_folder, "fp32")
    policy.load_state_dict(trainer.model.state_dict())
    batch = next(iter(trainer.get_train_dataloader()))
    margins = []
    with torch.no_grad():
        half = len(batch["input_ids"]) // 2
        ratios = []
        for row in range(2 * half):
            ids = batch["input_ids"][row][batch["attention_mask"][row].bool()].tolist()
            start = len(ids) - int(batch["completion_mask"][row].sum())
            both = (sequence_logp(m, ids[:start], ids[start:]) for m in (policy, reference))
            ratios.append(next(both) - next(both))
        margins = torch.stack(ratios[:half]) - torch.stack(ratios[half:])
    expected = -torch.nn.functional.logsigmoid(0.7 * margins).mean()
    assert expected.item() != pytest.approx(math.log(2), abs=1e-2)
    loss = trainer.compute_loss(trainer.model, batch).item()
    assert loss == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.slow
def test_resume_equals_a_straight_run_bitwise(model_folder, pairs, tmp_path, monkeypatch, capsys):
    settings = SimpleNamespace(**{**DPO, "steps": 6, "save_every": 2})

    def run(name):
        train(model_folder, pairs, settings, tmp_path / name, tmp_path / f"{name}.state")
        return load_file(tmp_path / name / "model.safetensors")

    straight = run("straight")
    with interrupt(monkeypatch, before_step=4):
        run("cut")
    assert not (tmp_path / "cut").exists()
    assert (tmp_path / "cut.state" / "checkpoint-2" / "complete").is_file()
    (tmp_path / "cut.state" / "checkpoint-3").mkdir()  # half-written: never resumed from
    assert_equal(straight, run("cut"))
    assert resumed_from(capsys) == ["checkpoint-2"]
    logs = [pd.read_csv(tmp_path / name / "train.csv")["loss"] for name in ("straight", "cut")]
    assert logs[0].tolist() == logs[1].tolist()
    assert not (tmp_path / "cut.state").exists()
    assert logs[0].iloc[-1] < math.log(2)


def test_the_folder_written_is_as_it_was_but_for_the_weights(model_folder, pairs, tmp_path):
    settings = SimpleNamespace(**{**DPO, "steps": 1})
    train(model_folder, pairs, settings, tmp_path / "out", tmp_path / "state")
    for name in ("config.json", "generation_config.json", "tokenizer.json"):
        assert (tmp_path / "out" / name).read_text() == (model_folder / name).read_text()


def dpo_step(arguments):
    """The step in this process."""
    main(parser().parse_args(list(map(str, arguments))))


def test_bad_input_is_named(model_folder, pair_rows, tmp_path):
    one_row = tmp_path / "pairs.parquet"
    arguments = ["--rows", one_row, "--model", model_folder, "--out", tmp_path / "out"]
    arguments += ["--settings", settings_file(DPO)]
    pair_rows.drop(columns="rejected").to_parquet(one_row)
    with pytest.raises(StepError, match="no column 'rejected'"):
        dpo_step(arguments)
    pair_rows.head(0).to_parquet(one_row)
    with pytest.raises(StepError, match=r"pairs\.parquet: no pairs in it"):
        dpo_step(arguments)
    with pytest.raises(StepError, match="batch_size is 8, but only 2 rows"):
        train(model_folder, [([], []), ([], [])], SimpleNamespace(**DPO), tmp_path, tmp_path)
