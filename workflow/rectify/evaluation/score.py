r"""Score decoded samples against the benchmarks' gold answers.

    rectify score --samples samples.parquet --benchmarks a.parquet b.parquet \
        --out scores.parquet

Writes one row per sample: benchmark, checkpoint, problem_id, sample, answer (what was extracted),
correct, harness (the published harness's verdict; it keeps the units of a benchmark that is named
minerva_math), status (only `ok` can be correct), n_tokens, finish_reason.
"""

from __future__ import annotations

import argparse

import pandas as pd

from rectify.data.rows import read_benchmarks
from rectify.grading.pool import grade_many
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.tables import read_parquet, write_parquet


def score(samples: pd.DataFrame, problems: pd.DataFrame, workers: int) -> pd.DataFrame:
    """The samples' rows with their verdicts in place of their texts.

    Raises StepError if a sample answers a problem that is not among `problems`.
    """
    keys = ["benchmark", "problem_id"]
    joined = samples.merge(
        problems[[*keys, "problem", "answer"]],
        on=keys,
        how="left",
        validate="m:1",
        indicator="known",
    )
    lost = joined[joined["known"] != "both"]
    if len(lost):
        row = lost.iloc[0]
        raise StepError(f"no problem {row.problem_id} in benchmark '{row.benchmark}'")
    columns = ("benchmark", "problem", "answer", "text")
    items = list(zip(*(joined[column] for column in columns), strict=True))
    verdicts = grade_many(items, workers=workers, progress=True)
    return pd.DataFrame(
        {
            **{key: joined[key] for key in ("benchmark", "checkpoint", "problem_id", "sample")},
            "answer": [verdict.answer for verdict in verdicts],
            "correct": [verdict.corrected for verdict in verdicts],
            "harness": [verdict.harness for verdict in verdicts],
            "status": [verdict.status for verdict in verdicts],
            "n_tokens": joined["n_tokens"],
            "finish_reason": joined["finish_reason"],
        }
    )


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    parts = [read_parquet(file, "benchmark", "problem_id", "text") for file in arguments.samples]
    samples = pd.concat(parts, ignore_index=True)
    scores = score(samples, read_benchmarks(arguments.benchmarks), arguments.workers)
    write_parquet(arguments.out, scores)
    print(f"{len(scores)} samples: {100 * scores['correct'].mean():.2f} % correct")
    print(scores["status"].value_counts().to_string())


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("score", __doc__)
    options.add_argument(
        "--samples", required=True, nargs="+", help="Parquet files of rectify decode"
    )
    options.add_argument("--benchmarks", required=True, nargs="+", help="Parquet files of problems")
    options.add_argument("--workers", type=int, default=1, help="grading processes")
    options.add_argument("--out", required=True, help="Parquet file to write")
    return options
