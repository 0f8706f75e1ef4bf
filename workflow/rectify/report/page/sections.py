"""What the report's sections show, read from a study's files into plain values for the templates.

Every function takes (parts of) a layout of rectify.jobs.layouts.report_layout, and raises StepError
naming the file that is missing or does not fit.
"""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from rectify.report.tables.markdown import notes, stand_ins
from rectify.report.tables.shortfall import shortfalls
from rectify.statistics.comparisons import fewest_seeds
from rectify.statistics.row_names import row_name
from rectify.statistics.variance import SOURCES
from rectify.step.errors import StepError, first_line
from rectify.step.manifest import find_manifest
from rectify.step.tables import known, read_csv

VERDICTS = ("reproduced", "contradicted", "inconclusive", "not run")
NUMBERS = ("estimate", "low", "high", "p_value")  # of a claim's test
COUNTS = ("n_problems", "n_samples", "n_seeds")


class Bar(NamedTuple):
    """An interval on an axis, in percent of the axis; `mark` is the paper's number, `zero` 0's."""

    start: float
    width: float
    at: float
    mark: float | None = None
    zero: float | None = None


def bar(
    value: float, low: float, high: float, axis: tuple[float, float], mark: float | None = None
) -> Bar:
    """The bar of an interval on an axis from axis[0] to axis[1]."""
    first, last = axis

    def place(number: float) -> float:
        return round(min(max(100 * (number - first) / ((last - first) or 1), 0), 100), 2)

    return Bar(
        place(low),
        round(place(high) - place(low), 2),
        place(value),
        None if mark is None else place(mark),
        place(0) if first < 0 < last else None,
    )


def verdicts(file: str, study: str) -> dict[str, Any]:
    """The claims with their verdicts, in the order of the claims file, and how many of each.

    Raises StepError also for the verdicts of another study, as their manifest has it.
    """
    try:
        claims = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StepError(f"{file}: cannot be read as JSON: {first_line(error)}") from error
    found = find_manifest(Path(file))
    if found and found[1]["study"] not in (study, None):
        raise StepError(
            f"{file}: verdicts on study '{found[1]['study']}', not '{study}'; judge them again"
        )
    try:
        for claim in claims:
            for test in filter(None, [claim["weakest"], *claim["results"]]):
                test |= {key: known(test[key]) for key in NUMBERS}
                test["bar"] = None
                if test["low"] is not None:
                    spread = (test["estimate"], test["low"], test["high"])
                    widest = 1.1 * max(map(abs, spread))
                    test["bar"] = bar(*spread, (-widest, widest))
        found_words = [claim["verdict"] for claim in claims]
    except (KeyError, TypeError, ValueError) as error:
        raise StepError(
            f"{file}: not verdicts of rectify judge_claims: {first_line(error)}"
        ) from error
    for word in found_words:
        if word not in VERDICTS:
            raise StepError(f"{file}: no verdict '{word}'; there are {', '.join(VERDICTS)}")
    return {"claims": claims, "counts": {word: found_words.count(word) for word in VERDICTS}}


def title_of(row: dict[str, Any]) -> str:
    """A row's name with its method's title, as the page has it."""
    return row_name(row["method_title"], row["setting"])


def key_of(row: dict[str, Any]) -> tuple[str, str]:
    """By which a row is known in the statistics' files."""
    return row["model"], row_name(row["method"], row["setting"])


def titles(layout: dict[str, Any]) -> dict[str, str]:
    """The titles of the benchmarks, and of their mean."""
    names = layout["tables"][0]["benchmarks"] if layout["tables"] else []
    return {each["name"]: each["title"] for each in names} | {"mean": "Average"}


def benchmark_title(layout: dict[str, Any], name: str, file: str) -> str:
    """A benchmark's title; raises StepError for one that the study does not have."""
    if name not in (known_ones := titles(layout)):
        raise StepError(f"{file}: no benchmark '{name}' in this study; run the study again")
    return known_ones[name]


