"""Several updates under the same older weights: what these make of the rows is read ahead."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from rectify.objectives.signature import parameters_of, required
from rectify.step.errors import StepError
from rectify.training.distributed import processes

Batch = dict[str, Tensor]


def updates_per_reading(objective: Callable, steps: int) -> int | None:
    """Optimiser steps for which an objective keeps its old_logp; None if it takes none.

    Its parameter `updates`, or all steps in `rounds` parts, the last the shortest.
    """
    if "old_logp" not in required(objective):
        return None
    parameters = parameters_of(objective)
    return parameters.get("updates") or math.ceil(steps / parameters["rounds"])


def own_file(checkpoint: Path) -> Path:
    """This process's file in a checkpoint."""
    return checkpoint / f"old_logp-{processes().process_index}.pt"


class ReadAhead:
    """The micro-batches of the coming steps, with `old_logp` under the weights of their first.

    A run resumes with the values that it was stopped with: `save` puts those that are still to
    come in a checkpoint's folder, a file for each process.
    """

    def __init__(self, updates: int, read: Callable[[Batch], Tensor]) -> None:
        self.updates, self.read = updates, read
        self.coming: list[Batch] = []

    def next_step(
        self, iterator: Iterator[Batch], count: int, step: int, checkpoint: Path
    ) -> list[Batch]:
        """`count` micro-batches, those of an optimiser step, of the `step`s taken so far.

        `checkpoint` is the folder of the one at that step, wherever the run has resumed.
        """
        if not self.coming:
            due = self.updates - step % self.updates
            batches = list(itertools.islice(iterator, count * due))
            kept = None if due == self.updates else self.load(checkpoint)
            old = kept or [self.read(batch) for batch in batches]
            self.coming = [
                {**batch, "old_logp": values} for batch, values in zip(batches, old, strict=True)
            ]
        batches, self.coming = self.coming[:count], self.coming[count:]
        return batches

    def save(self, checkpoint: Path) -> None:
        """Keep what is still to come, if anything is."""
        if self.coming:
            torch.save([batch["old_logp"].cpu() for batch in self.coming], own_file(checkpoint))

    def load(self, checkpoint: Path) -> list[Tensor]:
        """What was kept; raises StepError where this process has nothing."""
        file = own_file(checkpoint)
        if not file.is_file():
            raise StepError(
                f"{file}: no such file; resume this run with as many processes as it was begun with"
            )
        return torch.load(file, weights_only=True)
