"""The training loop: transformers.Trainer with a weighted token loss, monitors and a resume.

Imports nothing but torch, transformers with accelerate, and pandas for the log, so that it also
runs where only those are installed.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from torch import nn
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from rectify.batches import collate, order_examples, with_reference
from rectify.callbacks import COMPLETE, Monitors, Stopper, not_finite
from rectify.io import StepError, first_line
from rectify.loss import IGNORED, denominator
from rectify.objectives import Objective
from rectify.processes import processes
from rectify.tokenizer import Example


class Stopped(Exception):  # noqa: N818
    """Training was asked to stop, has saved a checkpoint, and is to be run again."""


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


def last_checkpoint(state: Path) -> Path | None:
    """The latest complete checkpoint of a state folder."""
    found = [marker.parent for marker in state.glob(f"checkpoint-*/{COMPLETE}")]
    return max(found, key=lambda folder: int(folder.name.split("-")[1]), default=None)


def sharding(model: nn.Module, settings: SimpleNamespace) -> dict[str, Any]:
    """FSDP2, as TrainingArguments take it, where several processes share one model's memory."""
    if processes().num_processes == 1 or settings.sharding == "none":
        return {}
    layers = sorted(model._no_split_modules)
    wrapped = {"version": 2, "transformer_layer_cls_to_wrap": layers}
    # each process writes its own part of a checkpoint
    return {"fsdp": True, "fsdp_config": {**wrapped, "state_dict_type": "SHARDED_STATE_DICT"}}


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
    count = processes().num_processes
    if settings.batch_size % (settings.micro_batch_size * count):
        raise StepError(
            f"training.batch_size {settings.batch_size} is not a multiple of micro_batch_size "
            f"{settings.micro_batch_size} times {count} processes"
        )
    sort = settings.accumulation == "token_mean"
    ordered = order_examples(examples, steps, settings.batch_size, seed, sort)
    if objective.reference:
        ordered = with_reference(model, ordered, settings.micro_batch_size, settings.precision)
    arguments = TrainingArguments(
        output_dir=str(state),
        max_steps=steps,
        per_device_train_batch_size=settings.micro_batch_size,
        gradient_accumulation_steps=settings.batch_size // settings.micro_batch_size // count,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=math.ceil(settings.warmup_ratio * steps),
        weight_decay=settings.weight_decay,
        adam_beta1=settings.betas[0],
        adam_beta2=settings.betas[1],
        max_grad_norm=settings.max_grad_norm,
        bf16=settings.precision == "bf16-mixed",
        gradient_checkpointing=settings.gradient_checkpointing,
        save_strategy="steps",
        save_steps=settings.save_every,
        save_total_limit=2,
        logging_steps=settings.log_every,
        logging_nan_inf_filter=False,  # it would hide NaN losses
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        use_cpu=not torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        report_to="none",
        seed=seed,
        disable_tqdm=not sys.stderr.isatty(),
        **sharding(model, settings),
    )
    trainer = WeightedTrainer(
        model,
        arguments,
        data_collator=collate,
        train_dataset=ordered,
        callbacks=[*callbacks, Stopper()],
        objective=objective,
        accumulation=settings.accumulation,
    )
    resume = last_checkpoint(state)
    if resume:
        print(f"resuming from {resume}", flush=True)
    try:
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    except torch.OutOfMemoryError as error:
        raise StepError(
            f"out of GPU memory: {first_line(error)}; lower training.micro_batch_size, set "
            "gradient_checkpointing, or take more GPUs with sharding: full"
        ) from error
    if trainer.state.global_step < steps:
        raise Stopped(f"SIGTERM: stopped at step {trainer.state.global_step}; run again to resume")
