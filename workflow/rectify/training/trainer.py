"""The training loop: transformers.Trainer with a weighted token loss, monitors and a resume.

Imports nothing but torch, transformers with accelerate, and pandas for the log, so that it also
runs where only those are installed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from rectify.models.encoding import Example
from rectify.objectives.inputs import BATCH, DISTRIBUTION, REFERENCE
from rectify.objectives.loss import IGNORED, denominator, nll_and_more
from rectify.objectives.rules.sums import sequence_sum
from rectify.objectives.signature import parameters_of, required, takes_reference, weigh
from rectify.training.batches import collate, micro_batches, order_examples, with_uniform
from rectify.training.callbacks import Stopper, not_finite
from rectify.training.monitors import EVERY, Monitors, alarms
from rectify.training.old_policy import ReadAhead, updates_per_reading
from rectify.training.reference_model import frozen_copy, with_reference
from rectify.training.run import run
from rectify.training.trainer_arguments import sharding, training_arguments


class WeightedTrainer(Trainer):
    """transformers.Trainer on sum(stop_gradient(w) * nll + kl_weight * kl) / N, for any objective.

    The model's forward must be that of rectify.objectives.loss.with_token_nll; `reference` is the
    frozen reference where the objective has a kl_weight, `fixed` what the objective is given that
    does not change.
    """

    loss_is_scaled_for_ga = True  # compute_loss divides; Trainer must not divide again

    def __init__(
        self,
        *args: Any,
        objective: Callable,
        accumulation: str,
        reference: nn.Module | None,
        fixed: Mapping[str, Tensor] = {},
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.objective, self.accumulation, self.reference = objective, accumulation, reference
        device = self.accelerator.device
        self.needs = required(objective)
        self.fixed = {name: values.to(device) for name, values in fixed.items()}
        self.scalars = [name for name in DISTRIBUTION if name in self.needs]
        self.k = parameters_of(objective).get("k")
        updates = updates_per_reading(objective, self.args.max_steps)
        self.ahead = ReadAhead(updates, self.log_probabilities) if updates else None
        self.monitors = Monitors()
        self.warned: set[str] | None = None  # not known before the first row of this process

    def create_accelerator_and_postprocess(self) -> None:
        """Let accelerate shard on CPUs too: left alone it does so on GPUs only, without a word."""
        super().create_accelerator_and_postprocess()
        if self.args.fsdp and self.args.use_cpu:
            state = self.accelerator.state
            state.distributed_type = DistributedType.FSDP
            state.fsdp_plugin = FullyShardedDataParallelPlugin(**self.args.fsdp_plugin_args)
            self.is_fsdp_enabled = True

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)  # fit has ordered them

    def get_batch_samples(self, epoch_iterator, num_batches, device):  # noqa: ANN001, ANN201
        """The micro-batches of one step, and its response tokens over all processes."""
        if self.ahead:
            step = self.state.global_step
            batches = self.ahead.next_step(epoch_iterator, num_batches, step, self.checkpoint())
        else:
            batches = list(itertools.islice(epoch_iterator, num_batches))
        tokens = sum((batch["targets"] != IGNORED).sum() for batch in batches)
        tokens = self.accelerator.gather(torch.as_tensor(tokens, device=device)).sum()
        self.whole = self.of_whole_batch(batches)
        return batches, tokens

    def checkpoint(self) -> Path:
        """The folder of a checkpoint of the step that has been taken last."""
        return Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"

    def _save_checkpoint(self, *args: Any) -> None:
        super()._save_checkpoint(*args)
        if self.ahead:
            self.ahead.save(self.checkpoint())

    def floating_point_ops(self, inputs: dict[str, Tensor]) -> int:
        """Not counted: Trainer would walk over the model for it at every micro-batch."""
        return 0

    @torch.no_grad()
    def of_whole_batch(self, batches: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """What the objective takes that is one for the whole step: [n, ...], over all processes.

        Log-probabilities take a forward pass of their own, before any weight is known; there is no
        dropout, so they are those of the pass that is trained on.
        """
        step = self.state.global_step
        clock = {"step": step, "progress": step / max(self.args.max_steps, 1)}
        found = {name: torch.tensor(value, dtype=torch.float64) for name, value in clock.items()}
        found |= self.fixed
        # in one order, in which the processes gather them
        own: dict[str, list[Tensor]] = {name: [] for name in BATCH if name in self.needs}
        if not own:
            return found
        for batch in batches:
            values = {k: v.to(self.accelerator.device) for k, v in batch.items()}
            mask = values["targets"] != IGNORED
            if self.needs & {"batch_logp", "batch_log_ratio"}:
                values["logp"] = self.log_probabilities(values)
            if "batch_log_ratio" in own:
                values["log_ratio"] = sequence_sum(values["logp"] - values["ref_logp"], mask)
            for name, rows in own.items():
                row = values[name.removeprefix("batch_")]
                rows.append(row.masked_fill(~mask, math.nan) if row.shape == mask.shape else row)
        for name, parts in own.items():
            rows = self.everywhere(parts)
            found[name] = rows.flatten() if BATCH[name].startswith("[n] ") else rows
        return found

    def log_probabilities(self, batch: dict[str, Tensor]) -> Tensor:
        """Log p of a micro-batch's response tokens under the weights as they are: [B, T], nats."""
        batch = self._prepare_inputs(batch)
        with torch.no_grad():
            return -self.model_wrapped(batch["input_ids"], batch["targets"])

    def everywhere(self, parts: list[Tensor]) -> Tensor:
        """[B, T] of each micro-batch, of all processes, as one: [n, T], NaN beyond a row's end.

        Processes may have different numbers of rows.
        """
        longest = max(each.shape[1] for each in parts)
        rows = torch.cat([F.pad(e, (0, longest - e.shape[1]), value=math.nan) for e in parts])
        for dim in (0, 1):
            rows = self.accelerator.pad_across_processes(rows, dim=dim, pad_index=math.nan)
        rows = self.accelerator.gather(rows)
        return rows[~rows.isnan().all(dim=1)]

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # noqa: ANN001, ANN201
        """The micro-batch's share of the step's loss."""
        mask = inputs["targets"] != IGNORED
        nll, weight, kl = self.weighted(model, inputs)
        total = (weight * nll * mask).sum()
        if kl is not None:
            total = total + parameters_of(self.objective)["kl_weight"] * kl.sum()
        if not torch.isfinite(total):
            raise not_finite("loss", self.state.global_step + 1, self.args.output_dir)
        # gradients are averaged over processes; multiplying makes that a sum, which the released
        # code's does not
        scale = self.accelerator.num_processes if self.accumulation == "token_mean" else 1
        return total * scale / denominator(self.accumulation, mask.sum(), num_items_in_batch)

    def weighted(
        self, model: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """NLL and weight of a micro-batch's tokens, and the KL where there is one: [B, T] each.

        Of a step that get_batch_samples has begun; the monitors take note.
        """
        tokens = {key: batch[key] for key in ("input_ids", "targets")}
        mask = tokens["targets"] != IGNORED
        more = {"scalars": self.scalars, "k": self.k, "entropy_every": EVERY}
        if self.reference is not None:
            with torch.no_grad(), self.accelerator.autocast():
                more["ref_hidden"] = self.reference(**tokens)
            more["ref_weight"] = self.reference.get_output_embeddings().weight
        nll, found = nll_and_more(model(**tokens, **more))
        kl, entropies = found.pop("kl", None), {"entropy": found.pop("sampled_entropy")}
        if "ref_entropy" in batch:
            entropies["ref_entropy"] = batch["ref_entropy"][mask][::EVERY]  # of the same tokens
        given = {**batch, "logp": -nll.detach(), "mask": mask, **found, **self.whole}
        weight = weigh(self.objective, given)
        distance = None if kl is None else kl.detach()
        known = (batch.get("ref_logp"), distance, batch.get("ended"), entropies)
        self.monitors.add(nll.detach(), weight, mask, *known)
        return nll, weight, kl

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the monitors to the step's log; say once of each kind what is odd about it."""
        if "loss" in logs:
            self.monitors.gather(self.accelerator)
            logs |= self.monitors.columns()
            self.monitors.reset()
            history = self.state.log_history
            first = next((row for row in history if "loss" in row), logs)
            if self.warned is None:  # what was said before a resume is not said again
                before = (alarms(row, first) for row in history if "loss" in row)
                self.warned = {kind for said in before for kind, _ in said}
            for kind, sentence in alarms(logs, first):
                if kind not in self.warned and self.is_world_process_zero():
                    print(f"step {self.state.global_step}: {sentence}", flush=True)
                self.warned.add(kind)
        super().log(logs, start_time)


def with_given(
    batches: Sequence[Sequence[Example]],
    objective: Callable,
    reference: nn.Module,
    precision: str,
    seed: int,
    also: Collection[str] = (),
) -> list[list[Example]]:
    """Micro-batches whose examples have what the objective takes that is known before any step: of
    the reference (rectify.objectives.inputs.REFERENCE, of which `also` some more), and `uniform`.
    """
    needs = required(objective)
    if of_reference := needs & set(REFERENCE) | set(also):
        k = parameters_of(objective).get("k")
        batches = with_reference(reference, batches, precision, sorted(of_reference), k)
    return with_uniform(batches, seed) if "uniform" in needs else batches


def fixed_of(objective: Callable, examples: Sequence[Example]) -> dict[str, Tensor]:
    """What the objective takes that is one for the whole training."""
    if "train_reward" not in required(objective):
        return {}
    return {"train_reward": torch.tensor([example.reward for example in examples])}


def fit(
    model: nn.Module,
    examples: Sequence[Example],
    objective: Callable,
    settings: SimpleNamespace,
    *,
    steps: int,
    seed: int,
    state: Path,
    callbacks: Sequence[TrainerCallback],
    reference: nn.Module | None = None,
) -> None:
    """Train `model` in place for `steps` optimiser steps, resuming from `state` if it can.

    `settings` has the keys of a study's `training` block; `objective` is from
    rectify.objectives.signature.load_objective, its reference the model as it is, or another
    whose forward is also that of with_token_nll. Runs on every process that torchrun
    started. Raises StepError, naming the step, if a loss is not finite, and Stopped after a
    SIGTERM; checkpoints written before stay in `state`.
    """
    arguments = training_arguments(model, settings, steps, seed, state)
    arguments["per_device_train_batch_size"] = 1  # of what is a micro-batch already
    ordered = order_examples(examples, steps, settings.batch_size, seed)
    # sum_of_means counts each micro-batch the same, so that what it holds matters
    how = settings.micro_batches if settings.accumulation == "token_mean" else "as_they_come"
    batches = micro_batches(ordered, settings.batch_size, settings.micro_batch_size, how)
    # the log has the reference's entropy, too, and how far the model is from it
    log = {"ref_entropy", "ref_logp"} if takes_reference(objective) else set()
    batches = with_given(batches, objective, reference or model, settings.precision, seed, log)
    anchored = parameters_of(objective).get("kl_weight")
    shards = bool(sharding(model, settings))
    frozen = frozen_copy(reference or model, shard=shards) if anchored else None
    trainer = WeightedTrainer(
        model,
        TrainingArguments(**arguments),
        data_collator=lambda batches: collate(batches[0]),
        train_dataset=batches,
        callbacks=[*callbacks, Stopper()],
        objective=objective,
        accumulation=settings.accumulation,
        reference=frozen,
        fixed=fixed_of(objective, examples),
    )
    run(trainer, steps, state)
