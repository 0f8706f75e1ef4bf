r"""Check a base model against a study before anything is trained on it.

    python -m rectify.check --settings SETTINGS --model FOLDER --rows rows.parquet \
        --benchmarks a.parquet b.parquet --out check.json

SETTINGS is JSON: train_prompt, eval_prompt, max_length, batch_size (the largest of any run). The
model and its tokenizer must load, both prompt styles must render, enough rows for a batch must
leave room for a response, and every benchmark's prompts must fit the model's context with room for
an answer. Writes what was found: parameters, context, hashes, row counts, the longest prompt.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rectify.cli import json_or_file, run_step, step_parser
from rectify.io import StepError, read_benchmarks, read_rows, sha256, write_json
from rectify.model import load_model
from rectify.tokenizer import encode_prompts, encode_rows, load_tokenizer


def longest(lengths: list[int], problems: pd.DataFrame, limit: int, what: str) -> int:
    """The longest prompt in tokens; raises StepError naming the first row that leaves no room."""
    over = np.flatnonzero(np.array(lengths) >= limit)
    if len(over):
        row = problems.iloc[over[0]]
        where = f"benchmark '{row.benchmark}' problem {row.problem_id}"
        raise StepError(
            f"{where}: its prompt has {lengths[over[0]]} tokens, but {what} takes {limit}"
        )
    return max(lengths)


def check(
    folder: Path, settings: dict[str, Any], rows: pd.DataFrame, problems: pd.DataFrame
) -> dict[str, Any]:
    """What was found; raises StepError for what does not hold."""
    tokenizer = load_tokenizer(folder)
    prompts = encode_prompts(tokenizer, settings["eval_prompt"], problems["problem"].tolist())
    _, counts = encode_rows(tokenizer, settings["train_prompt"], rows, settings["max_length"])
    if counts["rows"] - counts["dropped"] < settings["batch_size"]:
        raise StepError(
            f"training.batch_size is {settings['batch_size']}, but only "
            f"{counts['rows'] - counts['dropped']} rows leave room for a response"
        )
    model = load_model(folder, "bf16")
    context = model.config.max_position_embeddings
    if settings["max_length"] > context:
        raise StepError(
            f"training.max_length is {settings['max_length']}, but {folder} takes {context} tokens"
        )
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise StepError(f"{folder}: the tokenizer has more tokens than the model has embeddings")
    lengths = list(map(len, prompts))
    return {
        "parameters": model.num_parameters(),
        "context": context,
        "training_rows": counts,
        "longest_benchmark_prompt": longest(lengths, problems, context, f"{folder}"),
        "tokenizer_sha256": sha256(folder / "tokenizer.json"),
        "chat_template_sha256": hashlib.sha256(
            (tokenizer.chat_template or "").encode()
        ).hexdigest(),
        "prompts_sha256": hashlib.sha256(str(prompts).encode()).hexdigest(),
    }


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    rows, problems = read_rows(arguments.rows), read_benchmarks(arguments.benchmarks)
    found = check(Path(arguments.model), arguments.settings, rows, problems)
    write_json(arguments.out, found)
    print("\n".join(f"{key}: {value}" for key, value in found.items()))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("check", __doc__)
    options.add_argument("--settings", required=True, type=json_or_file, help="as JSON")
    options.add_argument("--model", required=True, help="model folder")
    options.add_argument("--rows", required=True, help="Parquet file of training rows")
    options.add_argument("--benchmarks", required=True, nargs="+", help="Parquet files of problems")
    options.add_argument("--out", required=True, help="JSON file to write")
    return options


if __name__ == "__main__":
    run_step(main, parser())
