"""Response tokens: their classes, and the probabilities that a model gives them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast

from rectify.models.encoding import Example
from rectify.objectives.loss import IGNORED, with_token_nll
from rectify.training.batches import collate

# the class of a piece of a response's text, the first that matches
CLASSES = {
    "box": r"\\boxed\s*\{(?:[^{}]|\{[^{}]*\})*\}?",
    "number": r"\d+(?:[.,]\d+)*",
    "operator or LaTeX": r"\\[A-Za-z]+|[-+*/=<>^_{}()\[\]$%&|×÷·≤≥±]",
    "word": r"[^\W\d_]+",
}
PIECES = re.compile("|".join(f"({pattern})" for pattern in CLASSES.values()))
OTHER, EOS = "other", "EOS"


def token_classes(tokenizer: PreTrainedTokenizerFast, response: list[int]) -> list[str]:
    """A class for each token of a response: that of the text it begins with, blanks aside."""
    pieces = [tokenizer.decode([token]) for token in response]
    text = "".join(pieces)
    of_character = [OTHER] * len(text)
    for match in PIECES.finditer(text):
        own = list(CLASSES)[match.lastindex - 1]
        of_character[match.start() : match.end()] = [own] * len(match[0])
    found, start = [], 0
    for token, piece in zip(response, pieces, strict=True):
        first = start + len(piece) - len(piece.lstrip())
        inside = first < start + len(piece)
        found.append(of_character[first] if inside else OTHER)
        if token == tokenizer.eos_token_id:
            found[-1] = EOS
        start += len(piece)
    return found


@torch.inference_mode()
def token_probabilities(
    model: nn.Module, examples: Sequence[Example], batch_size: int
) -> list[np.ndarray]:
    """p_theta(y_t) of each example's response tokens: [T] each, in the examples' order."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = with_token_nll(model).to(device).eval()
    order = sorted(range(len(examples)), key=lambda index: len(examples[index]))
    found: list[np.ndarray] = [np.empty(0)] * len(examples)
    for start in tqdm(range(0, len(order), batch_size), unit="batch"):
        part = order[start : start + batch_size]
        collated = collate([examples[index] for index in part])
        batch = {key: value.to(device) for key, value in collated.items()}
        nll = model(batch["input_ids"], batch["targets"])
        for row, index in enumerate(part):
            own = nll[row][batch["targets"][row] != IGNORED]
            found[index] = own.neg().exp().cpu().numpy()
    return found
