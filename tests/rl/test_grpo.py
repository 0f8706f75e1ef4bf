"""GRPO: what TRL is fed and feeds the reward, reward on a toy task, resume, bad input."""

import math
import os
import signal
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from helpers import (
    SETTINGS,
    assert_equal,
    interrupt,
    resumed_from,
    settings_file,
    small_letters,
    step,
)
from rectify.models.encoding import encode_prompts
from rectify.models.folder import load_model
from rectify.models.stops import stop_token_ids
from rectify.models.tokenizer import load_tokenizer
from rectify.rl.grpo import engine_options, main, make_trainer, parser, train
from rectify.rl.questions import Question
from rectify.step.errors import StepError, Stopped
from safetensors.torch import load_file
from trl import GRPOConfig

pytestmark = pytest.mark.filterwarnings("ignore:.*(pin_memory|TRL currently supports).*")

OWN = {"samples": 4, "clip": 0.2, "kl": 0.001, "max_new_tokens": 6, "temperature": 1.0}
GRPO = {**SETTINGS, "schedule": "constant_with_warmup", "steps": 4, "batch_size": 4, "grpo": OWN}


@pytest.fixture(scope="module")
def questions(model_folder, rows):
    prompts = encode_prompts(load_tokenizer(model_folder), "chat", rows["problem"][:16].tolist())
    return [Question(prompt, f"gold {index}") for index, prompt in enumerate(prompts)]


def trainer_of(folder, questions, tmp_path, reward, **changes):
    settings = SimpleNamespace(**{**GRPO, **changes})
    model, tokenizer = load_model(folder, "fp32"), load_tokenizer(folder)
    return make_trainer(model, tokenizer, questions, settings, 4, tmp_path, reward)


def roll_out(trainer):
    """The first step's answers, as the loss gets them."""
    return trainer._generate_and_score_completions(next(iter(trainer.get_train_dataloader())))


def test_prompts_are_our_own_token_ids_four_times_each(model_folder, questions, tmp_path):
    trainer = trainer_of(model_folder, questions, tmp_path, small_letters)
    batch = roll_out(trainer)
    seen = [
        tuple(ids[used.bool()].tolist())
        for ids, used in zip(batch["prompt_ids"], batch["prompt_mask"], strict=True)
    ]
    assert len(set(seen)) == 4
    assert all(seen.count(prompt) == 4 for prompt in seen)
    assert set(seen) <= {tuple(question.prompt) for question in questions}


def test_reward_sees_finished_answers_with_their_gold_and_the_others_get_0(
    model_folder, questions, tmp_path
):
    """A model whose answers are all EOS, a single letter and EOS, or never end."""
    tokenizer = load_tokenizer(model_folder)
    asked = []

    def reward(golds, texts):
        asked.extend(zip(golds, texts, strict=True))
        return [1.0] * len(texts)

    trainer = trainer_of(model_folder, questions, tmp_path, reward)
    letter, end = tokenizer.encode("x")[0], tokenizer.eos_token_id
    endless = [letter] * OWN["max_new_tokens"]
    answers = [[end], [letter, end], endless, [letter, letter, end]] * 4
    trainer._generate_single_turn = lambda *_: (answers, None)
    batch = roll_out(trainer)
    assert [text for _, text in asked] == ["", "x", "xx"] * 4
    by_prompt = {tuple(question.prompt): question.gold for question in questions}
    prompts = [
        tuple(ids[used.bool()].tolist())
        for ids, used in zip(batch["prompt_ids"], batch["prompt_mask"], strict=True)
    ]
    expected = [by_prompt[prompt] for prompt, answer in zip(prompts, answers, strict=True)
                if answer is not endless]  # fmt: skip
    assert [gold for gold, _ in asked] == expected
    spread = math.sqrt((3 * 0.25**2 + 0.75**2) / 3)  # of 1, 1, 0, 1
    each = [0.25 / (spread + 1e-4)] * 2 + [-0.75 / (spread + 1e-4), 0.25 / (spread + 1e-4)]
    torch.testing.assert_close(batch["advantages"], torch.tensor(each * 4))


