"""Batches: rows that have what an objective takes, their order, and their padding."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from rectify.models.encoding import Example
from rectify.objectives.loss import IGNORED
from rectify.objectives.signature import required, weighs_rewards
from rectify.step.errors import StepError

Row = TypeVar("Row")


def check_columns(name: str, objective: Callable, examples: list[Example]) -> None:
    """Raise StepError, naming the objective, unless every example has what it takes of a row."""
    if weighs_rewards(objective):
        without = sum(e.reward is None or not math.isfinite(e.reward) for e in examples)
        if without:
            raise StepError(
                f"objective '{name}' needs rewards, but {without} of {len(examples)} rows have "
                "none; name the field that holds them in data.reward, or learn from the model's "
                "own answers (setting: offline)"
            )
    if "behaviour_logp" in required(objective):
        without = sum("behaviour_logp" not in e.values for e in examples)
        if without:
            raise StepError(
                f"objective '{name}' needs behaviour_logp, but {without} of {len(examples)} rows "
                "have none; name the field that holds them in data.behaviour_logp"
            )


def order_examples(examples: Sequence[Row], steps: int, batch_size: int, seed: int) -> list[Row]:
    """The examples in training order: `steps` batches; a new permutation for each epoch.

    Whole batches only: an epoch's remainder is dropped.
    """
    per_epoch = len(examples) // batch_size
    ordered: list[Row] = []
    for epoch in range(math.ceil(steps / per_epoch)):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        permutation = torch.randperm(len(examples), generator=generator).tolist()
        ordered += [examples[index] for index in permutation[: per_epoch * batch_size]]
    return ordered[: steps * batch_size]


def micro_batches(ordered: Sequence[Row], batch_size: int, size: int, how: str) -> list[list[Row]]:
    """Each batch of `ordered` as batch_size / size micro-batches.

    how: `as_they_come` or `sorted` (by length, longest first), of `size` rows each; or
    `least_padding`: of longest rows first, too, but few of the long and many of the short, so that
    the padded tokens (rows times the longest row) are the fewest, none with more than `size` of
    the longest rows would have.
    """
    found: list[list[Row]] = []
    for start in range(0, len(ordered), batch_size):
        batch = list(ordered[start : start + batch_size])
        if how != "as_they_come":
            batch.sort(key=len, reverse=True)
        if how == "least_padding":
            found += least_padding(batch, batch_size // size, size * len(batch[0]))
        else:
            found += [batch[first : first + size] for first in range(0, batch_size, size)]
    return found


def least_padding(rows: list[Row], count: int, limit: int) -> list[list[Row]]:
    """Rows, longest first, in `count` runs of the fewest padded tokens, at most `limit` in each.

    By dynamic programming over the ends of the first 1, 2, ... runs, in whole numbers.
    """
    n = len(rows)
    first, last = np.ogrid[:n, :n]
    padded = (last - first + 1) * np.array([[len(row)] for row in rows])
    never = n * limit + 1
    padded[(last < first) | (padded > limit)] = never
    fewest, starts = padded[0], []  # of the rows up to each, in the runs so far
    for _ in range(count - 1):
        before = np.concatenate([[never], fewest[:-1]])[:, None] + padded
        starts.append(before.argmin(axis=0))
        fewest = np.minimum(before.min(axis=0), never)
    edges = [n]
    for start in reversed(starts):
        edges.append(int(start[edges[-1] - 1]))
    return [rows[start:end] for start, end in itertools.pairwise([0, *reversed(edges)])]


def with_values(batches: Sequence[Sequence[Example]], **found: list[Tensor]) -> list[list[Example]]:
    """Micro-batches whose examples have more values: by name, each micro-batch's response tokens'.

    [N] in the order of the examples, N their response tokens together.
    """
    filled = []
    for index, batch in enumerate(batches):
        lengths = [len(example.response) for example in batch]
        parts = {name: values[index].split(lengths) for name, values in found.items()}
        filled.append(
            [
                replace(e, values=e.values | {name: own[row] for name, own in parts.items()})
                for row, e in enumerate(batch)
            ]
        )
    return filled


def with_uniform(batches: Sequence[Sequence[Example]], seed: int) -> list[list[Example]]:
    """Micro-batches whose examples have `uniform`: drawn by seed, the same however they are cut."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [sum(len(example.response) for example in batch) for batch in batches]
    return with_values(batches, uniform=[torch.rand(n, generator=generator) for n in sizes])


def collate(examples: Sequence[Example]) -> dict[str, Tensor]:
    """Pad examples on the right: {input_ids: [B, T], targets: [B, T]}.

    targets[b, t] is the next token where it belongs to the response, else IGNORED. Examples that
    carry values of their response tokens add these by name: [B, T], 0 elsewhere; rewards, reward:
    [B, 1]; where a row was cut, ended: [B].
    """
    length = max(map(len, examples)) - 1
    input_ids = torch.zeros(len(examples), length, dtype=torch.long)
    targets = torch.full((len(examples), length), IGNORED)
    for row, example in enumerate(examples):
        ids = torch.tensor(example.prompt + example.response)
        input_ids[row, : len(ids) - 1] = ids[:-1]
        targets[row, len(example.prompt) - 1 : len(ids) - 1] = ids[len(example.prompt) :]
    batch = {"input_ids": input_ids, "targets": targets}
    for name in examples[0].values:
        values = torch.cat([example.values[name] for example in examples])
        zeros = torch.zeros(targets.shape)
        batch[name] = zeros.masked_scatter(targets != IGNORED, values)
    if examples[0].reward is not None:
        batch["reward"] = torch.tensor([[example.reward] for example in examples])
    if not all(example.ended for example in examples):
        batch["ended"] = torch.tensor([example.ended for example in examples])
    return batch
