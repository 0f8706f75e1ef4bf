r"""The training questions whose worked solution ends in an answer to grade by.

    rectify list_questions --rows training.parquet --count 2000 \
        --out questions.parquet --counts questions.json

The model answers these itself, for Table 3. Writes columns problem_id (the training row), problem,
answer (the row's own, where rows have any, else the solution's last \boxed), as a benchmark's file
has them, so that the same steps decode and score them; rows without one are left out, and counted.
"""

from __future__ import annotations

import argparse

import pandas as pd

from rectify.data.rows import read_rows
from rectify.grading.boxed import boxed_answer
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_json
from rectify.step.tables import write_parquet


def questions(rows: pd.DataFrame) -> pd.DataFrame:
    """Columns problem_id, problem, answer of the training rows that have one to grade by."""
    boxed = "answer" not in rows
    answers = rows["solution"].map(boxed_answer) if boxed else rows["answer"].replace("", None)
    found = pd.DataFrame(
        {"problem_id": range(len(rows)), "problem": rows["problem"], "answer": answers}
    )
    return found[answers.notna()]


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    rows = read_rows(arguments.rows)
    usable = questions(rows)
    if usable.empty:
        raise StepError(
            f"{arguments.rows}: no solution with an answer to grade by: none has a \\boxed one, or "
            "one where data.answer_after says; see the study's data"
        )
    asked = usable.head(arguments.count)
    counts = {
        "rows": len(rows),
        f"without{'' if 'answer' in rows else '_boxed'}_answer": len(rows) - len(usable),
        "questions": len(asked),
    }
    write_parquet(arguments.out, asked.reset_index(drop=True))
    write_json(arguments.counts, counts)
    print(", ".join(f"{key} {value}" for key, value in counts.items()))
    print(f"questions: asked for {arguments.count or 'all'}, found {len(asked)}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("list_questions", __doc__)
    options.add_argument("--rows", required=True, help="Parquet with columns problem, solution")
    options.add_argument("--count", type=int, help="questions at most, the first ones")
    options.add_argument("--out", required=True, help="Parquet file to write")
    options.add_argument("--counts", required=True, help="JSON file of counts to write")
    return options
