"""Rows to train on: the lengths of real worked problems, and token ids that mean nothing.

Only lengths matter to speed. They are those of math_train.jsonl (7,500 problems of MATH) where the
environment's DATA names a folder that has it, 2.7 characters to a token and 25 tokens of template;
else they are drawn from log-normal distributions that were fitted to that file.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rectify.models.encoding import Example

CHARACTERS_PER_TOKEN = 2.7
TEMPLATE = 25  # tokens of a chat template around a problem
# mean and standard deviation of the logarithm of tokens, and their correlation, in that file
PROBLEM, SOLUTION, CORRELATION = (4.027, 0.785), (5.030, 0.766), 0.417


def real_lengths(file: Path) -> list[tuple[int, int]]:
    """Tokens of each prompt and each response in a file of problems and solutions."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        (
            TEMPLATE + round(len(row["problem"]) / CHARACTERS_PER_TOKEN),
            1 + round(len(row["solution"]) / CHARACTERS_PER_TOKEN),
        )
        for row in rows
    ]


def drawn_lengths(count: int, seed: int) -> list[tuple[int, int]]:
    """The same, drawn."""
    source, found = random.Random(seed), []
    for _ in range(count):
        first, other = source.gauss(0, 1), source.gauss(0, 1)
        second = CORRELATION * first + (1 - CORRELATION**2) ** 0.5 * other
        problem = round(2.718281828 ** (PROBLEM[0] + PROBLEM[1] * first))
        solution = round(2.718281828 ** (SOLUTION[0] + SOLUTION[1] * second))
        found.append((TEMPLATE + problem, 1 + solution))
    return found


def lengths(count: int, seed: int = 0) -> tuple[list[tuple[int, int]], str]:
    """Tokens of `count` rows' prompts and responses, and where they come from."""
    folder = os.environ.get("DATA")
    file = Path(folder) / "math_train.jsonl" if folder else None
    if file and file.is_file():
        return random.Random(seed).sample(real_lengths(file), count), file.name
    return drawn_lengths(count, seed), "log-normal, fitted to math_train.jsonl"


def examples(
    count: int, vocabulary: int, max_length: int, full: bool = False, seed: int = 0
) -> list[Example]:
    """Rows as the training path takes them, cut on the right at `max_length` tokens.

    full: each is drawn out to `max_length` instead, a quarter of it prompt.
    """
    from rectify.models.encoding import Example

    source, found = random.Random(seed), []
    for prompt, response in lengths(count, seed)[0]:
        if full:
            prompt, response = max_length // 4, max_length
        prompt = min(prompt, max_length - 1)
        response = min(response, max_length - prompt)
        ids = [source.randrange(3, vocabulary) for _ in range(prompt + response)]
        found.append(Example(ids[:prompt], ids[prompt:]))
    return found