def test_loss_of_a_policy_that_has_moved_by_hand(model_folder, questions, tmp_path):
    """The clipped ratio to the policy that drew, and the estimated KL, over all tokens; every
    setting has a value of its own.
    """
    own = {"samples": 2, "clip": 0.13, "kl": 0.7, "max_new_tokens": 5, "temperature": 0.8}
    trainer = trainer_of(model_folder, questions, tmp_path, small_letters, grpo=own)
    given = trainer.args
    assert (given.num_generations, given.max_completion_length, given.temperature) == (2, 5, 0.8)
    assert (given.beta, given.epsilon, given.loss_type) == (0.7, 0.13, "dapo")
    assert given.steps_per_generation == given.gradient_accumulation_steps
    assert given.num_iterations == 1
    batch = roll_out(trainer)
    assert "old_per_token_logps" not in batch  # one update of each draw: the ratio is 1
    batch["advantages"] = torch.linspace(-1, 1, len(batch["advantages"]))
    drawn_by = load_model(model_folder, "fp32")
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in trainer.model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    old, total, tokens, outside = [], 0.0, 0, 0
    for row, advantage in enumerate(batch["advantages"]):
        prompt, answer = (
            batch[f"{part}_ids"][row][batch[f"{part}_mask"][row].bool()].tolist()
            for part in ("prompt", "completion")
        )
        places = slice(len(prompt) - 1, len(prompt) + len(answer) - 1)
        with torch.no_grad():
            logp, ref = (
                (model(torch.tensor([prompt + answer])).logits[0, places] / 0.8).log_softmax(-1)[
                    range(len(answer)), answer
                ]
                for model in (trainer.model, drawn_by)
            )
        ratio = (logp - ref).exp()
        kept = ratio.clamp(1 - 0.13, 1 + 0.13)
        kl = (ref - logp).exp() - (ref - logp) - 1
        total += (0.7 * kl - torch.minimum(ratio * advantage, kept * advantage)).sum()
        tokens, outside = tokens + len(answer), outside + int((kept != ratio).sum())
        old.append(torch.nn.functional.pad(ref, (0, batch["completion_ids"].shape[1] - len(ref))))
    assert outside
    batch["old_per_token_logps"] = torch.stack(old)  # as in a second update of this draw
    trainer.model.eval()
    loss = trainer.compute_loss(trainer.model, batch).item()
    assert loss == pytest.approx((total / tokens).item(), rel=1e-4)


def test_on_gpus_vllm_answers_and_its_probabilities_are_not_used(tmp_path, monkeypatch):
    """TRL by itself would leave out answers that vLLM finds less probable than the trainer."""
    settings = SimpleNamespace(**GRPO)
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: True)
        options = engine_options(settings, [3])
    given = GRPOConfig(str(tmp_path), use_cpu=True, bf16=False, **options)
    assert given.use_vllm
    assert given.vllm_mode == "colocate"
    assert given.vllm_importance_sampling_correction is False
    assert given.generation_kwargs == {"stop_token_ids": [3]}


def test_an_answer_ends_at_every_stop_token(model_copy, questions, tmp_path):
    """Also where the model's own generation config names one of them alone."""
    tokenizer = load_tokenizer(model_copy)
    stops = stop_token_ids(tokenizer)
    assert len(stops) > 1
    trainer = trainer_of(model_copy, questions, tmp_path, small_letters)
    assert sorted(trainer.eos_token_ids) == stops
    assert sorted(trainer.generation_config.eos_token_id) == stops


def run(folder, questions, out, reward=small_letters, **changes):
    state = out.with_suffix(".state")
    state.mkdir(exist_ok=True)
    settings = SimpleNamespace(**{**GRPO, **changes})
    train(folder, questions, settings, out, state, reward)
    return load_file(out / "model.safetensors"), pd.read_csv(out / "train.csv")


