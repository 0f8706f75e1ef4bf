"""Direct preference optimisation (arXiv 2305.18290), by TRL's DPOTrainer.

    rectify dpo --settings SETTINGS --rows pairs.parquet --model FOLDER --out FOLDER

SETTINGS is a file of JSON: the keys of a study's `training` block, `seed`, `prompt` (a
prompt style) and `dpo` (rectify.study.rl). Each row of pairs.parquet is a problem, a chosen
and a rejected answer, both finished: EOS is put after them. The frozen reference is the model in
--model. Output, resume and stop are those of rectify train, and so is the work of several
processes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from datasets import Dataset
from torch import nn
from torch.utils.data import SequentialSampler
from transformers import PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer

from rectify.models.encoding import Example, encode_each, state_unfit
from rectify.models.folder import check_reference, configs_kept, load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.step.command import Settings
from rectify.step.errors import StepError
from rectify.step.tables import read_parquet
from rectify.training.batches import order_examples
from rectify.training.callbacks import Recorder, Stopper, tensorboard_callbacks
from rectify.training.checkpoints import finish_run, open_state
from rectify.training.run import count_steps, run, training_parser
from rectify.training.trainer_arguments import training_arguments

Pair = tuple[Example, Example]
"""The chosen and the rejected answer to one prompt."""


class PairTrainer(DPOTrainer):
    """DPOTrainer on token ids: it neither encodes texts nor chooses the order of rows."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none: it would go into the state folder."""


def encode_pairs(
    tokenizer: PreTrainedTokenizerFast,
    style: str,
    rows: pd.DataFrame,
    max_length: int,
    unfit: str | None = None,
    where: str = "pairs",
) -> tuple[list[Pair], dict[str, int]]:
    """Rows (columns problem, chosen, rejected) as token ids, encoded as encode_rows does.

    A pair is unfit if one of its answers is. Returns the pairs, and counts: pairs, truncated
    (answers), dropped (pairs). Raises StepError as encode_rows does.
    """
    (chosen, kinds), (rejected, others) = (
        encode_each(tokenizer, style, rows.assign(solution=rows[side]), max_length, unfit)
        for side in ("chosen", "rejected")
    )
    state_unfit([one or two for one, two in zip(kinds, others, strict=True)], unfit, where)
    sides = zip(chosen, rejected, strict=True)
    pairs = [(one, two) for one, two in sides if one is not None and two is not None]
    truncated = sum(not answer.ended for pair in pairs for answer in pair)
    counts = {"pairs": len(rows), "truncated": truncated, "dropped": len(rows) - len(pairs)}
    return pairs, counts


def as_dataset(pairs: Sequence[Pair]) -> Dataset:
    """Pairs as TRL's collator takes them."""
    return Dataset.from_dict(
        {
            "prompt_ids": [chosen.prompt for chosen, _ in pairs],
            "chosen_ids": [chosen.response for chosen, _ in pairs],
            "rejected_ids": [rejected.response for _, rejected in pairs],
        }
    )


def make_trainer(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerFast,
    pairs: Sequence[Pair],
    settings: SimpleNamespace,
    steps: int,
    state: Path,
    tensorboard: Path | None = None,
) -> PairTrainer:
    """TRL's trainer on these pairs; `model` is as load_model gives it, unpatched."""
    arguments = DPOConfig(
        **training_arguments(model, settings, steps, settings.seed, state),
        beta=Settings(**settings.dpo).beta,
        loss_type="sigmoid",
        router_aux_loss_coef=0.0,  # the loss is the paper's alone, as of the other methods
        max_length=settings.max_length,
    )
    return PairTrainer(
        model,
        args=arguments,
        train_dataset=as_dataset(order_examples(pairs, steps, settings.batch_size, settings.seed)),
        processing_class=tokenizer,
        callbacks=[Recorder(state), *tensorboard_callbacks(tensorboard), Stopper()],
    )


def train(
    folder: Path,
    pairs: Sequence[Pair],
    settings: SimpleNamespace,
    out: Path,
    state: Path,
    tensorboard: Path | None = None,
) -> None:
    """Train the model in `folder` on the pairs and write the model folder `out`.

    `settings` as `main` reads them; raises as rectify.training.run.run does.
    """
    check_reference(folder)
    steps = count_steps(settings, len(pairs))
    model = load_model(folder, settings.precision)
    tokenizer = load_tokenizer(folder)
    with configs_kept(model):
        trainer = make_trainer(model, tokenizer, pairs, settings, steps, state, tensorboard)
        run(trainer, steps, state)
    finish_run(model, folder, out, state)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    folder = Path(arguments.model)
    rows = read_parquet(arguments.rows, "problem", "chosen", "rejected")
    if rows.empty:
        raise StepError(f"{arguments.rows}: no pairs in it; draw more samples of more questions")
    pairs, counts = encode_pairs(
        load_tokenizer(folder), settings.prompt, rows, settings.max_length, settings.unfit,
        arguments.rows,
    )  # fmt: skip
    print("preference pairs: " + ", ".join(f"{k} {v:,}" for k, v in counts.items()), flush=True)
    state = open_state("dpo", arguments)
    train(folder, pairs, settings, Path(arguments.out), state, arguments.tensorboard)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    return training_parser("dpo", __doc__, "Parquet with columns problem, chosen, rejected")
