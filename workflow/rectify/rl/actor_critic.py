"""The networks of a PPO run, policy, critic and reference, and what is asked of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import get_scheduler

from rectify.objectives.chunked import token_nll
from rectify.objectives.loss import text_trunk
from rectify.step.command import Settings
from rectify.training.distributed import processes

Batch = dict[str, Tensor]
"""Named [B, T] tensors: input_ids, targets, mask, and what has been computed for their tokens."""


class Critic(nn.Module):
    """The value of every position: a copy of the policy's trunk, and a linear head from 0.

    A network of its own, as verl has it: the error of the values, large at first, does not pull at
    the policy's trunk.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.trunk = copy.deepcopy(text_trunk(model))
        self.head = nn.Linear(model.config.get_text_config().hidden_size, 1, bias=False)
        nn.init.zeros_(self.head.weight)

    def forward(self, input_ids: Tensor) -> Tensor:
        """[B, T] token ids -> [B, T] values in fp32."""
        hidden = self.trunk(input_ids=input_ids, use_cache=False).last_hidden_state
        return self.head(hidden.to(self.head.weight.dtype))[..., 0].float()


def token_logp(model: nn.Module, batch: Batch, temperature: float) -> Tensor:
    """Log p of each response token at the temperature it was drawn at: [B, T], 0 elsewhere."""
    mask, head = batch["mask"], model.get_output_embeddings()
    hidden = text_trunk(model)(input_ids=batch["input_ids"], use_cache=False).last_hidden_state
    nll = token_nll(hidden[mask] / temperature, head.weight, batch["targets"][mask])
    return torch.zeros(mask.shape, device=mask.device).masked_scatter(mask, -nll)


def take(batch: Batch, rows: Tensor) -> Batch:
    """Some rows of a batch, without the columns that are padding in all of them."""
    width = int(batch["mask"][rows].any(dim=0).nonzero().max()) + 1
    return {name: value[rows, :width] for name, value in batch.items()}


class Run:
    """Policy, critic, reference and optimiser of one run, and the settings they go by."""

    def __init__(self, model: nn.Module, settings: SimpleNamespace, steps: int) -> None:
        self.settings, self.ppo = settings, Settings(**settings.ppo)
        self.device = processes().device
        self.reference = copy.deepcopy(model).to(self.device).eval().requires_grad_(False)
        if settings.gradient_checkpointing:
            model.gradient_checkpointing_enable()
        self.policy = model.to(self.device).train()
        self.critic = Critic(model).to(self.device).train()
        self.optimiser = torch.optim.AdamW(
            [
                {"params": part, "lr": rate, "weight_decay": decay}
                for network, rate in (
                    (self.policy, settings.learning_rate),
                    (self.critic, self.ppo.value_learning_rate),
                )
                for part, decay in zip(
                    by_dimension(network), (settings.weight_decay, 0.0), strict=True
                )
            ],
            betas=tuple(settings.betas),
        )
        warmup = math.ceil(settings.warmup_ratio * steps)
        self.scheduler = get_scheduler(settings.schedule, self.optimiser, warmup, steps)

    def autocast(self) -> torch.autocast:
        """Of the study's precision."""
        mixed = self.settings.precision == "bf16-mixed"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=mixed)

    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds: all that changes from step to step. Draws have seeds instead."""
        names = ("policy", "critic", "optimiser", "scheduler")
        return {name: getattr(self, name) for name in names}

    def micro_batches(self, rows: Tensor) -> Sequence[Tensor]:
        """Row numbers, as many at a time as go through a model together."""
        return rows.split(self.settings.micro_batch_size)


def by_dimension(network: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """Matrices, which weight decay is for, and the rest (norms, biases)."""
    parameters = list(network.parameters())
    return [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]