def table(settings: dict[str, Any]) -> dict[str, Any]:
    """A table's cells by row, with what the paper has and where it stands on its column's axis."""
    columns = ("accuracy", "stderr", "low", "high", "published", "as_released", *COUNTS)
    cells = read_csv(settings["csv"], ("model", "method", "setting", "benchmark"), columns)
    by_key = {(c.model, c.method, c.setting, c.benchmark): c for c in cells.itertuples()}
    names = [each["name"] for each in settings["benchmarks"]] + ["mean"]
    if len(cells) > (count := len(settings["rows"]) * len(names)):
        raise StepError(
            f"{settings['csv']}: {len(cells)} cells, where this study has {count}: a table of "
            "another study; run the study again"
        )
    highest = cells.groupby("benchmark")[["high", "published"]].max().max(axis=1)
    rows = []
    for row in settings["rows"]:
        line = []
        for name in names:
            key = (row["model"], row["method"], row["setting"], name)
            if key not in by_key:
                raise StepError(
                    f"{settings['csv']}: no cell {', '.join(key)}: a table of another study; "
                    "run the study again"
                )
            cell, paper = by_key[key], known(by_key[key].published)
            line.append(
                {
                    "benchmark": name,
                    "measured": cell.accuracy,
                    "low": cell.low,
                    "high": cell.high,
                    "stderr": cell.stderr,
                    "paper": paper,
                    "as_released": cell.as_released,
                    "difference": None if paper is None else cell.accuracy - paper,
                    "bar": bar(cell.accuracy, cell.low, cell.high, (0, highest[name]), paper),
                }
            )
        rows.append({"model": row["model_title"], "method": title_of(row), "cells": line,
                     "key": key_of(row)})  # fmt: skip
    compared = bool(cells["published"].notna().any())
    said = [notes(cells), *short_of(cells, settings), *([stand_ins(settings)] if compared else [])]
    return {
        "name": settings["name"],
        "caption": settings["caption"],
        "notes": [note.removeprefix("- ") for note in said if note],
        "compared": compared,
        "rows": rows,
        "pass": passes(cells, settings),
    }


