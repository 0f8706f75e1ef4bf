"""The training loop: transformers.Trainer with a weighted token loss, monitors and a resume.

Imports nothing but torch and transformers (and pandas, for the log), so that it also runs where
only those are installed.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from rectify.io import StepError, write_text
from rectify.loss import IGNORED, denominator
from rectify.objectives import Objective
from rectify.tokenizer import Example

COMPLETE = "complete"  # a file in every checkpoint that was written to its end


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

    targets[b, t] is the next token where it belongs to the response, else IGNORED.
    """
    length = max(map(len, examples)) - 1
    input_ids = torch.zeros(len(examples), length, dtype=torch.long)
    targets = torch.full((len(examples), length), IGNORED)
    for row, example in enumerate(examples):
        ids = torch.tensor(example.prompt + example.response)
        input_ids[row, : len(ids) - 1] = ids[:-1]
        targets[row, len(example.prompt) - 1 : len(ids) - 1] = ids[len(example.prompt) :]
    return {"input_ids": input_ids, "targets": targets}


def not_finite(what: str, step: int, state: str) -> StepError:
    """The error that ends a diverged run; what was saved before stays in `state`."""
    return StepError(
        f"the {what} is not finite at step {step}; checkpoints from before it, if any, are in "
        f"{state}; try a lower learning_rate"
    )


class Monitors:
    """Sums since the last row of the training log, from which its next row is made."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new row."""
        self.tokens = self.nll = self.weight = self.square = 0.0
        self.largest, self.started = 0.0, time.perf_counter()

    def add(self, nll: Tensor, weight: Tensor, mask: Tensor) -> None:
        """Add a micro-batch: nll and weight [B, T], mask [B, T]."""
        used = weight[mask]
        self.tokens += mask.sum().item()
        self.nll += nll.sum().item()
        self.weight += used.sum().item()
        self.square += used.square().sum().item()
        self.largest = max(self.largest, used.max().item())

    def columns(self) -> dict[str, float]:
        """Nll in nats per token; the weights' mean, max and effective-sample-size ratio."""
        return {
            "nll": self.nll / self.tokens,
            "weight_mean": self.weight / self.tokens,
            "weight_max": self.largest,
            "weight_ess": self.weight**2 / (self.square * self.tokens) if self.square else 0.0,
            "response_tokens": self.tokens,
            "tokens_per_second": self.tokens / (time.perf_counter() - self.started),
        }


class WeightedTrainer(Trainer):
    """transformers.Trainer on sum(stop_gradient(w) * nll) / N, for any objective's weights w.

    The model's forward must be that of rectify.loss.with_token_nll.
    """

    loss_is_scaled_for_ga = True  # compute_loss divides; Trainer must not divide again

    def __init__(
        self,
        *args: Any,
        objective: Objective,
        reference: nn.Module | None,
        accumulation: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.objective, self.accumulation = objective, accumulation
        self.reference = reference and reference.to(self.args.device)
        self.monitors = Monitors()

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
        nll, mask = model(**inputs), inputs["targets"] != IGNORED
        logp, given = -nll.detach(), {}
        if self.objective.reference:
            with torch.no_grad(), self.accelerator.autocast():
                given["ref_logp"] = -self.reference(**inputs)
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
            logs |= self.monitors.columns()
            self.monitors.reset()
        super().log(logs, start_time)


class Recorder(TrainerCallback):
    """Marks complete checkpoints, keeps the CSV log and saves weights at the steps asked for."""

    def __init__(
        self, state: Path, steps: Sequence[int], save: Callable[[nn.Module, Path], None]
    ) -> None:
        self.state, self.steps, self.save = state, set(steps), save

    def on_log(self, args, state, control, **_: Any) -> None:  # noqa: ANN001
        """Write the whole history: after a resume it has no row twice."""
        import pandas as pd

        rows = [row for row in state.log_history if "loss" in row]
        if rows and state.is_world_process_zero:
            write_text(self.state / "train.csv", pd.DataFrame(rows).to_csv(index=False))

    def on_pre_optimizer_step(self, args, state, control, model=None, **_: Any) -> None:  # noqa: ANN001
        """Refuse an update that would make the weights not finite."""
        if not all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None):
            raise not_finite("gradient", state.global_step + 1, args.output_dir)

    def on_step_end(self, args, state, control, model=None, **_: Any) -> None:  # noqa: ANN001
        """Save weights for a learning curve; log the last step whatever the interval."""
        control.should_log |= state.global_step == state.max_steps
        if state.global_step in self.steps:
            self.save(model, self.state / "weights" / f"checkpoint-{state.global_step}")

    def on_save(self, args, state, control, model=None, **_: Any) -> None:  # noqa: ANN001
        """Called after the last file of a checkpoint is written: it counts if it is finite."""
        if not all(parameter.isfinite().all() for parameter in model.parameters()):
            raise not_finite("model", state.global_step, args.output_dir)
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def last_checkpoint(state: Path) -> Path | None:
    """The latest complete checkpoint of a state folder."""
    found = [marker.parent for marker in state.glob(f"checkpoint-*/{COMPLETE}")]
    return max(found, key=lambda folder: int(folder.name.split("-")[1]), default=None)


def fit(
    model: nn.Module,
    reference: nn.Module | None,
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

    `settings` has the keys of a study's `training` block. Raises StepError, naming the step, if
    a loss is not finite; checkpoints written before stay in `state`.
    """
    processes = int(torch.distributed.get_world_size()) if torch.distributed.is_initialized() else 1
    arguments = TrainingArguments(
        output_dir=str(state),
        max_steps=steps,
        per_device_train_batch_size=settings.micro_batch_size,
        gradient_accumulation_steps=settings.batch_size // settings.micro_batch_size // processes,
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
        report_to="none",
        seed=seed,
        disable_tqdm=not sys.stderr.isatty(),
    )
    trainer = WeightedTrainer(
        model,
        arguments,
        data_collator=collate,
        train_dataset=order_examples(
            examples, steps, settings.batch_size, seed, settings.accumulation == "token_mean"
        ),
        callbacks=list(callbacks),
        objective=objective,
        reference=reference,
        accumulation=settings.accumulation,
    )
    resume = last_checkpoint(state)
    if resume:
        print(f"resuming from {resume}", flush=True)
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
