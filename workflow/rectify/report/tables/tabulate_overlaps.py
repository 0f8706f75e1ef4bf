r"""Set every cell of a study's tables beside its value without the overlapping problems.

    rectify tabulate_overlaps --settings SETTINGS --overlaps contamination.csv --out overlap

SETTINGS is a file of JSON: scoring, benchmarks and rows as of `rectify tabulate_scores`. The
list of overlaps is that of `rectify find_overlaps`. Writes overlap.csv (a row for each cell:
accuracy, stderr, n_problems, and the same without) and overlap.md. A benchmark of which nothing is
left has no value without, nor has the mean over it. Where no problem overlaps, overlap.md is one
line that says so.
"""

from __future__ import annotations

import argparse
from typing import Any

import pandas as pd

from rectify.report.tables.markdown import DIGITS, as_markdown, layout
from rectify.statistics.accuracy import cells_by_benchmark, read_scores
from rectify.statistics.overlaps import read_overlaps, without
from rectify.step.command import settings_file, step_parser
from rectify.step.files import write_text

COLUMNS = ["accuracy", "stderr", "n_problems"]


def cells_of(scores: pd.DataFrame, names: list[str], scoring: dict[str, str]) -> pd.DataFrame:
    """Accuracy, stderr and n_problems by benchmark, and of the mean, which needs all of them."""
    left = [name for name in names if (scores["benchmark"] == name).any()]
    cells = cells_by_benchmark(scores, left, scoring) if left else {}
    found = {name: [getattr(cell, column) for column in COLUMNS] for name, cell in cells.items()}
    table = pd.DataFrame.from_dict(found, orient="index", columns=COLUMNS, dtype=float)
    table = table.reindex([*names, "mean"]).rename_axis("benchmark")
    if left != names:
        table.loc["mean", ["accuracy", "stderr"]] = float("nan")
    return table.assign(n_problems=table["n_problems"].fillna(0).astype(int))


def both(settings: dict[str, Any], scores: list[pd.DataFrame], pairs: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell, all problems and without; `scores` are those of the table's rows.

    The index is the number of the table's row that a cell is in, as in rectify tabulate_scores.
    """
    names = [benchmark["name"] for benchmark in settings["benchmarks"]]
    parts = []
    for number, (row, frame) in enumerate(zip(settings["rows"], scores, strict=True)):
        whole = cells_of(frame, names, settings["scoring"])
        kept = cells_of(without(frame, pairs), names, settings["scoring"])
        table = whole.join(kept, rsuffix="_without").reset_index()
        for place, key in enumerate(("model", "method", "setting")):
            table.insert(place, key, row[key])
        parts.append(table.set_index(pd.Index([number] * len(table))))
    return pd.concat(parts).round(6)  # as in rectify tabulate_scores


def side_by_side(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """Accuracy over all problems and without the overlapping ones, line under line, as Markdown."""

    def text(cell: Any) -> str:
        return "–" if pd.isna(cell.value) else f"{cell.value:.{DIGITS}f}"

    kinds = {"all": cells["accuracy"], "without": cells["accuracy_without"]}
    tables = []
    for kind, values in kinds.items():
        table = layout(cells.assign(value=values), settings, text)
        table.insert(2 + ("Setting" in table), "", kind)
        tables.append(table)
    rows = pd.concat(tables).sort_index(kind="stable")
    repeated = rows.index.duplicated()
    rows.loc[repeated, rows.columns.intersection(["Model", "Method", "Setting"])] = ""
    return as_markdown(rows)


def counted(cells: pd.DataFrame, settings: dict[str, Any]) -> tuple[int, str]:
    """How many of the scored problems overlap, and in which benchmarks, in words."""
    first = cells.drop_duplicates("benchmark").set_index("benchmark")
    total, parts = 0, []
    for benchmark in settings["benchmarks"]:
        cell = first.loc[benchmark["name"]]
        lost = int(cell["n_problems"] - cell["n_problems_without"])
        total += lost
        if lost:
            parts.append(f"{lost} of {cell['n_problems']} in {benchmark['title']}")
    return total, ", ".join(parts)


def markdown(cells: pd.DataFrame, pairs: pd.DataFrame, settings: dict[str, Any]) -> str:
    """The two lines of every row under a sentence that says what overlaps, or that sentence."""
    total, where = counted(cells, settings)
    head = "**Overlap with the training rows.**"
    weak = int((~pairs["overlaps"].astype(bool)).sum())
    share = "1 pair shares" if weak == 1 else f"{weak} pairs share"
    phrases = f" {share} a 13-gram that is too little of the problem to count." if weak else ""
    if not total:
        return f"{head} No benchmark problem overlaps with a training row.{phrases}\n"
    kinds = pairs[pairs["overlaps"].astype(bool)]["kind"].value_counts()
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    verb = "problem overlaps" if total == 1 else "problems overlap"
    note = (
        f"{head} {total} {verb} with training rows: {where}; pairs: {said}, listed in "
        f"data/contamination.csv with both texts.{phrases} Average@n in percent over all problems "
        "and without those:"
    )
    return f"{note}\n\n{side_by_side(cells, settings)}\n"


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = arguments.settings
    pairs = read_overlaps(arguments.overlaps)
    scores = [read_scores(row["scores"]) for row in settings["rows"]]
    cells = both(settings, scores, pairs)
    text = markdown(cells, pairs, settings)
    write_text(f"{arguments.out}.csv", cells.to_csv(index=False, float_format="%.6f"))
    write_text(f"{arguments.out}.md", text)
    print(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("tabulate_overlaps", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--overlaps", required=True, help="CSV of rectify find_overlaps")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options
