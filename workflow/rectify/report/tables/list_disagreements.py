r"""List where this project's grader and the published harness's rules disagree, over a study.

    rectify list_disagreements --scores a.parquet b.parquet --benchmarks c.parquet \
        --out disagreements

Writes disagreements.csv and disagreements.md: benchmark, kind of answer, which of the two says
right, how many samples, and up to three examples (gold <- answer).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pandas as pd
from pyarrow.parquet import read_metadata

from rectify.data.rows import read_benchmarks
from rectify.grading.disagreements import Disagreement, disagreements
from rectify.grading.verdict import Verdict
from rectify.step.command import step_parser
from rectify.step.files import write_text
from rectify.step.tables import read_parquet


def disputed(files: list[str], problems: pd.DataFrame) -> Iterator[tuple[str, str, Verdict]]:
    """(benchmark, gold, verdict) of every sample on which the two verdicts differ."""
    golds = problems.set_index(["benchmark", "problem_id"])["answer"]
    for file in files:
        scores = read_parquet(file)
        for row in scores[scores["correct"] != scores["harness"]].itertuples():
            verdict = Verdict(row.answer, row.correct, row.harness, row.status)
            yield row.benchmark, golds[row.benchmark, row.problem_id], verdict


def markdown(table: pd.DataFrame, samples: int) -> str:
    """The table under a sentence that says what it is."""
    head = (
        f"**Where the graders disagree.** {table['count'].sum()} of {samples} samples are right to "
        "one of them alone: this project's (corrected) or the published harness's rules (harness; "
        "rectify/grading/harness/equal.py says how true to the original they are)."
    )
    if table.empty:
        return head + "\n"
    shown = table.drop(columns="examples")  # model text: it is in the CSV, where nothing renders it
    return f"{head}\n\n{shown.to_markdown(index=False)}\n"


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    problems = read_benchmarks(arguments.benchmarks)
    found = disagreements(disputed(arguments.scores, problems))
    table = pd.DataFrame(found, columns=Disagreement._fields)
    samples = sum(read_metadata(file).num_rows for file in arguments.scores)
    write_text(f"{arguments.out}.csv", table.to_csv(index=False))
    write_text(f"{arguments.out}.md", markdown(table, samples))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("list_disagreements", __doc__)
    options.add_argument("--scores", required=True, nargs="+", help="Parquet files of scores")
    options.add_argument("--benchmarks", required=True, nargs="+", help="Parquet files of problems")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options
