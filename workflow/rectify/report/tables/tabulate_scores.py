"""Make a table of average@n: tidy CSV, and Markdown and LaTeX laid out as in the paper.

    rectify tabulate_scores --settings SETTINGS --published config/published.csv --out table1

SETTINGS is a file of JSON, as the rule `tabulate_scores` gives it: name, caption, scoring,
benchmarks (name, title, published) and rows (model, model_title, published, method, method_title,
setting, scores: one file for each training, whose name has its seed, training: null or, for RL, as
rectify.report.tables.shortfall takes it). Writes table1.csv, table1.md and table1.tex; the CSV's
last columns are pass@k in percent.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from rectify.grading.statuses import counts_of, status_note, too_many_timeouts
from rectify.paper.published import COLUMNS, published_value, read_printed
from rectify.report.tables.latex import latex
from rectify.report.tables.markdown import markdown
from rectify.statistics.accuracy import cells_by_benchmark, pass_at_ks, read_scores
from rectify.statistics.row_names import row_name
from rectify.step.command import settings_file, step_parser
from rectify.step.files import write_text

AS_RELEASED = {"grader": "harness", "rounding": "per_run"}


class Grading(NamedTuple):
    """How many samples of a row's benchmarks are graded with which status, and how many of those
    without a box are right to the published harness.
    """

    counts: dict[str, dict[str, int]]
    unboxed_right: int


def cells_of(
    row: dict[str, Any], scores: pd.DataFrame, settings: dict[str, Any], published: pd.DataFrame
) -> list[dict[str, Any]]:
    """The cells of a row of the table; `scores` are the row's."""
    names = {benchmark["name"]: benchmark["published"] for benchmark in settings["benchmarks"]}
    passes = pass_at_ks(scores, list(names), settings["scoring"])
    as_released = cells_by_benchmark(scores, list(names), AS_RELEASED)
    cells = cells_by_benchmark(scores, list(names), settings["scoring"])
    names["mean"] = "avg"
    return [
        {
            "model": row["model"],
            "method": row["method"],
            "setting": row["setting"],
            "benchmark": benchmark,
            "accuracy": cell.accuracy,
            "stderr": cell.stderr,
            "low": cell.low,
            "high": cell.high,
            "n_problems": cell.n_problems,
            "n_samples": cell.n_samples,
            "n_seeds": cell.n_seeds,
            "as_released": as_released[benchmark].accuracy,
            "published": published_value(
                published,
                table=settings["name"],
                model=row["published"],
                method=row["method"],
                # a ready checkpoint is of what the paper prints without a word for it
                setting="sft" if row["setting"] == "released" else row["setting"],
                benchmark=names[benchmark],
            ),
            **passes[benchmark],
        }
        for benchmark, cell in cells.items()
    ]


def tidy(rows: Iterable[list[dict[str, Any]]]) -> pd.DataFrame:
    """One row per cell, in the order of the table; `rows` are the cells of the table's rows.

    The index is the number of the table's row that a cell is in.
    """
    numbered = [(number, cell) for number, cells in enumerate(rows) for cell in cells]
    numbers, cells = zip(*numbered, strict=True)
    return pd.DataFrame(cells, index=numbers).round(6)  # as the CSV says it, so do the other texts


def grading_of(scores: pd.DataFrame) -> Grading:
    """How the grading of a row's samples went."""
    by_benchmark = scores.groupby("benchmark")["status"]
    unboxed = scores.loc[scores["status"] == "no_answer", "harness"]
    return Grading({name: counts_of(own) for name, own in by_benchmark}, unboxed.sum())


def grading_note(settings: dict[str, Any], gradings: list[Grading]) -> str:
    """How the grading of the table's samples went, and the cells that timed out too often."""
    cells = pd.DataFrame([cell for grading in gradings for cell in grading.counts.values()])
    parts = [status_note(cells.sum().to_dict())]
    for row, grading in zip(settings["rows"], gradings, strict=True):
        for benchmark, cell in grading.counts.items():
            if too_many_timeouts(cell):
                name = row_name(row["method"], row["setting"])
                where = f"{row['model']}, {name}, {benchmark}"
                parts.append(f"more than 1 % timeouts in {where}: {status_note(cell)}")
    return f"Grading: {'; '.join(parts)}. Only ok can be right. {unboxed_note(settings, gradings)}"


def unboxed_note(settings: dict[str, Any], gradings: list[Grading]) -> str:
    """How many samples of each row have no box, so are wrong here, and are right to the harness."""
    said = []
    for row, grading in zip(settings["rows"], gradings, strict=True):
        unboxed = sum(cell["no_answer"] for cell in grading.counts.values())
        name = f"{row['model_title']} {row_name(row['method_title'], row['setting'])}"
        said.append(f"{name} {grading.unboxed_right} of {unboxed}")
    return f"Without a box, and right to the published harness: {', '.join(said)}."


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = arguments.settings
    published = read_printed(arguments.published, COLUMNS, "accuracy")
    rows, gradings = [], []
    for row in settings["rows"]:
        scores = read_scores(row["scores"])  # one row's at a time: of all they are many
        rows.append(cells_of(row, scores, settings, published))
        gradings.append(grading_of(scores))
    cells = tidy(rows)
    text = markdown(cells, settings, grading_note(settings, gradings))
    write_text(f"{arguments.out}.csv", cells.to_csv(index=False, float_format="%.6f"))
    write_text(f"{arguments.out}.md", text)
    write_text(f"{arguments.out}.tex", latex(cells, settings))
    print(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("tabulate_scores", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--published", required=True, help="CSV of the paper's printed numbers")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options
