r"""Measure how far a trained model's distribution of tokens is from its base model's, on a text.

    rectify measure_divergence --settings SETTINGS --rows rows.parquet --model FOLDER \
        --base FOLDER --out divergence.parquet

SETTINGS is a file of JSON: prompt, max_length, unfit, precision, micro_batch_size. KL(base ||
trained) over the whole vocabulary at each response token, EOS included, chunk by chunk: no full
logits are held. Writes a row for each of the file's rows: its number there (from 0), response
tokens, and kl, the sum over these in nats.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from rectify.data.rows import read_rows
from rectify.models.encoding import Example, encode_each, state_unfit
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.loss import IGNORED, response_hidden, with_token_nll
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.tables import write_parquet
from rectify.training.batches import collate


@torch.inference_mode()
def row_divergences(
    model: nn.Module, base: nn.Module, examples: list[Example], batch_size: int
) -> Iterator[tuple[int, int, float]]:
    """Each example's place, its response tokens and the sum of KL(base || model) over these, in
    nats, the longest examples first.

    Raises StepError if the models' vocabularies differ in size.
    """
    heads = [each.get_output_embeddings().weight for each in (base, model)]
    if heads[0].shape[0] != heads[1].shape[0]:
        raise StepError(
            f"the base model has {heads[0].shape[0]} tokens, the trained one {heads[1].shape[0]}; "
            "their distributions can not be compared"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, base = with_token_nll(model).to(device).eval(), base.to(device).eval()
    order = sorted(range(len(examples)), key=lambda index: -len(examples[index]))
    for start in tqdm(range(0, len(order), batch_size), unit="batch"):
        places = order[start : start + batch_size]
        batch = collate([examples[index] for index in places])
        tokens, targets = batch["input_ids"].to(device), batch["targets"].to(device)
        hidden = response_hidden(base, tokens, targets)
        _, found = model(tokens, targets, hidden, base.get_output_embeddings().weight)
        counts = (targets != IGNORED).sum(1)
        for place, count, kl in zip(places, counts, found["kl"].double().sum(1), strict=True):
            yield place, int(count), float(kl)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    tokenizer = load_tokenizer(arguments.base)
    rows = read_rows(arguments.rows)
    each, kinds = encode_each(tokenizer, settings.prompt, rows, settings.max_length, settings.unfit)
    state_unfit(kinds, settings.unfit, arguments.rows)
    numbers = [number for number, example in enumerate(each) if example is not None]
    if not numbers:
        raise StepError(f"{arguments.rows}: none of {len(rows)} rows leaves room for a response")
    model, base = (
        load_model(Path(folder), settings.precision) for folder in (arguments.model, arguments.base)
    )
    found = row_divergences(
        model, base, [each[number] for number in numbers], settings.micro_batch_size
    )
    table = pd.DataFrame(
        ((numbers[place], tokens, kl) for place, tokens, kl in found),
        columns=["row", "tokens", "kl"],
    ).sort_values("row", ignore_index=True)
    write_parquet(arguments.out, table)
    mean = table["kl"].sum() / table["tokens"].sum()
    print(f"KL(base || trained): {mean:.4f} nats per token of {len(table)} rows")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("measure_divergence", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--rows", required=True, help="Parquet with columns problem, solution")
    options.add_argument("--model", required=True, help="folder of the model that was trained")
    options.add_argument("--base", required=True, help="folder of the base model")
    options.add_argument("--out", required=True, help="Parquet file to write")
    return options
