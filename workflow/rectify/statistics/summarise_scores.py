"""Sum up a study's scores beyond its tables: comparisons, variance splits, how grading went.

    rectify summarise_scores --settings SETTINGS --out results/mini/statistics

SETTINGS is a file of JSON: tables, each as `rectify tabulate_scores` takes it. Writes to the
folder

  comparisons.csv  each method with the base model, DFT with SFT and iw-SFT of the same setting
                   (each at its own learning rate with each at its own), a method at its own with
                   itself at the study's, a released checkpoint with its retraining:
                   rectify.statistics.comparisons, with Holm's correction within a table
  variance.csv     rectify.statistics.variance for each cell; `_of_mean` is a source's part in the
                   variance of the cell's mean, in percentage points squared. Training seeds are
                   pretrainings for a model whose base row has seeds, and fine-tunings for any other
  statuses.csv     for each cell, how many samples were graded and with which status

What a study has too few problems or samples for is left out, and the log says so.
"""

from __future__ import annotations

import argparse
from itertools import product
from typing import Any

import pandas as pd

from rectify.grading.statuses import counts_of
from rectify.statistics.accuracy import UNSEEDED, graded, read_scores
from rectify.statistics.comparisons import compare_rows
from rectify.statistics.row_names import row_name
from rectify.statistics.variance import SOURCES, variance_split
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_text

RIVALS = ("sft", "iw-sft")  # what DFT is compared with
COMPARED = (
    "table", "model", "method", "than", "benchmark", "difference", "low", "high", "p_value",
    "smallest", "n_problems", "n_seeds", "than_seeds", "p_holm",
)  # fmt: skip

Key = tuple[str, str]  # a model and the name of a table's row


def pairs_of(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(model, method, than) of a table's comparisons, by the rows' names."""
    pairs = []
    for row, other in product(rows, rows):
        if row["model"] != other["model"] or row is other:
            continue
        same = row["setting"] == other["setting"]
        swept = [each.get("swept") for each in (row, other)]  # rows made up by hand have none
        one, two = (of or each["method"] for of, each in zip(swept, (row, other), strict=True))
        alike = same and bool(swept[0]) == bool(swept[1])
        rival = (one == "dft" and two in RIVALS and alike) or (same and swept[0] == other["method"])
        settings = (row["setting"], other["setting"])
        retrained = row["method"] == other["method"] and settings == ("released", "sft")
        if other["method"] == "base" or rival or retrained:
            names = [row_name(each["method"], each["setting"]) for each in (row, other)]
            pairs.append((row["model"], *names))
    return pairs


def comparisons(tables: list[dict[str, Any]], scores: dict[Key, pd.DataFrame]) -> pd.DataFrame:
    """Every table's comparisons, one below the other, with the table's name."""
    found = []
    for table in tables:
        names = [benchmark["name"] for benchmark in table["benchmarks"]]
        if pairs := pairs_of(table["rows"]):
            try:
                compared = compare_rows(scores, pairs, names, table["scoring"])
                found.append(compared.assign(table=table["name"]))
            except StepError as error:
                print(f"{table['name']}: no comparisons: {error}")
    return pd.concat(found)[[*COMPARED]] if found else pd.DataFrame(columns=COMPARED)


def variances(scores: dict[Key, pd.DataFrame], scoring: dict[str, str]) -> pd.DataFrame:
    """The split of every cell's variance."""
    pretrained = {
        model
        for (model, method), frame in scores.items()
        if method == "base" and not (frame["seed"] == UNSEEDED).any()
    }
    found = []
    for (model, method), frame in scores.items():
        for benchmark, cell in graded(frame, scoring).groupby("benchmark", sort=False):
            try:
                split = variance_split(cell, model in pretrained)
            except StepError as error:
                print(f"{model}, {method}, {benchmark}: {error}")
                continue
            of_mean = {f"{part}_of_mean": split.of_mean[part] for part in SOURCES}
            own = {part: getattr(split, part) for part in SOURCES}
            found.append({"model": model, "method": method, "benchmark": benchmark} | own | of_mean)
    columns = ["model", "method", "benchmark", *SOURCES, *(f"{part}_of_mean" for part in SOURCES)]
    return pd.DataFrame(found, columns=columns)


def statuses(scores: dict[Key, pd.DataFrame]) -> pd.DataFrame:
    """How many samples of every cell were graded, and with which status."""
    found = []
    for (model, method), frame in scores.items():
        for benchmark, cell in frame.groupby("benchmark", sort=False)["status"]:
            named = {"model": model, "method": method, "benchmark": benchmark}
            found.append(named | {"n_samples": len(cell)} | counts_of(cell))
    return pd.DataFrame(found)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    tables = Settings(**arguments.settings).tables
    scores: dict[Key, pd.DataFrame] = {}
    for row in (row for table in tables for row in table["rows"]):
        key = (row["model"], row_name(row["method"], row["setting"]))
        if key not in scores:
            scores[key] = read_scores(row["scores"])
    models = list(dict.fromkeys(model for model, _ in scores))
    scores = dict(sorted(scores.items(), key=lambda item: models.index(item[0][0])))
    summaries = {
        "comparisons": comparisons(tables, scores),
        "variance": variances(scores, tables[0]["scoring"]),
        "statuses": statuses(scores),
    }
    for name, table in summaries.items():
        write_text(f"{arguments.out}/{name}.csv", table.to_csv(index=False, float_format="%.6g"))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("summarise_scores", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--out", required=True, help="folder to write to")
    return options
