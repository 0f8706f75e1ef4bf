"""Make a table of average@n: tidy CSV, and Markdown and LaTeX laid out as in the paper.

    rectify tabulate_scores --settings SETTINGS --published config/published.csv --out table1

SETTINGS is JSON, or a file of it, as the rule `tabulate_scores` gives it: name, caption, scoring,
benchmarks (name, title, published) and rows (model, model_title, published, method, method_title,
setting, scores: one file for each training, whose name has its seed, training: null or, for RL, as
rectify.report.tables.shortfall takes it). Writes table1.csv, table1.md and table1.tex; the CSV's
last columns are pass@k in percent.
"""

from __future__ import annotations

import argparse
import re
from typing import Any

import pandas as pd

from rectify.grading.disagreements import status_note, too_many_timeouts
from rectify.grading.verdict import STATUSES
from rectify.paper.published import COLUMNS, published_value, read_printed
from rectify.report.tables.shortfall import named, shortfalls
from rectify.statistics.accuracy import cells_by_benchmark, pass_at_ks, read_scores
from rectify.step.command import json_or_file, step_parser
from rectify.step.files import write_text

DIGITS = 2  # as the paper prints


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
                        setting=row["setting"],
                        benchmark=names[benchmark],
                    ),
                    **passes[benchmark],
                }
            )
    return pd.DataFrame(cells, index=numbers).round(6)  # as the CSV says it, so do the other texts


def layout(cells: pd.DataFrame, settings: dict[str, Any], text: Any) -> pd.DataFrame:
    """The paper's layout: a row for each model and method, a column for each benchmark.

    A table of several settings (SFT, offline, online) has a column that says which.
    `text(cell)` writes a row of the tidy table as a cell's text.
    """
    titles = {b["name"]: b["title"] for b in settings["benchmarks"]} | {"mean": "Avg."}
    lines = []
    grouped = len({row["setting"] for row in settings["rows"]} - {"-"}) > 1
    for number, row in enumerate(settings["rows"]):
        own = cells.loc[[number]]
        line = {"Model": row["model_title"], "Method": row["method_title"]}
        if grouped:
            line["Setting"] = row["setting"]
        lines.append(line | {titles[cell.benchmark]: text(cell) for cell in own.itertuples()})
    return pd.DataFrame(lines)


def as_markdown(frame: pd.DataFrame) -> str:
    """A table as Markdown: columns of words, then numbers, with their digits as given."""
    words = ("Model", "Method", "Setting", "")
    columns = ["left" if column in words else "right" for column in frame]
    return frame.to_markdown(index=False, disable_numparse=True, colalign=columns)


