"""Fine-tune a model with any objective: rows of problems and solutions in, a model folder out.

    python -m rectify.train --settings SETTINGS --rows rows.parquet --model FOLDER --out FOLDER

SETTINGS is JSON, or a file of it: a run's whole description, as `python -m rectify.study
config/mini.yaml --settings train qwen2-mini dft-seed0` prints it. The prompt goes through the
study's training prompt style, the loss is on the response and EOS only. The output is an ordinary
transformers folder with train.csv (the log) and checkpoint-N folders, if any were asked for.
Pretraining a miniature is a run of this step too. An interrupted run resumes from the last
checkpoint in --state; a SIGTERM makes it save at the next step and exit with status 75. Under
torchrun the processes share each batch (`sharding: full` splits the model over them too).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from torch import nn
from transformers import TrainerCallback

from rectify.callbacks import Recorder
from rectify.cli import Settings, json_or_file, run_step, step_parser
from rectify.contract import load_objective, objective_file, required
from rectify.io import StepError, read_rows, remove, replacing, sha256
from rectify.loss import with_token_nll
from rectify.model import load_model, whole_weights, write_folder
from rectify.processes import processes
from rectify.sources import PACKAGE, sources
from rectify.tokenizer import Example, encode_rows, load_tokenizer
from rectify.trainer import Stopped, fit

STOPPED = 75  # exit status after a SIGTERM: EX_TEMPFAIL of sysexits.h, try again


def fingerprint(settings: dict, rows: Path, model: Path) -> str:
    """A hash of all that decides a run's result: an interrupted run resumes only under the same."""
    parts = [json.dumps(settings, sort_keys=True), torch.__version__, transformers.__version__]
    files = [rows, *sorted(model.glob("*.*")), *(PACKAGE.parents[1] / f for f in sources("train"))]
    if own := objective_file(settings["objective"]):
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


def count_steps(settings: SimpleNamespace, rows: int) -> int:
    """Optimiser steps: as configured, or whole batches in `epochs` passes over the rows.

    Raises StepError if there is not one whole batch.
    """
    if rows < settings.batch_size:
        raise StepError(
            f"training.batch_size is {settings.batch_size}, but only {rows} rows can be trained on"
        )
    return settings.steps or int(settings.epochs * (rows // settings.batch_size))


def check_rewards(objective: str, examples: list[Example]) -> None:
    """Raise StepError, naming the objective, unless every example has a finite reward."""
    without = sum(e.reward is None or not math.isfinite(e.reward) for e in examples)
    if without:
        raise StepError(
            f"objective '{objective}' needs rewards, but {without} of {len(examples)} rows have "
            "none; give the rows a column `reward`, finite in every row"
        )


def train(
    model: nn.Module,
    examples: list[Example],
    settings: SimpleNamespace,
    tokenizer_folder: Path,
    out: Path,
    state: Path,
    tensorboard: Path | None = None,
) -> None:
    """Train and write the model folder `out`; `settings` as `main` reads them.

    Raises StepError if the objective needs rewards and a row has none.
    """
    steps = count_steps(settings, len(examples))
    objective = load_objective(settings.objective, settings.parameters)
    if required(objective) & {"reward", "batch_reward"}:
        check_rewards(settings.objective, examples)

    def save(trained: nn.Module, folder: Path) -> None:
        weights = whole_weights(trained)
        if processes().is_main_process:
            with replacing(folder) as temporary:
                write_folder(trained, weights, tokenizer_folder, temporary)

    wanted = [step for step in settings.checkpoints if step < steps]  # the last step's is `out`
    callbacks: list[TrainerCallback] = [Recorder(state, wanted, save)]
    if tensorboard:
        from torch.utils.tensorboard import SummaryWriter
        from transformers.integrations import TensorBoardCallback

        callbacks.append(TensorBoardCallback(SummaryWriter(str(tensorboard))))
    fit(
        with_token_nll(model),
        examples,
        objective,
        settings,
        steps=steps,
        seed=settings.seed,
        state=state,
        callbacks=callbacks,
    )
    weights = whole_weights(model)
    if not processes().is_main_process:
        return
    with replacing(out) as temporary:
        write_folder(model, weights, tokenizer_folder, temporary)
        shutil.copy2(state / "train.csv", temporary / "train.csv")
        for step in wanted:
            name = f"checkpoint-{step}"
            shutil.copytree(state / "weights" / name, temporary / name)
    remove(state)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    folder, out = Path(arguments.model), Path(arguments.out)
    state = Path(arguments.state or f"{out}.state")
    tokenizer = load_tokenizer(folder)
    rows = read_rows(arguments.rows)
    examples, counts = encode_rows(tokenizer, settings.prompt, rows, settings.max_length)
    print("training rows: " + ", ".join(f"{k} {v:,}" for k, v in counts.items()), flush=True)
    if processes().is_main_process:
        prepare_state(state, fingerprint(arguments.settings, Path(arguments.rows), folder))
    processes().wait_for_everyone()
    model = load_model(folder, settings.precision)
    try:
        train(model, examples, settings, folder, out, state, arguments.tensorboard)
    except Stopped as stop:
        print(f"rectify.train: {stop}", file=sys.stderr)
        sys.exit(STOPPED)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("train", __doc__)
    options.add_argument("--settings", required=True, type=json_or_file, help="the run, as JSON")
    options.add_argument("--rows", required=True, help="Parquet with columns problem, solution")
    options.add_argument("--model", required=True, help="folder of the model to start from")
    options.add_argument("--out", required=True, help="folder to write the trained model to")
    options.add_argument("--state", help="folder for resume checkpoints (default: OUT.state)")
    options.add_argument("--tensorboard", type=Path, help="folder for TensorBoard events")
    return options


if __name__ == "__main__":
    run_step(main, parser())
