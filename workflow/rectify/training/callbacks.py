"""What happens around a training step: monitors, checkpoints, the log, and a stop when asked."""

from __future__ import annotations

import math
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import reduce
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from transformers import TrainerCallback

from rectify.objectives.built_in import sequence_mean
from rectify.step.files import StepError, write_text
from rectify.training.distributed import processes

COMPLETE = "complete"  # a file in every checkpoint that was written to its end


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
        self.sums: defaultdict[str, float] = defaultdict(float)
        self.weights: list[Tensor] = []
        self.started = time.perf_counter()

    def add(
        self,
        nll: Tensor,
        weight: Tensor,
        mask: Tensor,
        ref_logp: Tensor | None = None,
        kl: Tensor | None = None,
    ) -> None:
        """Add a micro-batch: nll, weight, mask and ref_logp [B, T], kl [N] at response tokens."""
        own, of_sequences = weight[mask], sequence_mean(weight, mask)
        found = {
            "tokens": mask.sum(),
            "nll": nll.sum(),
            "weight": own.sum(),
            "square": own.square().sum(),
            "sequences": len(mask),
            "sequence_weight": of_sequences.sum(),
            "sequence_square": of_sequences.square().sum(),
        }
        if ref_logp is not None:
            found["deviation"] = (-nll - ref_logp)[mask].expm1().abs().sum()
        if kl is not None:
            found["kl"] = kl.sum()
        for key, value in found.items():
            self.sums[key] += float(value)
        self.weights.append(own)

    def gather(self, accelerator: Accelerator) -> None:
        """Take in what the other processes have added since the last row."""
        own = torch.tensor([list(self.sums.values())], device=accelerator.device)
        sums = accelerator.gather(own).sum(dim=0).tolist()
        self.sums.update(zip(self.sums, sums, strict=True))
        padded = accelerator.pad_across_processes(torch.cat(self.weights), pad_index=math.nan)
        weights = accelerator.gather(padded)
        self.weights = [weights[~weights.isnan()]]

    def columns(self) -> dict[str, float]:
        """One row: means over response tokens, nll and kl in nats, of what `add` was given.

        weight_p10, _p50, _p90: quantiles. weight_ess_tokens, _sequences: effective-sample-size
        ratios, of the tokens' weights and of the sequences' mean weights. ratio_deviation: mean
        |p / p_ref - 1|, where the objective has a reference.
        """
        sums, tokens = self.sums, self.sums["tokens"]
        ranked = self.weights[0].sort().values
        quantiles = {f"weight_p{n}": ranked[len(ranked) * n // 100].item() for n in (10, 50, 90)}
        sequences = (sums["sequence_weight"], sums["sequence_square"], sums["sequences"])
        optional = {"deviation": "ratio_deviation", "kl": "kl"}
        return {
            "nll": sums["nll"] / tokens,
            "weight_mean": sums["weight"] / tokens,
            "weight_max": ranked[-1].item(),
            **quantiles,
            "weight_ess_tokens": ess_of_sums(sums["weight"], sums["square"], tokens),
            "weight_ess_sequences": ess_of_sums(*sequences),
            **{name: sums[key] / tokens for key, name in optional.items() if key in sums},
            "response_tokens": tokens,
            "tokens_per_second": tokens / (time.perf_counter() - self.started),
        }


def ess_of_sums(total: float, square: float, count: float) -> float:
    """Effective sample size over sample size: (sum w)^2 / (n sum w^2), 0 if all w are 0."""
    return total**2 / (count * square) if square else 0.0


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether this process's part of the tensors is finite."""
    parts = (t.to_local() if isinstance(t, DTensor) else t for t in tensors)
    return all(bool(part.isfinite().all()) for part in parts)


class Recorder(TrainerCallback):
    """Marks complete checkpoints, keeps the CSV log and saves weights at the steps asked for."""

    def __init__(
        self,
        state: Path,
        steps: Sequence[int] = (),
        save: Callable[[nn.Module, Path], None] | None = None,
    ) -> None:
        self.state, self.steps, self.save = state, set(steps), save
        self.columns: list[str] = []  # of the log
        self.written = 0  # rows of it

    def on_log(self, args, state, control, **_: Any) -> None:  # noqa: ANN001
        """Add what is new to the log; at first write all of it, as a resume has a history."""
        import pandas as pd

        rows = [row for row in state.log_history if "loss" in row]
        new = rows[self.written :]
        if not new or not state.is_world_process_zero:
            return
        file = self.state / "train.csv"
        if all(list(row) == self.columns for row in new):
            with file.open("a", encoding="utf-8") as log:
                log.write(pd.DataFrame(new).to_csv(index=False, header=False))
        else:
            table = pd.DataFrame(rows)
            self.columns = list(table)
            write_text(file, table.to_csv(index=False))
        self.written = len(rows)

    def on_pre_optimizer_step(self, args, state, control, model=None, **_: Any) -> None:  # noqa: ANN001
        """Refuse an update that would make the weights not finite."""
        if not all_finite(p.grad for p in model.parameters() if p.grad is not None):
            raise not_finite("gradient", state.global_step + 1, args.output_dir)

    def on_step_end(self, args, state, control, model=None, **_: Any) -> None:  # noqa: ANN001
        """Save weights for a learning curve; log the last step whatever the interval."""
        control.should_log |= state.global_step == state.max_steps
        if state.global_step in self.steps:
            self.save(model, self.state / "weights" / f"checkpoint-{state.global_step}")

    def on_save(self, args, state, control, model=None, **_: Any) -> None:  # noqa: ANN001
        """Called after the last file of a checkpoint is written: it counts if it is finite."""
        if not all_finite(model.parameters()):
            raise not_finite("model", state.global_step, args.output_dir)
        processes().wait_for_everyone()
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def tensorboard_callbacks(folder: Path | None) -> list[TrainerCallback]:
    """What writes TensorBoard events to `folder`, if one is given."""
    if folder is None:
        return []
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations import TensorBoardCallback

    return [TensorBoardCallback(SummaryWriter(str(folder)))]


class Stopper(TrainerCallback):
    """On SIGTERM (scancel, walltime, preemption): save at the end of the step, then stop.

    Every process asks the others at every step, so that all save the same one.
    """

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self.ask)

    def ask(self, *_: Any) -> None:
        """Signal handler: a second signal ends the process at once."""
        self.asked = True
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def on_step_end(self, args, state, control, **_: Any) -> None:  # noqa: ANN001
        """Stop if any process was asked to."""
        asked = torch.tensor(float(self.asked), device=processes().device)
        if reduce(asked, reduction="sum") > 0:
            control.should_save = control.should_training_stop = True
