"""Batches: the order of rows, and their padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

from rectify.loss import IGNORED
from rectify.tokenizer import Example

Row = TypeVar("Row")


def order_examples(
    examples: Sequence[Row], steps: int, batch_size: int, seed: int, sort: bool
) -> list[Row]:
    """The examples in training order: `steps` batches; a new permutation for each epoch.

    Whole batches only: an epoch's remainder is dropped. With `sort`, each batch is sorted by
    length (longest first), so that the micro-batches cut from it carry little padding.
    """
    per_epoch = len(examples) // batch_size
    ordered: list[Row] = []
    for epoch in range(math.ceil(steps / per_epoch)):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        permutation = torch.randperm(len(examples), generator=generator).tolist()
        for start in range(0, per_epoch * batch_size, batch_size):
            batch = [examples[index] for index in permutation[start : start + batch_size]]
            ordered += sorted(batch, key=len, reverse=True) if sort else batch
    return ordered[: steps * batch_size]


def collate(examples: Sequence[Example]) -> dict[str, Tensor]:
    """Pad examples on the right: {input_ids: [B, T], targets: [B, T]}.

    targets[b, t] is the next token where it belongs to the response, else IGNORED. Examples that
    carry reference log-probabilities add ref_logp: [B, T], 0 elsewhere; rewards, reward: [B, 1].
    """
    length = max(map(len, examples)) - 1
    input_ids = torch.zeros(len(examples), length, dtype=torch.long)
    targets = torch.full((len(examples), length), IGNORED)
    for row, example in enumerate(examples):
        ids = torch.tensor(example.prompt + example.response)
        input_ids[row, : len(ids) - 1] = ids[:-1]
        targets[row, len(example.prompt) - 1 : len(ids) - 1] = ids[len(example.prompt) :]
    batch = {"input_ids": input_ids, "targets": targets}
    if examples[0].ref_logp is not None:
        values = torch.cat([example.ref_logp for example in examples])
        zeros = torch.zeros(targets.shape)
        batch["ref_logp"] = zeros.masked_scatter(targets != IGNORED, values)
    if examples[0].reward is not None:
        batch["reward"] = torch.tensor([[example.reward] for example in examples])
    return batch
