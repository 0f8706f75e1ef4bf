"""Group relative policy optimisation (arXiv 2402.03300), by TRL's GRPOTrainer.

    rectify grpo --settings SETTINGS --rows questions.parquet --model FOLDER --out FOLDER

SETTINGS is a file of JSON: the keys of a study's `training` block, `seed`, `prompt` (a
prompt style) and `grpo` (rectify.study.rl). At each step the model answers batch_size
questions (columns problem_id, problem, answer) several times, the grader judges the answers, and
each is reinforced by how much better it is than the others of its question. micro_batch_size counts
answers. The frozen reference is the model in --model. Output, resume and stop are those of
rectify train. On GPUs vLLM answers, in the same process; elsewhere transformers does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from datasets import Dataset
from torch import nn
from transformers import PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

from rectify.models.folder import check_reference, configs_kept, load_model
from rectify.models.stops import stop_token_ids
from rectify.models.tokenizer import load_tokenizer
from rectify.rl.questions import QUESTIONS, Question, train_on_answers
from rectify.rl.rewards import Reward, score
from rectify.step.command import Settings
from rectify.training.batches import order_examples
from rectify.training.callbacks import Recorder, Stopper, tensorboard_callbacks
from rectify.training.checkpoints import finish_run
from rectify.training.run import count_steps, run, training_parser
from rectify.training.trainer_arguments import training_arguments


class GroupTrainer(GRPOTrainer):
    """GRPOTrainer whose prompts are token ids already."""

    def _tokenize_prompts(self, prompts: list[list[int]]) -> tuple[list[list[int]], None, dict]:
        return prompts, None, {}

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none: it would go into the state folder."""


def engine_options(settings: SimpleNamespace, stops: list[int]) -> dict[str, Any]:
    """Which engine answers, as GRPOConfig takes it: vLLM in this process where there is a GPU."""
    if not torch.cuda.is_available():
        return {"use_vllm": False}
    return {
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_max_model_length": settings.max_length,
        # TRL's default leaves out answers that vLLM finds three times less probable than the model;
        # as elsewhere, an answer counts as drawn by the model that is trained
        "vllm_importance_sampling_correction": False,
        "generation_kwargs": {"stop_token_ids": stops},
    }


def make_trainer(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[Question],
    settings: SimpleNamespace,
    steps: int,
    state: Path,
    reward: Reward,
    tensorboard: Path | None = None,
) -> GroupTrainer:
    """TRL's trainer on these questions; `model` is as load_model gives it, unpatched."""
    own = Settings(**settings.grpo)
    stops = stop_token_ids(tokenizer)
    model.generation_config.eos_token_id = stops
    given = training_arguments(model, settings, steps, settings.seed, state, per_row=own.samples)
    arguments = GRPOConfig(
        **given,
        # answers of one draw make one update, so that a checkpoint need not hold any
        steps_per_generation=given["gradient_accumulation_steps"],
        num_generations=own.samples,
        max_completion_length=own.max_new_tokens,
        temperature=own.temperature,
        beta=own.kl,
        epsilon=own.clip,
        use_bias_correction_kl=False,  # the paper's and verl's estimate; TRL's default differs
        loss_type="dapo",  # the mean over all tokens of a batch, verl's default
        router_aux_loss_coef=0.0,  # as in rectify.rl.dpo
        shuffle_dataset=False,
        **engine_options(settings, stops),
    )

    def judge(completion_ids: list[list[int]], gold: list[str], **_: Any) -> list[float]:
        return score(tokenizer, gold, completion_ids, reward)

    ordered = order_examples(questions, steps, settings.batch_size, settings.seed)
    rows = {"prompt": [q.prompt for q in ordered], "gold": [q.gold for q in ordered]}
    return GroupTrainer(
        model,
        judge,
        args=arguments,
        train_dataset=Dataset.from_dict(rows),
        processing_class=tokenizer,
        callbacks=[Recorder(state), *tensorboard_callbacks(tensorboard), Stopper()],
    )


def train(
    folder: Path,
    questions: Sequence[Question],
    settings: SimpleNamespace,
    out: Path,
    state: Path,
    reward: Reward,
    tensorboard: Path | None = None,
) -> None:
    """Train the model in `folder` on the questions and write the model folder `out`.

    `settings` as `main` reads them; raises as rectify.training.run.run does.
    """
    check_reference(folder)
    steps = count_steps(settings, len(questions))
    model = load_model(folder, settings.precision)
    given = (load_tokenizer(folder), questions, settings, steps, state, reward, tensorboard)
    with configs_kept(model):
        run(make_trainer(model, *given), steps, state)
    finish_run(model, folder, out, state)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    train_on_answers("grpo", train, arguments)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    return training_parser("grpo", __doc__, QUESTIONS)
