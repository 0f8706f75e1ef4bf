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
from typing import Any

import pandas as pd

from rectify.grading.statuses import STATUSES, status_note, too_many_timeouts
from rectify.paper.published import COLUMNS, published_value, read_printed
from rectify.report.tables.latex import latex
from rectify.report.tables.markdown import markdown
from rectify.statistics.accuracy import cells_by_benchmark, pass_at_ks, read_scores
from rectify.statistics.row_names import row_name
from rectify.step.command import settings_file, step_parser
from rectify.step.files import write_text


def tidy(
    settings: dict[str, Any],
    scores: list[pd.DataFrame],
    published: pd.DataFrame,
    scoring: dict[str, str],
) -> pd.DataFrame:
    """One row per cell, in the order of the table; `scores` are those of the table's rows.

    The index is the number of the table's row that a cell is in.
    """
    names = {benchmark["name"]: benchmark["published"] for benchmark in settings["benchmarks"]}
    names["mean"] = "avg"
    cells, numbers = [], []
    for number, (row, frame) in enumerate(zip(settings["rows"], scores, strict=True)):
        passes = pass_at_ks(frame, list(names)[:-1], scoring)
        for benchmark, cell in cells_by_benchmark(frame, list(names)[:-1], scoring).items():
            numbers.append(number)
            cells.append(
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
            )
    return pd.DataFrame(cells, index=numbers).round(6)  # as the CSV says it, so do the other texts


def grading_note(settings: dict[str, Any], scores: list[pd.DataFrame]) -> str:
    """How the grading of the table's samples went, and the cells that timed out too often."""

    def counts(statuses: pd.Series) -> dict[str, int]:
        return {status: int((statuses == status).sum()) for status in STATUSES}

    parts = [status_note(counts(pd.concat([frame["status"] for frame in scores])))]
    for row, frame in zip(settings["rows"], scores, strict=True):
        for benchmark, statuses in frame.groupby("benchmark")["status"]:
            cell = counts(statuses)
            if too_many_timeouts(cell):
                name = row_name(row["method"], row["setting"])
                where = f"{row['model']}, {name}, {benchmark}"
                parts.append(f"more than 1 % timeouts in {where}: {status_note(cell)}")
    return f"Grading: {'; '.join(parts)}. Only ok can be right. {unboxed_note(settings, scores)}"


def unboxed_note(settings: dict[str, Any], scores: list[pd.DataFrame]) -> str:
    """How many samples of each row have no box, so are wrong here, and are right to the harness."""
    counts = []
    for row, frame in zip(settings["rows"], scores, strict=True):
        unboxed = frame[frame["status"] == "no_answer"]
        name = f"{row['model_title']} {row_name(row['method_title'], row['setting'])}"
        counts.append(f"{name} {unboxed['harness'].sum()} of {len(unboxed)}")
    return f"Without a box, and right to the published harness: {', '.join(counts)}."


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = arguments.settings
    scores = [read_scores(row["scores"]) for row in settings["rows"]]
    published = read_printed(arguments.published, COLUMNS, "accuracy")
    cells = tidy(settings, scores, published, settings["scoring"])
    as_released = {"grader": "harness", "rounding": "per_run"}
    harness = tidy(settings, scores, published, as_released)
    text = markdown(cells, harness, settings, grading_note(settings, scores))
    cells.insert(cells.columns.get_loc("published"), "as_released", harness["accuracy"])
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
