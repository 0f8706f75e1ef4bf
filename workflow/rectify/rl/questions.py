"""Questions that have a gold answer, and a run that learns from answers drawn for them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from rectify.models.config import context_of
from rectify.models.encoding import encode_prompts
from rectify.models.tokenizer import load_tokenizer
from rectify.rl.rewards import grader
from rectify.step.command import Settings
from rectify.step.errors import StepError
from rectify.step.manifest import note
from rectify.step.tables import read_parquet
from rectify.training.checkpoints import open_state

QUESTIONS = "Parquet with columns problem_id, problem, answer"


@dataclass(frozen=True)
class Question:
    """A prompt's token ids and the answer that is right."""

    prompt: list[int]
    gold: str


def read_questions(
    file: str | Path, tokenizer: PreTrainedTokenizerFast, style: str, room: int
) -> list[Question]:
    """The questions (columns problem_id, problem, answer) whose prompt has at most `room` tokens.

    Rows without an answer are left out. Raises StepError if none is left.
    """
    rows = read_parquet(file, "problem_id", "problem", "answer").dropna(subset=["answer"])
    rows = rows.assign(answer=rows["answer"].astype(str))
    rows = rows[rows["answer"].str.strip() != ""]
    if rows.empty:
        raise StepError(f"{file}: no question with an answer in it; the reward needs the gold")
    prompts = encode_prompts(tokenizer, style, rows["problem"].tolist())
    pairs = zip(prompts, rows["answer"], strict=True)
    questions = [Question(prompt, gold) for prompt, gold in pairs if len(prompt) <= room]
    if not questions:
        raise StepError(
            f"{file}: no prompt of at most {room} tokens, which training.max_length less "
            "max_new_tokens leaves; raise max_length"
        )
    too_long = len(prompts) - len(questions)
    note(prompts={"given": len(prompts), "too_long": too_long})
    print(f"questions: {len(prompts):,}, too long {too_long:,}", flush=True)
    return questions


def train_on_answers(step: str, train: Callable[..., None], arguments: argparse.Namespace) -> None:
    """Run an online step's `train` as its command line says, with the grader for reward."""
    settings = Settings(**arguments.settings)
    folder = Path(arguments.model)
    most = min(settings.max_length, context_of(folder))
    room = most - Settings(**getattr(settings, step)).max_new_tokens
    questions = read_questions(arguments.rows, load_tokenizer(folder), settings.prompt, room)
    state = open_state(step, arguments)
    out = Path(arguments.out)
    with grader() as reward:
        train(folder, questions, settings, out, state, reward, arguments.tensorboard)
