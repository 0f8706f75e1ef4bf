"""The reward of an answer drawn for a question: the grader.

The reward is the grader's corrected verdict, 1 or 0, on the text that decoding would have written.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from transformers import PreTrainedTokenizerFast

from rectify.grading import serve
from rectify.models.stops import cut_at_stop, finish, stop_token_ids
from rectify.step.errors import StepError

Reward = Callable[[Sequence[str], Sequence[str]], list[float]]
"""(gold answers, texts) -> rewards; it is asked about finished answers only."""


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
