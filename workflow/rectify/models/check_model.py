r"""Check a base model, or a ready checkpoint, against a study before anything is trained.

    rectify check_model --settings SETTINGS --model FOLDER --rows rows.parquet \
        --benchmarks a.parquet b.parquet [--text text.parquet] --out check.json

SETTINGS is a file of JSON: train_prompt, eval_prompt, max_length, batch_size (the largest of any
run), unfit (the strictest), engine (that answers are decoded with), reference (whether DPO or GRPO
learn from it). The model and its tokenizer must load, both prompt styles must render, enough rows
for a batch must be fit to be trained on, and some of the text that it is to know, every benchmark's
prompts must fit the model's context with room for an answer, training must read the model's own
logits, and the engine must take it.
Writes what was found: parameters, context, stop tokens, row counts, the longest prompt. Hashes are
in the manifest.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from rectify.data.rows import read_benchmarks, read_rows
from rectify.models.config import check_vllm, context_of
from rectify.models.encoding import encode_problems, encode_rows
from rectify.models.folder import check_reference, load_model
from rectify.models.stops import stop_token_ids
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.loss import text_trunk
from rectify.step.command import settings_file, step_parser
from rectify.step.errors import StepError, first_line
from rectify.step.files import write_json

PROBED = 64  # tokens of a row that the model reads for a check


def longest(lengths: list[int], problems: pd.DataFrame, limit: int, what: str) -> int:
    """The longest prompt in tokens; raises StepError naming the first row that leaves no room."""
    over = np.flatnonzero(np.array(lengths) >= limit)
    if len(over):
        row = problems.iloc[over[0]]
        where = f"benchmark '{row.benchmark}' problem {row.problem_id}"
        raise StepError(
            f"{where}: its prompt has {lengths[over[0]]} tokens, but {what} takes {limit}; leave "
            "the problem out of the file, or take a model that reads more"
        )
    return max(lengths)


@torch.inference_mode()
def check_logits(model: nn.Module, ids: list[int], folder: Path) -> None:
    """Raise StepError unless what training reads, hidden states and a head, are the model's logits.

    Some models cap or scale logits behind the head: training would be on other probabilities.
    """
    tokens = torch.tensor([ids])
    try:
        hidden = text_trunk(model)(input_ids=tokens, use_cache=False).last_hidden_state
        read = nn.functional.linear(hidden, model.get_output_embeddings().weight)
        logits = model(input_ids=tokens, use_cache=False).logits
    except Exception as error:  # whatever a model's code asks for that a text is not
        raise StepError(
            f"{folder}: the model does not read a text alone: {first_line(error)}; take another"
        ) from error
    if not torch.allclose(read.float(), logits.float(), rtol=0.02, atol=0.01):
        raise StepError(
            f"{folder}: the model's logits are not what its head makes of its hidden states (off "
            f"by up to {(read - logits).abs().max().item():.3g}): models that cap or scale them "
            "are not supported"
        )


def check(
    folder: Path,
    settings: dict[str, Any],
    rows: pd.DataFrame,
    problems: pd.DataFrame,
    where: str = "training rows",
) -> dict[str, Any]:
    """What was found; raises StepError for what does not hold. `where`: the rows' file."""
    tokenizer = load_tokenizer(folder)
    context, stops = context_of(folder), stop_token_ids(tokenizer)
    prompts = encode_problems(tokenizer, settings["eval_prompt"], problems)
    examples, counts = encode_rows(
        tokenizer, settings["train_prompt"], rows, settings["max_length"],
        settings.get("unfit"), where,
    )  # fmt: skip
    if counts["rows"] - counts["dropped"] < settings["batch_size"]:
        raise StepError(
            f"training.batch_size is {settings['batch_size']}, but only "
            f"{counts['rows'] - counts['dropped']} rows leave room for a response"
        )
    if settings["max_length"] > context:
        raise StepError(
            f"training.max_length is {settings['max_length']}, but {folder} takes {context} tokens"
        )
    if settings.get("engine") == "vllm":
        check_vllm(folder)
    if settings.get("reference"):
        check_reference(folder)
    model = load_model(folder, "bf16")
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise StepError(f"{folder}: the tokenizer has more tokens than the model has embeddings")
    check_logits(model, (examples[0].prompt + examples[0].response)[:PROBED], folder)
    lengths = list(map(len, prompts))
    return {
        "parameters": model.num_parameters(),
        "context": context,
        "stop_tokens": dict(zip(tokenizer.convert_ids_to_tokens(stops), stops, strict=True)),
        "training_rows": counts,
        "longest_benchmark_prompt": longest(lengths, problems, context, f"{folder}"),
    }


def check_text(folder: Path, settings: dict[str, Any], file: str) -> dict[str, int]:
    """Counts of a text that the model is to know; raises StepError if no row of it is fit."""
    rows, how = read_rows(file), (settings["max_length"], settings.get("unfit"), file)
    examples, counts = encode_rows(load_tokenizer(folder), settings["train_prompt"], rows, *how)
    if not examples:
        raise StepError(f"{file}: none of {len(rows)} rows leaves room for a response")
    return counts


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    rows, problems = read_rows(arguments.rows), read_benchmarks(arguments.benchmarks)
    folder = Path(arguments.model)
    found = check(folder, arguments.settings, rows, problems, arguments.rows)
    if arguments.text:
        found["text_rows"] = check_text(folder, arguments.settings, arguments.text)
    write_json(arguments.out, found)
    print("\n".join(f"{key}: {value}" for key, value in found.items()))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("check_model", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--model", required=True, help="model folder")
    options.add_argument("--rows", required=True, help="Parquet file of training rows")
    options.add_argument("--benchmarks", required=True, nargs="+", help="Parquet files of problems")
    options.add_argument("--text", help="Parquet file of rows that the model is to know")
    options.add_argument("--out", required=True, help="JSON file to write")
    return options
