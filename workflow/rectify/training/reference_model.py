"""The frozen starting model: its log-probabilities of the rows, and itself where more is needed."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import MethodType

import torch
from accelerate.utils import gather_object
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from tqdm import tqdm

from rectify.models.encoding import Example
from rectify.objectives.loss import IGNORED, response_hidden
from rectify.training.batches import collate
from rectify.training.distributed import processes


@torch.no_grad()
def with_reference(
    model: nn.Module, batches: Sequence[Sequence[Example]], precision: str
) -> list[list[Example]]:
    """Micro-batches whose examples have log p of every response token under the model as it is.

    The reference of importance weights is the frozen starting model, so one pass before the first
    update takes the place of a second model in memory. An example is read once, in the micro-batch
    that shows it first (so that weights start at exactly 1); the processes share them out. Nats.
    """
    state = processes()
    distinct: list[list[Example]] = []
    seen: set[int] = set()
    for batch in batches:
        new = [example for example in batch if id(example) not in seen]
        seen.update(map(id, new))
        distinct += [new] if new else []
    model.to(state.device).eval()
    found: list[tuple[int, Tensor]] = []
    own = range(state.process_index, len(distinct), state.num_processes)
    for index in tqdm(own, desc="reference", unit="batch", disable=not sys.stderr.isatty()):
        batch = {key: value.to(state.device) for key, value in collate(distinct[index]).items()}
        tokens, targets = batch["input_ids"], batch["targets"]
        with torch.autocast(state.device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
            logp = -model(tokens, targets)
        found.append((index, logp[targets != IGNORED].cpu()))
    model.train()
    values = dict(gather_object(found))
    known: dict[int, Example] = {}
    for index, batch in enumerate(distinct):
        parts = values[index].split([len(example.response) for example in batch])
        for example, part in zip(batch, parts, strict=True):
            known[id(example)] = replace(example, ref_logp=part)
    return [[known[id(example)] for example in batch] for batch in batches]


def frozen_copy(model: nn.Module, shard: bool) -> nn.Module:
    """A copy of the model that is not trained; `copy(input_ids, targets)` is response_hidden.

    What a KL over the whole vocabulary needs of the reference at every step. With `shard` the
    processes hold a part each (FSDP2), but for what is outside of the layers, which includes the
    head that rectify.objectives.loss reads.
    """
    # what LoRA has frozen need not be held twice
    frozen = {id(p): p for p in model.parameters() if not p.requires_grad and not shard}
    reference = copy.deepcopy(model, frozen).requires_grad_(False).eval()
    reference.forward = MethodType(response_hidden, reference)
    state = processes()
    if not shard:
        return reference.to(state.device)
    mesh = init_device_mesh(state.device.type, (state.num_processes,))
    for module in reference.modules():
        if type(module).__name__ in model._no_split_modules:
            fully_shard(module, mesh=mesh)
    return fully_shard(reference, mesh=mesh, reshard_after_forward=False)
