"""Fine-tune a model with any objective: rows of problems and solutions in, a model folder out.

    rectify train --settings SETTINGS --rows rows.parquet --model FOLDER --out FOLDER

SETTINGS is a file of JSON: a run's whole description, as `rectify show_settings
config/mini.yaml train_model qwen2-mini dft-seed0` prints it. The prompt goes through the
study's training prompt style, the loss is on the response and EOS only. The output is an ordinary
transformers folder with train.csv (the log) and checkpoint-N folders, if any were asked for;
LoRA's adapters are merged into the weights.
Pretraining a miniature is a run of this step too. An interrupted run resumes from the last
checkpoint in --state; a SIGTERM makes it save at the next step and exit with status 75. Under
torchrun the processes share each batch (`sharding: full` splits the model over them too).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace

from torch import nn

from rectify.data.rows import read_rows
from rectify.models.encoding import Example, encode_rows
from rectify.models.folder import load_model, whole_weights, write_folder
from rectify.models.lora import add_adapters
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.loss import with_token_nll
from rectify.objectives.signature import load_objective
from rectify.step.command import Settings
from rectify.step.files import replacing
from rectify.training.batches import check_columns
from rectify.training.callbacks import Recorder, tensorboard_callbacks
from rectify.training.checkpoints import finish_run, open_state
from rectify.training.distributed import processes
from rectify.training.run import count_steps, training_parser
from rectify.training.trainer import fit


def train(
    model: nn.Module,
    examples: list[Example],
    settings: SimpleNamespace,
    tokenizer_folder: Path,
    out: Path,
    state: Path,
    tensorboard: Path | None = None,
    reference: nn.Module | None = None,
) -> None:
    """Train and write the model folder `out`; `settings` as `main` reads them.

    The objective's reference is the model as it is, or another. Raises StepError if the objective
    takes something that a row does not have.
    """
    steps = count_steps(settings, len(examples))
    objective = load_objective(settings.objective, settings.parameters)
    check_columns(settings.objective, objective, examples)
    if settings.lora:
        add_adapters(model, **settings.lora, seed=settings.seed)

    def save(trained: nn.Module, folder: Path) -> None:
        weights = whole_weights(trained)
        if processes().is_main_process:
            with replacing(folder) as temporary:
                write_folder(trained, weights, tokenizer_folder, temporary)

    wanted = [step for step in settings.checkpoints if step < steps]  # the last step's is `out`
    recorder = Recorder(state, wanted, save)
    fit(
        with_token_nll(model),
        examples,
        objective,
        settings,
        steps=steps,
        seed=settings.seed,
        state=state,
        callbacks=[recorder, *tensorboard_callbacks(tensorboard)],
        reference=with_token_nll(reference) if reference else None,
    )
    finish_run(model, tokenizer_folder, out, state, wanted)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    folder = Path(arguments.model)
    tokenizer = load_tokenizer(folder)
    rows = read_rows(arguments.rows)
    examples, counts = encode_rows(
        tokenizer, settings.prompt, rows, settings.max_length, settings.unfit, arguments.rows
    )
    print("training rows: " + ", ".join(f"{k} {v:,}" for k, v in counts.items()), flush=True)
    state = open_state("train", arguments)
    model = load_model(folder, settings.precision)
    other = arguments.reference
    reference = load_model(Path(other), settings.precision) if other else None
    out = Path(arguments.out)
    train(model, examples, settings, folder, out, state, arguments.tensorboard, reference)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = training_parser("train", __doc__, "Parquet with columns problem, solution")
    options.add_argument(
        "--reference", help="folder of the objective's reference (default: MODEL, as it is)"
    )
    return options
