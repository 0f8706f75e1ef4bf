"""The training loop: transformers.Trainer with a weighted token loss, monitors and a resume.

Imports nothing but torch, transformers with accelerate, and pandas for the log, so that it also
runs where only those are installed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from torch import Tensor, nn
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from rectify.models.encoding import Example
from rectify.objectives.built_in import sequence_sum
from rectify.objectives.loss import IGNORED, denominator
from rectify.objectives.signature import parameters_of, required, weigh
from rectify.training.batches import collate, micro_batches, order_examples
from rectify.training.callbacks import Stopper, not_finite
from rectify.training.monitors import Monitors
from rectify.training.reference_model import frozen_copy, with_reference
from rectify.training.run import run
from rectify.training.trainer_arguments import sharding, training_arguments

# mean |p / p_ref - 1| over which the first-order approximation is not to be trusted
FAR = 0.5


class WeightedTrainer(Trainer):
    """transformers.Trainer on sum(stop_gradient(w) * nll + kl_weight * kl) / N, for any objective.

    The model's forward must be that of rectify.objectives.loss.with_token_nll; `reference` is the
    frozen starting model where the objective has a kl_weight.
    """

    loss_is_scaled_for_ga = True  # compute_loss divides; Trainer must not divide again

    def __init__(
        self,
        *args: Any,
        objective: Callable,
        accumulation: str,
        reference: nn.Module | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.objective, self.accumulation, self.reference = objective, accumulation, reference
        self.monitors = Monitors()
        self.warned = False

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
        batches = list(itertools.islice(epoch_iterator, num_batches))
        tokens = sum((batch["targets"] != IGNORED).sum() for batch in batches)
        tokens = self.accelerator.gather(torch.as_tensor(tokens, device=device)).sum()
        self.whole = self.of_whole_batch(batches)
        return batches, tokens

    def floating_point_ops(self, inputs: dict[str, Tensor]) -> int:
        """Not counted: Trainer would walk over the model for it at every micro-batch."""
        return 0

    @torch.no_grad()
    def of_whole_batch(self, batches: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """What the objective takes from all sequences of the step, over all processes: [n] each.

        The log-ratios take a forward pass of their own, before any weight is known; there is no
        dropout, so they are those of the pass that is trained on.
        """
        needs, own = required(self.objective), {}
        if "batch_reward" in needs:
            own["batch_reward"] = [batch["reward"] for batch in batches]
        if "batch_log_ratio" in needs:
            own["batch_log_ratio"] = [self.log_ratio(batch) for batch in batches]
        device = self.accelerator.device
        return {
            key: self.accelerator.gather(torch.cat(values).flatten().to(device))
            for key, values in own.items()
        }

    def log_ratio(self, batch: dict[str, Tensor]) -> Tensor:
        """sum_t(logp - ref_logp) of each sequence of a micro-batch: [B, 1], nats."""
        batch = self._prepare_inputs(batch)
        logp = -self.model_wrapped(batch["input_ids"], batch["targets"])
        return sequence_sum(logp - batch["ref_logp"], batch["targets"] != IGNORED)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # noqa: ANN001, ANN201
        """The micro-batch's share of the step's loss."""
        tokens = {key: inputs.pop(key) for key in ("input_ids", "targets")}
        mask, kl = tokens["targets"] != IGNORED, None
        if self.reference is None:
            nll = model(**tokens)
        else:
            with torch.no_grad(), self.accelerator.autocast():
                hidden = self.reference(**tokens)
            head = self.reference.get_output_embeddings().weight
            nll, kl = model(**tokens, ref_hidden=hidden, ref_weight=head)
        logp = -nll.detach()
        weight = weigh(self.objective, {"logp": logp, "mask": mask, **inputs, **self.whole})
        ref_logp, distance = inputs.get("ref_logp"), None if kl is None else kl.detach()
        self.monitors.add(logp.neg(), weight, mask, ref_logp, distance)
        total = (weight * nll * mask).sum()
        if kl is not None:
            total = total + parameters_of(self.objective)["kl_weight"] * kl.sum()
        if not torch.isfinite(total):
            raise not_finite("loss", self.state.global_step + 1, self.args.output_dir)
        # gradients are averaged over processes; multiplying makes that a sum, which the released
        # code's does not
        scale = self.accelerator.num_processes if self.accumulation == "token_mean" else 1
        return total * scale / denominator(self.accumulation, mask.sum(), num_items_in_batch)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the monitors to the step's log; say once if the model is far from its reference."""
        if "loss" in logs:
            self.monitors.gather(self.accelerator)
            logs |= self.monitors.columns()
            self.monitors.reset()
            if logs.get("ratio_deviation", 0) > FAR and not self.warned:
                self.warned = True
                if self.is_world_process_zero():
                    print(
                        f"step {self.state.global_step}: mean |p / p_ref - 1| is "
                        f"{logs['ratio_deviation']:.2f}, over {FAR}: the first-order approximation "
                        "behind importance weights is not to be trusted from here",
                        flush=True,
                    )
        super().log(logs, start_time)


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
) -> None:
    """Train `model` in place for `steps` optimiser steps, resuming from `state` if it can.

    `settings` has the keys of a study's `training` block; `objective` is from
    rectify.objectives.signature.load_objective. Runs on every process that torchrun
    started. Raises StepError, naming the step, if a loss is not finite, and Stopped after a
    SIGTERM; checkpoints written before stay in `state`.
    """
    arguments = training_arguments(model, settings, steps, seed, state)
    arguments["per_device_train_batch_size"] = 1  # of what is a micro-batch already
    ordered = order_examples(examples, steps, settings.batch_size, seed)
    # sum_of_means counts each micro-batch the same, so that what it holds matters
    how = settings.micro_batches if settings.accumulation == "token_mean" else "as_they_come"
    batches = micro_batches(ordered, settings.batch_size, settings.micro_batch_size, how)
    if "ref_logp" in required(objective):
        batches = with_reference(model, batches, settings.precision)
    anchored = parameters_of(objective).get("kl_weight")
    shards = bool(sharding(model, settings))
    reference = frozen_copy(model, shard=shards) if anchored else None
    trainer = WeightedTrainer(
        model,
        TrainingArguments(**arguments),
        data_collator=lambda batches: collate(batches[0]),
        train_dataset=batches,
        callbacks=[*callbacks, Stopper()],
        objective=objective,
        accumulation=settings.accumulation,
        reference=reference,
    )
    run(trainer, steps, state)
