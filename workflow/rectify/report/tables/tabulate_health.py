r"""Tabulate how long a study's answers are, whether they end, loop and have a box, how they differ.

    rectify tabulate_health --settings SETTINGS --out results/mini/tables/health

SETTINGS is a file of JSON: scoring, benchmarks (name, title) and rows (model, model_title, method,
method_title, setting, scores: one file for each training, whose name has its seed), a model's one
after the other. Writes OUT.csv, tidy: model, method, setting, benchmark (`mean`: of all, each with
the same weight), quantity, and its numbers (rectify.statistics.health) with the difference to the
base model; OUT.md and OUT.tex have the means. One file of scores is read at a time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from rectify.report.tables.latex import escaped
from rectify.report.tables.markdown import as_markdown
from rectify.statistics.health import MEANING, QUANTITIES, health, read_answers
from rectify.statistics.row_names import row_name
from rectify.step.command import settings_file, step_parser
from rectify.step.files import write_text

TITLE = "Health of the answers"
DIFFERENCES = "Differences to the base model, paired by problem and seed, with 95 % intervals:"


def tidy(settings: dict[str, Any]) -> pd.DataFrame:
    """A line for each row of the study's tables, benchmark and quantity."""
    names = [benchmark["name"] for benchmark in settings["benchmarks"]]
    found = []
    for _, rows in groupby(settings["rows"], key=itemgetter("model")):
        rows = list(rows)
        base = next((row for row in rows if row["method"] == "base"), None)
        than = read_answers(base["scores"]) if base else None
        for row in rows:
            own = {key: row[key] for key in ("model", "method", "setting")}
            if row is base:
                lines = health(than, None, names, settings["scoring"])
            else:
                lines = health(read_answers(row["scores"]), than, names, settings["scoring"])
            found += [own | line for line in lines]
    return pd.DataFrame(found)


def layout(
    cells: pd.DataFrame, settings: dict[str, Any], text: Callable[[Any], str]
) -> Iterator[dict[str, str]]:
    """The means over the benchmarks: a line for each row, a column for each quantity, whose text
    `text` writes from its line of the tidy table; lines without any are left out.
    """
    means = cells[cells["benchmark"] == "mean"].set_index(["model", "method", "setting"])
    for row in settings["rows"]:
        own = means.loc[[(row["model"], row["method"], row["setting"])]].itertuples()
        line = {QUANTITIES[cell.quantity]: text(cell) for cell in own}
        if any(line.values()):
            named = row_name(row["method_title"], row["setting"])
            yield {"Model": row["model_title"], "Method": named} | line


def with_error(cell: Any) -> str:
    """A value with its standard error."""
    if pd.isna(cell.value):
        return "–"
    return f"{cell.value:.2f}" + ("" if pd.isna(cell.stderr) else f" ± {cell.stderr:.2f}")


def with_interval(cell: Any) -> str:
    """A difference with its interval, "" where there is none."""
    if pd.isna(cell.difference):
        return ""
    return f"{cell.difference:+.2f} ({cell.difference_low:+.2f} to {cell.difference_high:+.2f})"


def notes(cells: pd.DataFrame) -> str:
    """What the numbers are."""
    seeds = "over problems and training seeds" if cells["n_seeds"].max() > 1 else "over problems"
    return (
        f"Means over the benchmarks, of {cells['n_samples'].max()} samples of each problem ± "
        f"standard error {seeds}; – where a benchmark has no such answer. {MEANING}."
    )


def markdown(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """The means, and their differences to the base model's."""
    parts = [f"**{TITLE}.** {notes(cells)}"]
    parts.append(as_markdown(pd.DataFrame(layout(cells, settings, with_error))))
    if differing := list(layout(cells, settings, with_interval)):
        parts += [DIFFERENCES, as_markdown(pd.DataFrame(differing))]
    return "\n\n".join(parts) + "\n"


def latex(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """The means as a booktabs table."""
    frame = pd.DataFrame(layout(cells, settings, with_error)).rename(columns=escaped)
    frame["Model"] = frame["Model"].where(~frame["Model"].duplicated(), "")
    frame = frame.map(lambda text: escaped(text).replace("±", "$\\pm$"))
    text = frame.style.hide(axis="index").to_latex(
        hrules=True, column_format="ll" + "r" * len(QUANTITIES), caption=TITLE,
        label="tab:health", position_float="centering",
    )  # fmt: skip
    return f"{text}% {notes(cells)}\n"


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = arguments.settings
    cells = tidy(settings)
    text = markdown(cells, settings)
    write_text(f"{arguments.out}.csv", cells.to_csv(index=False, float_format="%.6f"))
    write_text(f"{arguments.out}.md", text)
    write_text(f"{arguments.out}.tex", latex(cells, settings))
    print(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("tabulate_health", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options