def best_of_k(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """Mean pass@k of each row of the table, a column for each k, as Markdown."""
    ks = [column for column in cells if column.startswith("pass@")]
    means = cells[cells["benchmark"] == "mean"]
    words = layout(means, settings, lambda cell: "").drop(columns="Avg.")
    values = means[ks].map(f"{{:.{DIGITS}f}}".format).reset_index(drop=True)
    return as_markdown(pd.concat([words, values], axis=1))


def comparison(cells: pd.DataFrame, harness: pd.DataFrame, settings: dict[str, Any]) -> str:
    """Measured cells, the same samples under the published harness's rules and rounding, the
    paper's numbers, and measured - paper, side by side as Markdown.
    """
    difference = cells["accuracy"] - cells["published"]
    kinds = {
        "measured": cells["accuracy"],
        "measured, by the harness's rules": harness["accuracy"],
        "paper": cells["published"],
        "measured - paper": difference,
    }

    def text(cell: Any) -> str:
        sign = "+" if cell.kind == "measured - paper" else ""
        return "–" if pd.isna(cell.value) else f"{cell.value:{sign}.{DIGITS}f}"

    tables = []
    for kind, values in kinds.items():
        table = layout(cells.assign(value=values, kind=kind), settings, text)
        table.insert(2 + ("Setting" in table), "", kind)
        tables.append(table)
    rows = pd.concat(tables).sort_index(kind="stable")  # a method's four lines together
    repeated = rows.index.duplicated()
    rows.loc[repeated, rows.columns.intersection(["Model", "Method", "Setting"])] = ""
    return as_markdown(rows)


def stand_ins(settings: dict[str, Any]) -> str:
    """Which of the paper's models and benchmarks the table's rows and columns are compared with."""
    models = {row["model_title"]: row["published"] for row in settings["rows"]}
    columns = {benchmark["title"]: benchmark["published"] for benchmark in settings["benchmarks"]}
    pairs = [f"{ours}: {theirs}" for ours, theirs in (models | columns).items() if theirs]
    return f"Compared with, by their names in config/published.csv: {'; '.join(pairs)}."


def markdown(
    cells: pd.DataFrame, harness: pd.DataFrame, settings: dict[str, Any], grading: str
) -> str:
    """Measured cells with their standard errors; then, where the paper has any, beside its own."""
    measured = layout(cells, settings, lambda c: f"{c.accuracy:.{DIGITS}f} ± {c.stderr:.{DIGITS}f}")
    said = [notes(cells), shortfalls(cells, settings["rows"]), grading]
    parts = [f"**{settings['caption']}**", *filter(None, said), as_markdown(measured)]
    parts += [
        "With the best of k samples chosen by a verifier that is always right (pass@k), mean over "
        "the benchmarks:",
        best_of_k(cells, settings),
    ]
    if cells["published"].notna().any():
        parts += ["Beside the numbers printed in the paper (arXiv 2508.05629v1):"]
        parts += [stand_ins(settings), comparison(cells, harness, settings)]
    return "\n\n".join(parts) + "\n"


def notes(cells: pd.DataFrame) -> str:
    """What the numbers are, in a sentence."""
    trained = named(cells[cells["method"] != "base"])
    seeds = {
        f"{count} training seeds" if count > 1 else "one training seed": ", ".join(
            group["name"].unique()
        )
        for count, group in trained.groupby("n_seeds", sort=False)
    }
    means = list(seeds) if len(seeds) == 1 else [f"{key} ({value})" for key, value in seeds.items()]
    error = "over problems and training seeds" if cells["n_seeds"].max() > 1 else "over problems"
    bases = cells[cells["method"] == "base"]["n_seeds"].max()
    return "; ".join(
        [
            f"average@{cells['n_samples'].max()} in percent ± standard error {error}",
            *([f"mean over {', '.join(means)}"] if means else []),
            f"base: mean over {bases} pretrainings." if bases > 1 else "base: one model.",
        ]
    )


def grading_note(settings: dict[str, Any], scores: list[pd.DataFrame]) -> str:
    """How the grading of the table's samples went, and the cells that timed out too often."""

    def counts(statuses: pd.Series) -> dict[str, int]:
        return {status: int((statuses == status).sum()) for status in STATUSES}

    parts = [status_note(counts(pd.concat([frame["status"] for frame in scores])))]
    for row, frame in zip(settings["rows"], scores, strict=True):
        for benchmark, statuses in frame.groupby("benchmark")["status"]:
            cell = counts(statuses)
            if too_many_timeouts(cell):
                where = f"{row['model']}, {row['method']}, {benchmark}"
                parts.append(f"more than 1 % timeouts in {where}: {status_note(cell)}")
    return f"Grading: {'; '.join(parts)}. Only ok can be right. {unboxed_note(settings, scores)}"


def unboxed_note(settings: dict[str, Any], scores: list[pd.DataFrame]) -> str:
    """How many samples of each row have no box, so are wrong here, and are right to the harness."""
    grouped = len({row["setting"] for row in settings["rows"]} - {"-"}) > 1
    counts = []
    for row, frame in zip(settings["rows"], scores, strict=True):
        unboxed = frame[frame["status"] == "no_answer"]
        name = [row["model_title"], row["method_title"], *([row["setting"]] if grouped else [])]
        counts.append(f"{' '.join(name)} {unboxed['harness'].sum()} of {len(unboxed)}")
    return f"Without a box, and right to the published harness: {', '.join(counts)}."


def escaped(text: str) -> str:
    """Plain text for LaTeX."""
    return re.sub(r"[&%$#_{}]", r"\\\g<0>", text.replace("\\", r"\textbackslash "))


def latex(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """A booktabs table; the best method of each model and benchmark in bold."""
    groups = cells.groupby(["model", "benchmark"])["accuracy"]
    best = (cells["accuracy"] == groups.transform("max")) & (groups.transform("nunique") > 1)
    marked = cells.assign(best=best)

    def text(cell: Any) -> str:
        value = f"{cell.accuracy:.{DIGITS}f}"
        return f"\\textbf{{{value}}}" if cell.best else value

    frame = layout(marked, settings, text).rename(columns=escaped)
    frame["Model"] = frame["Model"].where(~frame["Model"].duplicated(), "").map(escaped)
    frame["Method"] = frame["Method"].map(escaped)
    words = 2 + ("Setting" in frame)
    return (
        frame.style.hide(axis="index").to_latex(
            hrules=True,
            column_format="l" * words + "r" * (frame.shape[1] - words),
            caption=escaped(settings["caption"]),
            label=f"tab:{settings['name']}",
            position_float="centering",
        )
        + f"% {notes(cells)}\n"
    )


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
    options.add_argument("--settings", required=True, type=json_or_file, help="as JSON")
    options.add_argument("--published", required=True, help="CSV of the paper's printed numbers")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options
