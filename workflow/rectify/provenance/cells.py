"""Cells of tables and points of figures: what names them, and the files they were made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from rectify.step.manifest import strings

# the columns of a CSV that name its rows
KEYS = {
    "tabulate_scores": ["model", "method", "benchmark"],
    "figure1": ["method", "step", "benchmark"],
    "figure2": ["model", "method", "low"],
    "figure3": ["method", "setting", "value"],
    "tabulate_overlaps": ["model", "method", "benchmark"],
    "monitors": ["run", "step", "quantity"],
    "gallery": ["method", "quantity", "case", "low"],
    "findings": ["model", "seed", "quantity", "method"],
}


def same(cell: str, value: str) -> bool:
    """Whether a CSV's cell is meant by a value: as text, or as a number."""
    try:
        return cell == value or float(cell) == float(value)
    except ValueError:
        return False


def files_of(kind: str, layout: dict[str, Any], row: pd.Series, last: bool) -> list[str]:
    """The files that a row of a table's or figure's CSV was made from, by the layout.

    `last`: of Figure 1, whether it is the end of the curve.
    """
    if kind in ("tabulate_scores", "tabulate_overlaps"):
        keys = ["model", "method", "setting"]
        own = [line for line in layout["rows"] if all(line[key] == row[key] for key in keys)]
        trained = [line["training"] for line in own if line.get("training")]
        # one row's training data may be made of another's: answers of questions
        rows = [t["rows"] for line in layout["rows"] if trained and (t := line.get("training"))]
        return list(strings([[line["scores"] for line in own], trained, rows]))
    if kind == "figure1":
        curve = next(c for c in layout["curves"] if c["method"] == row["method"])
        if row["step"] == "0":
            return list(strings(layout["base"]))
        return [*curve["final"], curve["model"]] if last else curve["checkpoints"]
    if kind == "figure2":
        keys = ["model", "method"]
        own = [h for h in layout["histograms"] if all(h[key] == row[key] for key in keys)]
        return [file for entry in own for file in entry["files"]]
    if kind == "monitors":
        models = [model for curve in layout["curves"] for model in curve["models"]]
        return [model for model in models if Path(model).name == row["run"]]
    if kind == "findings":
        own = [
            r
            for r in layout["repetitions"]
            if (r["model"], str(r["seed"])) == (row["model"], row["seed"])
        ]
        return list(strings([each["methods"][row["method"]] for each in own]))
    if kind == "gallery":  # a weight is the objective's own, read from no file
        own = [each for each in layout["objectives"] if each["method"] == row["method"]]
        change = row["quantity"] == "change"
        return list(strings([layout["base"], [each["files"] for each in own]])) if change else []
    return next(
        point["scores"]
        for point in layout["points"]
        if point["method"] == row["method"]
        and point["setting"] == row["setting"]
        and same(row["value"], str(point["value"]))
    )


def kind_of(manifest: dict[str, Any]) -> str:
    """What a manifest's step makes: a figure's name, or the step's for tables."""
    return manifest["options"].get("figure", manifest["step"])


def behind(
    kind: str, layout: dict[str, Any], table: pd.DataFrame, row: pd.Series
) -> Callable[[str], bool]:
    """Says of a file in the chain of a table or figure whether it is in that of one of its rows."""
    last = kind == "figure1" and int(row["step"]) == max(
        int(step) for step in table[table["method"] == row["method"]]["step"]
    )
    own = files_of(kind, layout, row, last)
    others = set(strings(layout)) - set(own)  # of other cells
    benchmark = row.get("benchmark", "mean")

    def wanted(file: str) -> bool:
        problems = Path(file).parent.name == "benchmarks"
        return file not in others and not (problems and benchmark not in ("mean", Path(file).stem))

    return wanted