@pytest.mark.slow
def test_reward_rises_on_a_toy_task(model_folder, questions, tmp_path, always_finished):
    changes = {"steps": 20, "batch_size": 8, "micro_batch_size": 8, "learning_rate": 1e-2}
    _, log = run(model_folder, questions, tmp_path / "out", **changes)
    assert log["reward"].head(2).mean() < 0.6
    assert log["reward"].tail(2).mean() > 0.8


@pytest.mark.slow
def test_resume_equals_a_straight_run_bitwise(
    model_folder, questions, tmp_path, monkeypatch, capsys, always_finished
):
    """Over the end of an epoch (4 steps)."""
    changes = {"steps": 7, "save_every": 2}
    straight, log = run(model_folder, questions, tmp_path / "straight", **changes)
    with interrupt(monkeypatch, before_step=6):
        run(model_folder, questions, tmp_path / "cut", **changes)
    assert not (tmp_path / "cut").exists()
    assert (tmp_path / "cut.state" / "checkpoint-4" / "complete").is_file()
    (tmp_path / "cut.state" / "checkpoint-6").mkdir()  # half-written: never resumed from
    resumed, again = run(model_folder, questions, tmp_path / "cut", **changes)
    assert resumed_from(capsys) == ["checkpoint-4"]
    assert_equal(straight, resumed)
    same = [column for column in log if column != "step_time"]
    pd.testing.assert_frame_equal(log[same], again[same])
    assert log["reward"].nunique() > 1
    assert not (tmp_path / "cut.state").exists()


def test_sigterm_saves_at_the_end_of_the_step(model_folder, questions, tmp_path, always_finished):
    def asks(golds, texts):
        os.kill(os.getpid(), signal.SIGTERM)
        return small_letters(golds, texts)

    with pytest.raises(Stopped, match="stopped at step 1"):
        run(model_folder, questions, tmp_path / "out", asks)
    assert (tmp_path / "out.state" / "checkpoint-1" / "complete").is_file()
    assert not (tmp_path / "out").exists()


def test_the_folder_written_is_as_it_was_but_for_the_weights(model_folder, questions, tmp_path):
    run(model_folder, questions, tmp_path / "out", steps=1)
    for name in ("config.json", "generation_config.json", "tokenizer.json"):
        assert (tmp_path / "out" / name).read_text() == (model_folder / name).read_text()


def grpo_step(arguments):
    """The step in this process."""
    main(parser().parse_args(list(map(str, arguments))))


def test_bad_input_is_named(model_folder, questions, rows, tmp_path):
    file = tmp_path / "questions.parquet"
    arguments = ["--rows", file, "--model", model_folder, "--out", tmp_path / "out"]
    arguments += ["--settings", settings_file(GRPO)]
    rows.head(8).assign(problem_id=range(8), answer=None).to_parquet(file)
    with pytest.raises(StepError, match=r"questions\.parquet: no question with an answer"):
        grpo_step(arguments)
    with pytest.raises(StepError, match="batch_size is 4, but only 3 rows"):
        run(model_folder, questions[:3], tmp_path / "out")


@pytest.mark.slow
def test_command_line_trains_by_the_grader(model_folder, rows, tmp_path):
    file = tmp_path / "questions.parquet"
    rows.assign(problem_id=range(len(rows))).to_parquet(file)
    arguments = ["--rows", file, "--model", model_folder, "--out", tmp_path / "out"]
    done = step("grpo", *arguments, "--settings", settings_file({**GRPO, "steps": 2}))
    assert done.returncode == 0, done.stderr
    assert "TRL currently supports vLLM" not in done.stderr  # silenced by rectify/__init__.py
    assert pd.read_csv(tmp_path / "out" / "train.csv")["reward"].tolist() == [0, 0]
    assert not (tmp_path / "out.state").exists()
