r"""Tabulate what training has not hurt: benchmarks of `role: retention`, KL on a known text.

    rectify tabulate_retention --settings SETTINGS --out results/mini/tables/retention

SETTINGS is a file of JSON: scoring, margin (points), benchmarks (name, title) and rows (model,
model_title, method, method_title, setting; scores on these benchmarks and divergence, the files of
rectify measure_divergence: one file for each training, whose name has its seed; none of what the
study does not ask for), a model's one after the other. Writes OUT.csv, tidy: model, method,
setting, benchmark (`mean`: of all, each with the same weight; `text`: of the KL), quantity, and its
numbers with the difference to the base model and the verdict; OUT.md and OUT.tex, laid out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from rectify.report.tables.latex import escaped
from rectify.report.tables.markdown import as_markdown
from rectify.statistics.accuracy import read_scores
from rectify.statistics.retention import KL, MEANING, accuracies, divergence
from rectify.statistics.row_names import row_name
from rectify.step.command import settings_file, step_parser
from rectify.step.files import write_text

TITLE = "What was kept"
KL_TITLE = "KL, nats per token"
COLUMNS = [
    "model", "method", "setting", "benchmark", "quantity", "value", "stderr", "low", "high",
    "difference", "difference_low", "difference_high", "verdict", "n_problems", "n_seeds",
]  # fmt: skip


def tidy(settings: dict[str, Any]) -> pd.DataFrame:
    """A line for each row of the study's tables and benchmark, and for its KL."""
    names = [benchmark["name"] for benchmark in settings["benchmarks"]]
    common = (names, settings["scoring"], settings["margin"])
    found = []
    for _, rows in groupby(settings["rows"], key=itemgetter("model")):
        rows = list(rows)
        base = next((row for row in rows if row["method"] == "base"), None)
        than = read_scores(base["scores"]) if base and names else None
        for row in rows:
            lines = []
            if names and row is base:
                lines += accuracies(than, None, *common)
            elif names:
                lines += accuracies(read_scores(row["scores"]), than, *common)
            if row["divergence"]:
                lines.append(divergence(row["divergence"]))
            own = {key: row[key] for key in ("model", "method", "setting")}
            found += [own | line for line in lines]
    return pd.DataFrame(found).reindex(columns=COLUMNS)


def layout(
    cells: pd.DataFrame, settings: dict[str, Any], text: Callable[[Any], str]
) -> pd.DataFrame:
    """A line for each row, a column for each benchmark and for the KL, whose text `text` writes."""
    titles = {benchmark["name"]: benchmark["title"] for benchmark in settings["benchmarks"]}
    titles |= {"mean": "Mean"} if titles else {}
    by_row = cells.set_index(["model", "method", "setting"])
    lines = []
    for row in settings["rows"]:
        key = (row["model"], row["method"], row["setting"])
        own = {cell.benchmark: text(cell) for cell in by_row[by_row.index == key].itertuples()}
        line = {
            "Model": row["model_title"],
            "Method": row_name(row["method_title"], row["setting"]),
        }
        line |= {title: own.get(name, "–") for name, title in titles.items()}
        lines.append(line | ({KL_TITLE: own.get("text", "–")} if measured(cells) else {}))
    return pd.DataFrame(lines)


def measured(cells: pd.DataFrame) -> bool:
    """Whether there is a KL."""
    return bool((cells["quantity"] == KL).any())


def value(cell: Any) -> str:
    """A value with its standard error."""
    digits = 4 if cell.quantity == KL else 2
    return f"{cell.value:.{digits}f} ± {cell.stderr:.{digits}f}"


def with_verdict(cell: Any) -> str:
    """A value, and the difference to the base model with its interval and its verdict."""
    if pd.isna(cell.difference):
        return value(cell)
    spread = f"{cell.difference_low:+.2f} to {cell.difference_high:+.2f}"
    return f"{cell.value:.2f}: {cell.difference:+.2f} ({spread}) {cell.verdict}"


def notes(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """What the numbers are."""
    seeds = "over problems and training seeds" if cells["n_seeds"].max() > 1 else "over problems"
    return (
        f"Accuracy in percent ± standard error {seeds}, and the difference to the base model, "
        f"paired by problem and seed, with its 95 % interval. "
        f"{MEANING.format(margin=settings['margin'])}."
    )


def latex(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """The values as a booktabs table."""
    frame = layout(cells, settings, value).rename(columns=escaped)
    frame["Model"] = frame["Model"].where(~frame["Model"].duplicated(), "")
    frame = frame.map(lambda text: escaped(text).replace("±", "$\\pm$"))
    text = frame.style.hide(axis="index").to_latex(
        hrules=True, column_format="ll" + "r" * (frame.shape[1] - 2), caption=TITLE,
        label="tab:retention", position_float="centering",
    )  # fmt: skip
    return f"{text}% {notes(cells, settings)}\n"


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = arguments.settings
    cells = tidy(settings)
    shown = as_markdown(layout(cells, settings, with_verdict))
    text = f"**{TITLE}.** {notes(cells, settings)}\n\n{shown}\n"
    write_text(f"{arguments.out}.csv", cells.to_csv(index=False, float_format="%.6f"))
    write_text(f"{arguments.out}.md", text)
    write_text(f"{arguments.out}.tex", latex(cells, settings))
    print(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("tabulate_retention", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options
