"""The frozen starting model: its log-probabilities of the rows, and itself where more is needed."""

from __future__ import annotations

import copy
import sys
from collections.abc import Collection, Sequence
from types import MethodType

import torch
from accelerate.utils import gather_object
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from tqdm import tqdm

from rectify.models.encoding import Example
from rectify.objectives.loss import IGNORED, nll_and_more, response_hidden
from rectify.training.batches import collate, with_values
from rectify.training.distributed import processes


@torch.no_grad()
def with_reference(
    model: nn.Module,
    batches: Sequence[Sequence[Example]],
    precision: str,
    names: Collection[str] = ("ref_logp",),
    k: int | None = None,
) -> list[list[Example]]:
    """Micro-batches whose examples have, of every response token under the model as it is, log p
    in nats and the scalars of its distribution that `names` ask for, each with `ref_` before it.

    The reference of importance weights is the frozen starting model, so one pass before the first
    update takes the place of a second model in memory. An example is read once, in the micro-batch
    that shows it first (so that weights start at exactly 1); the processes share them out.
    """
    state = processes()
    scalars = [name.removeprefix("ref_") for name in names if name != "ref_logp"]
    distinct: list[list[Example]] = []
    seen: set[int] = set()
    for batch in batches:
        new = [example for example in batch if id(example) not in seen]
        seen.update(map(id, new))
        distinct += [new] if new else []
    model.to(state.device).eval()
    found: list[tuple[int, dict[str, Tensor]]] = []
    own = range(state.process_index, len(distinct), state.num_processes)
    for index in tqdm(own, desc="reference", unit="batch", disable=not sys.stderr.isatty()):
        batch = {key: value.to(state.device) for key, value in collate(distinct[index]).items()}
        tokens, targets = batch["input_ids"], batch["targets"]
        with torch.autocast(state.device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
            nll, others = nll_and_more(model(tokens, targets, scalars=scalars, k=k))
        values = {"logp": -nll, **others}
        mask = targets != IGNORED
        found.append((index, {f"ref_{name}": each[mask].cpu() for name, each in values.items()}))
    model.train()
    by_index = dict(gather_object(found))
    read = {name: [by_index[i][name] for i in range(len(distinct))] for name in by_index[0]}
    known: dict[int, Example] = {}
    for plain, filled in zip(distinct, with_values(distinct, **read), strict=True):
        known.update(zip(map(id, plain), filled, strict=True))
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
