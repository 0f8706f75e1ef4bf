"""The training loop: transformers.Trainer with a weighted token loss, monitors and a resume.

Imports nothing but torch, transformers with accelerate, and pandas for the log, so that it also
runs where only those are installed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from torch import nn
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from rectify.arguments import run, training_arguments
from rectify.batches import collate, order_examples, with_reference
from rectify.callbacks import Monitors, Stopper, not_finite
from rectify.loss import IGNORED, denominator
from rectify.objectives import Objective
from rectify.tokenizer import Example


class WeightedTrainer(Trainer):
    """transformers.Trainer on sum(stop_gradient(w) * nll) / N, for any objective's weights w.

    The model's forward must be that of rectify.loss.with_token_nll.
    """

    loss_is_scaled_for_ga = True  # compute_loss divides; Trainer must not divide again

    def __init__(
        self,
        *args: Any,
        objective: Objective,
        accumulation: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.objective, self.accumulation = objective, accumulation
        self.monitors = Monitors()

    def create_accelerator_and_postprocess(self) -> None:
        """Let accelerate shard on CPUs too: left alone it does so on GPUs only, without a word."""
        super().create_accelerator_and_postprocess()
        if self.args.fsdp and self.args.use_cpu:
            state = self.accelerator.state
            state.distributed_type = DistributedType.FSDP
            state.fsdp_plugin = FullyShardedDataParallelPlugin(**self.args.fsdp_plugin_args)
            self.is_fsdp_enabled = True

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)  # order_examples has ordered them

    def get_batch_samples(self, epoch_iterator, num_batches, device):  # noqa: ANN001, ANN201
        """The micro-batches of one step, and its response tokens over all processes."""
        batches = list(itertools.islice(epoch_iterator, num_batches))
        tokens = sum((batch["targets"] != IGNORED).sum() for batch in batches)
        tokens = self.accelerator.gather(torch.as_tensor(tokens, device=device)).sum()
        return batches, tokens

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # noqa: ANN001, ANN201
        """The micro-batch's share of the step's loss."""
        given = {"ref_logp": inputs.pop("ref_logp")} if self.objective.reference else {}
        nll, mask = model(**inputs), inputs["targets"] != IGNORED
        logp = -nll.detach()
        weight = self.objective.weight(logp, mask, **given).detach().expand_as(nll)
        self.monitors.add(logp.neg(), weight, mask)
        total = (weight * nll * mask).sum()
        if not torch.isfinite(total):
            raise not_finite("loss", self.state.global_step + 1, self.args.output_dir)
        # gradients are averaged over processes; multiplying makes that a sum, which the released
        # code's does not
        scale = self.accelerator.num_processes if self.accumulation == "token_mean" else 1
        return total * scale / denominator(self.accumulation, mask.sum(), num_items_in_batch)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the monitors to the step's log."""
        if "loss" in logs:
            self.monitors.gather(self.accelerator)
            logs |= self.monitors.columns()
            self.monitors.reset()
        super().log(logs, start_time)


def fit(
    model: nn.Module,
    examples: Sequence[Example],
    objective: Objective,
    settings: SimpleNamespace,
    *,
    steps: int,
    seed: int,
    state: Path,
    callbacks: Sequence[TrainerCallback],
) -> None:
    """Train `model` in place for `steps` optimiser steps, resuming from `state` if it can.

    `settings` has the keys of a study's `training` block. Runs on every process that torchrun
    started. Raises StepError, naming the step, if a loss is not finite, and Stopped after a
    SIGTERM; checkpoints written before stay in `state`.
    """
    arguments = TrainingArguments(**training_arguments(model, settings, steps, seed, state))
    sort = settings.accumulation == "token_mean"
    ordered = order_examples(examples, steps, settings.batch_size, seed, sort)
    if objective.reference:
        ordered = with_reference(model, ordered, settings.micro_batch_size, settings.precision)
    trainer = WeightedTrainer(
        model,
        arguments,
        data_collator=collate,
        train_dataset=ordered,
        callbacks=[*callbacks, Stopper()],
        objective=objective,
        accumulation=settings.accumulation,
    )
    run(trainer, steps, state)
