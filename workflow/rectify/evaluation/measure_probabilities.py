r"""Count the training set's tokens by the probability that a model gives them (Figure 2).

    rectify measure_probabilities --settings SETTINGS --rows rows.parquet --model FOLDER \
        --out histogram.parquet

SETTINGS is a file of JSON: prompt, max_length, precision, micro_batch_size and rows (the
first so many; null for all). Response tokens only, EOS included. Writes one row per bin: low, high,
count.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from rectify.data.rows import read_rows
from rectify.evaluation.tokens import token_probabilities
from rectify.models.encoding import encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.tables import write_parquet

# the paper's Figure 2: fine near 0, then tenths
EDGES = (0.0, 1e-4, 1e-3, 0.01, *(tenth / 10 for tenth in range(1, 11)))


def histogram(probabilities: np.ndarray) -> pd.DataFrame:
    """Counts per bin of EDGES: [low, high), the last one closed."""
    # rounding may carry a probability a hair above 1
    counts, _ = np.histogram(np.clip(probabilities, 0, 1), bins=np.array(EDGES))
    return pd.DataFrame({"low": EDGES[:-1], "high": EDGES[1:], "count": counts})


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    rows = read_rows(arguments.rows)
    rows = rows.head(settings.rows or len(rows))
    tokenizer = load_tokenizer(arguments.model)
    examples, _ = encode_rows(
        tokenizer, settings.prompt, rows, settings.max_length, settings.unfit, arguments.rows
    )
    model = load_model(Path(arguments.model), settings.precision)
    probabilities = token_probabilities(model, examples, settings.micro_batch_size)
    write_parquet(arguments.out, histogram(np.concatenate(probabilities)))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("measure_probabilities", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--rows", required=True, help="Parquet with columns problem, solution")
    options.add_argument("--model", required=True, help="model folder")
    options.add_argument("--out", required=True, help="Parquet file to write")
    return options
