r"""Score decoded samples against the benchmarks' gold answers.

    rectify score --samples samples.parquet --benchmarks a.parquet b.parquet \
        [--graders a=exact b=own.py:function] --out scores.parquet

A benchmark is graded as mathematics unless --graders names another for it. Writes one row per
sample: benchmark, checkpoint, problem_id, sample, answer (what was extracted), correct, harness
(the published harness's verdict; it keeps the units of a benchmark that is named minerva_math, and
is the same where another grader judges), status (only `ok` can be correct), n_tokens,
finish_reason, loop (whether the text ends in a loop, rectify.evaluation.loops).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import pandas as pd

from rectify.data.rows import read_benchmarks
from rectify.evaluation.loops import ends_in_loop
from rectify.grading.graders import MATH, RAISED, GraderError, check_grader, grader_file
from rectify.grading.pool import grade_many
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.manifest import note_input
from rectify.step.tables import read_parquet, write_parquet

# how a function of a user's own can end but by raising; of `math` these are verdicts
ENDED = {
    "timeout": "it takes too long",
    "memory": "it takes too much memory",
    "crash": "it ends its process",
}


def score(
    samples: pd.DataFrame,
    problems: pd.DataFrame,
    workers: int,
    graders: Mapping[str, str] = {},
) -> pd.DataFrame:
    """The samples' rows with their verdicts in place of their texts; `graders` by benchmark.

    Raises StepError if a sample answers a problem that is not among `problems`, and if a grader of
    the user's own fails: its samples would count as wrong.
    """
    keys = ["benchmark", "problem_id"]
    if "row" not in problems:
        problems = problems.assign(row=None)
    joined = samples.merge(
        problems[[*keys, "problem", "answer", "row"]],
        on=keys,
        how="left",
        validate="m:1",
        indicator="known",
    )
    lost = joined[joined["known"] != "both"]
    if len(lost):
        row = lost.iloc[0]
        raise StepError(f"no problem {row.problem_id} in benchmark '{row.benchmark}'")
    named = joined["benchmark"].map(graders).fillna(MATH)
    columns = (joined[column] for column in ("benchmark", "problem", "answer", "text"))
    items = list(zip(*columns, named, joined["row"].fillna(""), strict=True))
    verdicts = grade_many(items, workers=workers, progress=True)
    own = named.map(lambda name: grader_file(name) is not None)
    failed = [
        index
        for index, (found, is_own) in enumerate(zip(verdicts, own, strict=True))
        if found.status == RAISED or (is_own and found.status in ENDED)
    ]
    if failed:
        row, first = joined.iloc[failed[0]], verdicts[failed[0]]
        raise StepError(
            f"grader '{named.iloc[failed[0]]}' fails on {len(failed)} of {len(items)} samples, "
            f"first on row {row.problem_id + 1} of benchmark '{row.benchmark}', sample "
            f"{row['sample']}: {first.answer if first.status == RAISED else ENDED[first.status]}; "
            "mend it, and run again"
        )
    return pd.DataFrame(
        {
            **{key: joined[key] for key in ("benchmark", "checkpoint", "problem_id", "sample")},
            "answer": [verdict.answer for verdict in verdicts],
            "correct": [verdict.corrected for verdict in verdicts],
            "harness": [verdict.harness for verdict in verdicts],
            "status": [verdict.status for verdict in verdicts],
            "n_tokens": joined["n_tokens"],
            "finish_reason": joined["finish_reason"],
            "loop": joined["text"].map(ends_in_loop).astype(bool),
        }
    )


def named_grader(text: str) -> tuple[str, str]:
    """`a=exact` as (a, exact); raises StepError for a grader that is not there.

    The manifest names the file of one of the user's own.
    """
    benchmark, _, grader = text.partition("=")
    try:
        check_grader(grader)
    except GraderError as error:
        raise StepError(f"benchmarks.{benchmark}.grader: {error}") from error
    if file := grader_file(grader):
        note_input(file)
    return benchmark, grader


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    parts = [read_parquet(file, "benchmark", "problem_id", "text") for file in arguments.samples]
    samples = pd.concat(parts, ignore_index=True)
    graders = dict(named_grader(text) for text in arguments.graders or ())
    scores = score(samples, read_benchmarks(arguments.benchmarks), arguments.workers, graders)
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
    options.add_argument(
        "--graders", nargs="+", metavar="BENCHMARK=GRADER", help="those that are not math"
    )
    options.add_argument("--workers", type=int, default=1, help="grading processes")
    options.add_argument("--out", required=True, help="Parquet file to write")
    return options
