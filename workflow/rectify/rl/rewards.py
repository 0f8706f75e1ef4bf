"""Questions that have a gold answer, and the reward of an answer drawn for one.

The reward is the grader's corrected verdict, 1 or 0, on the text that decoding would have written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from rectify.evaluation.engines import finish
from rectify.grading import serve
from rectify.models.config import context_of
from rectify.models.prompts import cut_at_stop, stop_token_ids
from rectify.models.tokenizer import encode_prompts, load_tokenizer
from rectify.step.command import Settings
from rectify.step.files import StepError, read_parquet
from rectify.step.manifest import note
from rectify.training.checkpoints import open_state

QUESTIONS = "Parquet with columns problem_id, problem, answer"
Reward = Callable[[Sequence[str], Sequence[str]], list[float]]
"""(gold answers, texts) -> rewards; it is asked about finished answers only."""


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


def score(
    tokenizer: PreTrainedTokenizerFast,
    golds: Sequence[str],
    responses: Sequence[list[int]],
    reward: Reward,
) -> list[float]:
    """The reward of each response (token ids, stop token included); 0 if it was cut off."""
    stops = stop_token_ids(tokenizer)
    completions = [finish(response, stops) for response in responses]
    done = [i for i, completion in enumerate(completions) if completion.finish_reason == "stop"]
    texts = [cut_at_stop(tokenizer.decode(completions[i].tokens)) for i in done]
    rewards = [0.0] * len(completions)
    for i, value in zip(done, reward([golds[i] for i in done], texts), strict=True):
        rewards[i] = value
    return rewards


@contextmanager
def grader() -> Iterator[Reward]:
    """The project's grader as a reward: 1.0 for a right answer, else 0.0.

    It runs in processes of its own (see rectify.grading.serve), which end with the context: as many
    as the job has CPU cores beside the training's, at most 8.
    """
    workers = min(8, max(1, len(os.sched_getaffinity(0)) - 1))
    words = [sys.executable, "-m", serve.__name__, str(workers)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pipe:

        def reward(golds: Sequence[str], texts: Sequence[str]) -> list[float]:
            try:
                pipe.stdin.write(json.dumps(list(zip(golds, texts, strict=True))) + "\n")
                pipe.stdin.flush()
                line = pipe.stdout.readline()
            except BrokenPipeError:
                line = ""
            if not line:
                raise StepError(
                    f"the grader has ended with status {pipe.wait()}; see the lines above"
                )
            return [float(right) for right in json.loads(line)]

        yield reward
        pipe.stdin.close()


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
