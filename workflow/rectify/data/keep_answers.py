"""The model's own graded answers as training sets: correct ones, pairs, all with their rewards.

    rectify keep_answers --settings SETTINGS --questions questions.parquet \
        --samples samples.parquet --scores scores.parquet \
        --correct correct.parquet --pairs pairs.parquet --answers answers.parquet \
        --counts counts.json

SETTINGS is a file of JSON: seed, correct and pairs (the most of each that are kept; null
for all). Writes correct.parquet (problem, solution: rejection-sampled fine-tuning, arXiv
2304.06767), pairs.parquet (problem, chosen, rejected: preference optimisation) and answers.parquet
(problem, solution, reward: 1 for a correct answer, else 0; all of them, for objectives that weigh
rows by reward). Answers that ran out of room are in none: an end that the model did not write would
be taught to it. Questions whose prompt was too long were skipped, and are counted. A set may be
empty; what is to be trained on it says so.
"""

from __future__ import annotations

import argparse

import pandas as pd

from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_json
from rectify.step.tables import read_parquet, write_parquet

KEYS = ["problem_id", "sample"]


def graded_answers(
    questions: pd.DataFrame, samples: pd.DataFrame, scores: pd.DataFrame
) -> pd.DataFrame:
    """Columns problem_id, sample, problem, text, correct, finished of every sample.

    Raises StepError if a sample has no score, or no question.
    """
    joined = samples[[*KEYS, "text", "finish_reason"]].merge(
        scores[[*KEYS, "correct"]], on=KEYS, how="left", validate="1:1"
    )
    joined = joined.merge(questions[["problem_id", "problem"]], on="problem_id", how="left")
    for column, what in (("correct", "score"), ("problem", "question")):
        lost = joined[joined[column].isna()]
        if len(lost):
            row = lost.iloc[0]
            raise StepError(f"problem {row.problem_id}, sample {row['sample']} has no {what}")
    joined["finished"] = joined.pop("finish_reason") == "stop"
    return joined.astype({"correct": bool})


def pairs_of(answers: pd.DataFrame) -> pd.DataFrame:
    """Columns problem, chosen, rejected: a question's i-th correct with its i-th wrong answer.

    So no answer is in two pairs, and a question gives as many as the rarer kind has.
    """
    numbered = answers.assign(index=answers.groupby(["problem_id", "correct"]).cumcount())
    correct, wrong = (numbered[numbered["correct"] == kind] for kind in (True, False))
    paired = correct.merge(
        wrong[["problem_id", "index", "text"]], on=["problem_id", "index"], suffixes=("", "_wrong")
    )
    names = {"text": "chosen", "text_wrong": "rejected"}
    return paired.rename(columns=names)[["problem", "chosen", "rejected"]]


def at_most(rows: pd.DataFrame, count: int | None, seed: int) -> pd.DataFrame:
    """`count` of the rows at random, in their order; all if there are no more."""
    if count is None or len(rows) <= count:
        return rows.reset_index(drop=True)
    return rows.sample(count, random_state=seed).sort_index().reset_index(drop=True)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    questions = read_parquet(arguments.questions, "problem_id", "problem")
    parts = [read_parquet(file, *KEYS, "text", "finish_reason") for file in arguments.samples]
    scores = read_parquet(arguments.scores, *KEYS, "correct")
    answers = graded_answers(questions, pd.concat(parts, ignore_index=True), scores)
    finished = answers[answers["finished"]].sort_values(KEYS)
    every = finished.rename(columns={"text": "solution"})
    every["reward"] = every["correct"].astype(float)
    correct, pairs = every[every["correct"]], pairs_of(finished)
    kept = at_most(correct[["problem", "solution"]], settings.correct, settings.seed)
    kept_pairs = at_most(pairs, settings.pairs, settings.seed)
    counts = {
        "questions": int(answers["problem_id"].nunique()),
        "skipped": int((~questions["problem_id"].isin(answers["problem_id"])).sum()),
        "samples": len(answers),
        "unfinished": int((~answers["finished"]).sum()),
        "correct": len(correct),
        "kept": len(kept),
        "pairs": len(pairs),
        "kept_pairs": len(kept_pairs),
    }
    write_parquet(arguments.correct, kept)
    write_parquet(arguments.pairs, kept_pairs)
    write_parquet(arguments.answers, every[["problem", "solution", "reward"]])
    write_json(arguments.counts, counts)
    print(", ".join(f"{key} {value:,}" for key, value in counts.items()))
    for key, limit, found in (
        ("correct", settings.correct, correct),
        ("pairs", settings.pairs, pairs),
    ):
        print(f"{key}: asked for {'all' if limit is None else limit}, found {len(found)}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("keep_answers", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument(
        "--questions", required=True, help="Parquet file of rectify list_questions"
    )
    options.add_argument(
        "--samples", required=True, nargs="+", help="Parquet files of rectify decode"
    )
    options.add_argument("--scores", required=True, help="Parquet file of rectify score")
    options.add_argument("--correct", required=True, help="Parquet file to write")
    options.add_argument("--pairs", required=True, help="Parquet file to write")
    options.add_argument("--answers", required=True, help="Parquet file to write")
    options.add_argument("--counts", required=True, help="JSON file of counts to write")
    return options