def short_of(cells: pd.DataFrame, settings: dict[str, Any]) -> list[str]:
    """The notes on the rows that are not above their base model, or on what they lack."""
    by_row = cells.set_index(cells.index // (len(settings["benchmarks"]) + 1))  # as tabulate has it
    try:
        return (shortfalls(by_row, settings["rows"]) or "").splitlines()
    except StepError as error:
        return [f"Which rows are not above their base model is not said: {error}"]


def passes(cells: pd.DataFrame, settings: dict[str, Any]) -> dict[str, Any]:
    """Mean pass@k of each row of a table, for each k that its CSV has."""
    ks = [column for column in cells if column.startswith("pass@")]
    if wrong := [column for column in ks if not pd.api.types.is_numeric_dtype(cells[column])]:
        raise StepError(f"{settings['csv']}: {wrong[0]} has what is no number; run the study again")
    means = cells[cells["benchmark"] == "mean"].set_index(["model", "method", "setting"])
    rows = [
        {
            "model": row["model_title"],
            "method": title_of(row),
            "values": means.loc[(row["model"], row["method"], row["setting"]), ks].tolist(),
        }
        for row in settings["rows"]
    ]
    return {"ks": ks, "rows": rows}


def figure(name: str, file: str) -> dict[str, str]:
    """A PNG figure in base64."""
    try:
        return {"name": name, "data": base64.b64encode(Path(file).read_bytes()).decode()}
    except OSError as error:
        raise StepError(f"{file}: {error.strerror}") from error


def row_weights(entry: dict[str, str]) -> dict[str, Any]:
    """What a method hardly learns from: classes of tokens, rows of lowest and of highest weight."""
    texts = ("part", "name", "problem", "solution")
    numbers = ("tokens", "mean_weight", "mean_p", "ratio")
    shown = read_csv(entry["csv"], texts, numbers, keep_default_na=False)
    parts = {name: part.to_dict("records") for name, part in shown.groupby("part", sort=False)}
    return entry | {"parts": parts}


def row_titles(layout: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    """Every row's (model, method) as the page names them."""
    return {key_of(row): (row["model_title"], title_of(row)) for row in layout["rows"]}


def named(layout: dict[str, Any], model: str, method: str, file: str) -> tuple[str, str]:
    """A row's titles; raises StepError for a row that the study does not have."""
    found = row_titles(layout).get((model, method))
    if found is None:
        raise StepError(f"{file}: no row '{model}, {method}' in this study; run the study again")
    return found


def comparisons(layout: dict[str, Any]) -> list[dict[str, Any]]:
    """Every table's comparisons, and what its benchmarks could have shown."""
    file = layout["statistics"]["comparisons"]
    words = ("table", "model", "method", "than", "benchmark")
    numbers = ("difference", "low", "high", "p_value", "p_holm", "smallest", "n_problems",
               "n_seeds", "than_seeds")  # fmt: skip
    rows = read_csv(file, words, numbers)
    names, found = titles(layout), []
    for name in rows["benchmark"].unique():
        benchmark_title(layout, name, file)
    for table_name, group in rows.groupby("table", sort=False):
        means = group["benchmark"] == "mean"
        axes = {mean: axis_of(rows) for mean, rows in group.groupby(means)}
        lines = []
        for row in group.itertuples():
            model, method = named(layout, row.model, row.method, file)
            _, than = named(layout, row.model, row.than, file)
            spread = (row.difference, row.low, row.high)
            lines.append(
                row._asdict()
                | {
                    "model": model,
                    "what": f"{method} − {than}",
                    "title": names[row.benchmark],
                    "smallest": known(row.smallest),
                    "seeds": fewest_seeds({row.method: row.n_seeds, row.than: row.than_seeds}),
                    "bar": bar(*spread, axes[row.benchmark == "mean"]),
                }
            )
        found.append({"name": table_name, "rows": lines, "power": power(group, names)})
    return found


def axis_of(rows: pd.DataFrame) -> tuple[float, float]:
    """An axis with room for 0 and for every interval of some comparisons."""
    first, last = min(rows["low"].min(), 0), max(rows["high"].max(), 0)
    margin = 0.05 * (last - first)
    return first - margin, last + margin


def power(comparisons: pd.DataFrame, names: dict[str, str]) -> list[dict[str, Any]]:
    """The smallest true difference that each benchmark shows: the median over comparisons, among
    which those that could show none count as infinite; so may the median, which is None then.
    """
    found = []
    for name, group in comparisons[comparisons["benchmark"] != "mean"].groupby(
        "benchmark", sort=False
    ):
        median = float(group["smallest"].fillna(math.inf).median())
        shown = median if math.isfinite(median) else None
        found.append({"title": names[name], "problems": int(group["n_problems"].max()),
                      "median": shown, "blind": median > 1})  # fmt: skip
    return found


def variance(layout: dict[str, Any]) -> dict[str, Any]:
    """For each row and benchmark, each source's share of the variance of the cell's mean in
    percent, and the standard error in points that it alone would give (its root).
    """
    file = layout["statistics"]["variance"]
    numbers = tuple(f"{source}_of_mean" for source in SOURCES)
    split = read_csv(file, ("model", "method", "benchmark"), numbers)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in split.itertuples():
        key = (cell.model, cell.method)
        model, method = named(layout, *key, file)
        benchmark_title(layout, cell.benchmark, file)
        parts = {source: known(getattr(cell, f"{source}_of_mean")) for source in SOURCES}
        total = sum(filter(None, parts.values()))
        shown = [
            {"source": source, "share": 100 * part / total if total else 0.0,
             "error": math.sqrt(part)}
            for source, part in parts.items() if part is not None
        ]  # fmt: skip
        own = rows.setdefault(key, {"model": model, "method": method, "cells": {}})
        own["cells"][cell.benchmark] = {"parts": shown, "error": math.sqrt(total)}
    columns = {name: title for name, title in titles(layout).items() if name != "mean"}
    return {"columns": columns, "rows": list(rows.values()), "sources": SOURCES}
