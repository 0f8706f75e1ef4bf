"""A training's command line, its number of steps, and its run to the end."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from rectify.step.command import settings_file, step_parser
from rectify.step.errors import StepError, Stopped
from rectify.training.checkpoints import last_checkpoint

if TYPE_CHECKING:
    from transformers import Trainer


def training_parser(name: str, description: str | None, rows: str) -> argparse.ArgumentParser:
    """The arguments of a step that trains a model on `rows`."""
    options = step_parser(name, description)
    options.add_argument(
        "--settings", required=True, type=settings_file, help="the run: file of JSON"
    )
    options.add_argument("--rows", required=True, help=rows)
    options.add_argument("--model", required=True, help="folder of the model to start from")
    options.add_argument("--out", required=True, help="folder to write the trained model to")
    options.add_argument("--state", help="folder for resume checkpoints (default: OUT.state)")
    options.add_argument("--tensorboard", type=Path, help="folder for TensorBoard events")
    return options


def count_steps(settings: SimpleNamespace, rows: int) -> int:
    """Optimiser steps: as configured, or whole batches in `epochs` passes over the rows.

    Raises StepError if there is not one whole batch.
    """
    if rows < settings.batch_size:
        raise StepError(
            f"training.batch_size is {settings.batch_size}, but only {rows} rows can be trained on"
        )
    return settings.steps or int(settings.epochs * (rows // settings.batch_size))


def run(trainer: Trainer, steps: int, state: Path) -> None:
    """Train to the end, from the last complete checkpoint in `state` if there is one.

    Raises Stopped after a SIGTERM.
    """
    resume = last_checkpoint(state)
    if resume:
        print(f"resuming from {resume}", flush=True)
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    if trainer.state.global_step < steps:
        raise Stopped(f"SIGTERM: stopped at step {trainer.state.global_step}; run again to resume")
