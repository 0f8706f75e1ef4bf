"""Cells of tables and points of figures: what names them, and the files they were made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from rectify.paper.figure import figures
from rectify.step.manifest import strings

# the columns of a table's CSV that name its rows, by the step that makes it
TABLES = {
    "tabulate_scores": ["model", "method", "benchmark"],
    "tabulate_health": ["model", "method", "benchmark", "quantity"],
    "tabulate_overlaps": ["model", "method", "benchmark"],
    "tabulate_retention": ["model", "method", "benchmark"],
    "tabulate_rates": ["model", "method", "learning_rate"],
}


def keys_of(kind: str) -> list[str] | None:
    """The columns of a CSV that name its rows; None if it is neither a table nor a figure."""
    figure = figures().get(kind)
    return figure.KEYS if figure else TABLES.get(kind)


def same(cell: str, value: str) -> bool:
    """Whether a CSV's cell is meant by a value: as text, or as a number."""
    try:
        return cell == value or float(cell) == float(value)
    except ValueError:
        return False


def files_of(kind: str, layout: dict[str, Any], row: pd.Series, table: pd.DataFrame) -> list[str]:
    """The files that a row of a table's or figure's CSV was made from, by the layout."""
    if kind not in TABLES:
        return figures()[kind].behind(layout, row, table)
    if kind == "tabulate_rates":
        choices = {(each["model"], each["method"]): each for each in layout["choices"]}
        return [choices[row["model"], row["method"]]["folder"]]
    keys = ["model", "method", "setting"]
    own = [line for line in layout["rows"] if all(line[key] == row[key] for key in keys)]
    if kind == "tabulate_retention":
        key = "divergence" if row["benchmark"] == "text" else "scores"
        return [file for line in own for file in line[key]]
    trained = [line["training"] for line in own if line.get("training")]
    # one row's training data may be made of another's: answers of questions
    rows = [t["rows"] for line in layout["rows"] if trained and (t := line.get("training"))]
    return list(strings([[line["scores"] for line in own], trained, rows]))


def scored(kind: str, layout: dict[str, Any], row: pd.Series) -> list[str] | None:
    """The scores that a row's accuracy is of, where others are behind it too; else None."""
    own = getattr(figures().get(kind), "scored", None)
    return own(layout, row) if own else None


def kind_of(manifest: dict[str, Any]) -> str:
    """What a manifest's step makes: a figure's name, or the step's for tables."""
    return manifest["options"].get("figure", manifest["step"])


def behind(
    kind: str, layout: dict[str, Any], table: pd.DataFrame, row: pd.Series
) -> Callable[[str], bool]:
    """Says of a file in the chain of a table or figure whether it is in that of one of its rows."""
    own = files_of(kind, layout, row, table)
    others = set(strings(layout)) - set(own)  # of other cells
    benchmark = row.get("benchmark", "mean")

    def wanted(file: str) -> bool:
        problems = Path(file).parent.name == "benchmarks"
        return file not in others and not (problems and benchmark not in ("mean", Path(file).stem))

    return wanted
