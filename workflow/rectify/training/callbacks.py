"""What happens around a training step: the log, checkpoints, and a stop when asked."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import reduce
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from transformers import TrainerCallback

from rectify.step.errors import StepError
from rectify.step.files import write_text
from rectify.training.distributed import processes

COMPLETE = "complete"  # a file in every checkpoint that was written to its end


def not_finite(what: str, step: int, state: str) -> StepError:
    """The error that ends a diverged run; what was saved before stays in `state`."""
    return StepError(
        f"the {what} is not finite at step {step}; checkpoints from before it, if any, are in "
        f"{state}; try a lower learning_rate"
    )


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
