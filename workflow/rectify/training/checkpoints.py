"""The state folder of a training run: what it resumes from, and what it leaves when it is done."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TextIO

from torch import nn

from rectify.models.folder import whole_weights, write_folder
from rectify.objectives.signature import objective_file
from rectify.step.code_files import PACKAGE, code_files
from rectify.step.errors import StepError
from rectify.step.files import remove, replacing, sha256
from rectify.training.callbacks import COMPLETE
from rectify.training.distributed import processes

LIBRARIES = ("torch", "transformers", "accelerate", "trl", "peft")
HELD: list[TextIO] = []  # locked files; the system gives them back when the process ends


def installed(library: str) -> str:
    """A library's version, or `none`: objectives are trained without TRL and peft too."""
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"


def fingerprint(step: str, settings: dict, rows: Path, *models: Path) -> str:
    """A hash of all that decides a run's result: an interrupted run resumes only under the same."""
    parts = [json.dumps(settings, sort_keys=True), *map(installed, LIBRARIES)]
    files = [
        rows,
        *(file for model in models for file in sorted(model.glob("*.*"))),
        *(PACKAGE.parents[1] / f for f in code_files(step)),
    ]
    if own := objective_file(settings.get("objective", "")):
        files.append(own)
    parts += [f"{file.name} {sha256(file)}" for file in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def prepare_state(state: Path, identity: str) -> None:
    """Empty the state folder unless it was left by the same run."""
    file = state / "fingerprint"
    if state.is_dir() and (not file.is_file() or file.read_text() != identity):
        remove(state)
    state.mkdir(parents=True, exist_ok=True)
    file.write_text(identity)


def hold(state: Path, seconds: float = 60) -> None:
    """Keep other jobs out of a state folder until this process ends.

    A job that is being cancelled may still be writing its last checkpoint, so it is waited for.
    Raises StepError if another job keeps the folder for longer.
    """
    file = state.with_name(f".{state.name}.lock").open("w")
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise StepError(
                    f"{state}: another job is training this run; cancel it, or wait for its end"
                ) from error
            time.sleep(1)
        except OSError:  # a file system without locks: the scheduler alone keeps jobs apart
            return
        else:
            HELD.append(file)
            return


def open_state(step: str, arguments: argparse.Namespace) -> Path:
    """The state folder of the run that `rectify STEP`'s command line describes, made ready.

    To be called by every process. Raises StepError if another job is using it.
    """
    state = Path(arguments.state or f"{arguments.out}.state")
    if processes().is_main_process:
        state.parent.mkdir(parents=True, exist_ok=True)
        hold(state)
        models = [arguments.model, getattr(arguments, "reference", None)]
        read = [Path(path) for path in (arguments.rows, *filter(None, models))]
        prepare_state(state, fingerprint(step, arguments.settings, *read))
    processes().wait_for_everyone()
    return state


def last_checkpoint(state: Path) -> Path | None:
    """The latest complete checkpoint of a state folder."""
    found = [marker.parent for marker in state.glob(f"checkpoint-*/{COMPLETE}")]
    return max(found, key=lambda folder: int(folder.name.split("-")[1]), default=None)


def finish_run(
    model: nn.Module,
    tokenizer_folder: Path,
    out: Path,
    state: Path,
    checkpoints: Iterable[int] = (),
) -> None:
    """Write the model folder `out`, with the log and the saved `checkpoints`; remove the state.

    To be called by every process.
    """
    weights = whole_weights(model)
    if not processes().is_main_process:
        return
    with replacing(out) as temporary:
        write_folder(model, weights, tokenizer_folder, temporary)
        shutil.copy2(state / "train.csv", temporary / "train.csv")
        for step in checkpoints:
            name = f"checkpoint-{step}"
            shutil.copytree(state / "weights" / name, temporary / name)
    remove(state)
