"""A study's `training` block as transformers.Trainer and its kin take it."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from rectify.step.errors import StepError
from rectify.training.distributed import processes


def sharding(model: nn.Module, settings: SimpleNamespace) -> dict[str, Any]:
    """FSDP2, as TrainingArguments take it, where several processes share one model's memory."""
    if processes().num_processes == 1 or settings.sharding == "none":
        return {}
    layers = sorted(model._no_split_modules)
    wrapped = {"version": 2, "transformer_layer_cls_to_wrap": layers}
    # each process writes its own part of a checkpoint
    return {"fsdp": True, "fsdp_config": {**wrapped, "state_dict_type": "SHARDED_STATE_DICT"}}


def training_arguments(
    model: nn.Module,
    settings: SimpleNamespace,
    steps: int,
    seed: int,
    state: Path,
    per_row: int = 1,
) -> dict[str, Any]:
    """A study's `training` block as transformers.TrainingArguments and their kin take it.

    per_row: sequences that each row becomes (an online method draws several answers). Raises
    StepError if the processes' micro-batches do not make up a batch.
    """
    count = processes().num_processes
    if settings.batch_size % (settings.micro_batch_size * count):
        raise StepError(
            f"training.batch_size {settings.batch_size} is not a multiple of micro_batch_size "
            f"{settings.micro_batch_size} times {count} processes"
        )
    return {
        "output_dir": str(state),
        "max_steps": steps,
        "per_device_train_batch_size": settings.micro_batch_size,
        "gradient_accumulation_steps": (
            settings.batch_size * per_row // settings.micro_batch_size // count
        ),
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.schedule,
        "warmup_steps": math.ceil(settings.warmup_ratio * steps),
        "weight_decay": settings.weight_decay,
        "adam_beta1": settings.betas[0],
        "adam_beta2": settings.betas[1],
        "max_grad_norm": settings.max_grad_norm,
        "bf16": settings.precision == "bf16-mixed",
        "gradient_checkpointing": settings.gradient_checkpointing,
        "save_strategy": "steps",
        "save_steps": settings.save_every,
        "save_total_limit": 2,
        "logging_steps": settings.log_every,
        "logging_nan_inf_filter": False,  # it would hide NaN losses
        "remove_unused_columns": False,
        "dataloader_pin_memory": torch.cuda.is_available(),
        "use_cpu": not torch.cuda.is_available(),
        "ddp_find_unused_parameters": False,
        "report_to": "none",
        "seed": seed,
        "disable_tqdm": not sys.stderr.isatty(),
        **sharding(model, settings),
    }
