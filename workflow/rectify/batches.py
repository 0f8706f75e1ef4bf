"""Batches: the order of rows, their padding, the reference's log-probabilities."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace

import torch
from accelerate.utils import gather_object
from torch import Tensor, nn
from tqdm import tqdm

from rectify.loss import IGNORED
from rectify.processes import processes
from rectify.tokenizer import Example


def order_examples(
    examples: Sequence[Example], steps: int, batch_size: int, seed: int, sort: bool
) -> list[Example]:
    """The examples in training order: `steps` batches; a new permutation for each epoch.

    Whole batches only: an epoch's remainder is dropped. With `sort`, each batch is sorted by
    length (longest first), so that the micro-batches cut from it carry little padding.
    """
    per_epoch = len(examples) // batch_size
    ordered: list[Example] = []
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
    carry reference log-probabilities add ref_logp: [B, T], 0 elsewhere.
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
    return batch


@torch.no_grad()
def with_reference(
    model: nn.Module, ordered: Sequence[Example], batch_size: int, precision: str
) -> list[Example]:
    """The examples with log p of every response token under the model as it is, in nats.

    The reference of importance weights is the frozen starting model, so one pass before the first
    update takes the place of a second model in memory. Batches are those that training will see
    (so that weights start at exactly 1), shared out over the processes.
    """
    state = processes()
    distinct = list({id(example): example for example in ordered}.values())
    starts = range(0, len(distinct), batch_size)
    batches = [distinct[start : start + batch_size] for start in starts]
    model.to(state.device).eval()
    found: list[tuple[int, Tensor]] = []
    own = range(state.process_index, len(batches), state.num_processes)
    for index in tqdm(own, desc="reference", unit="batch", disable=not sys.stderr.isatty()):
        batch = {key: value.to(state.device) for key, value in collate(batches[index]).items()}
        with torch.autocast(state.device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
            logp = -model(**batch)
        found.append((index, logp[batch["targets"] != IGNORED].cpu()))
    model.train()
    values = dict(gather_object(found))
    known: dict[int, Example] = {}
    for index, batch in enumerate(batches):
        parts = values[index].split([len(example.response) for example in batch])
        for example, part in zip(batch, parts, strict=True):
            known[id(example)] = replace(example, ref_logp=part)
    return [known[id(example)] for example in ordered]
