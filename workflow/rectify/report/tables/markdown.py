"""A table's texts as Markdown, laid out as in the paper."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rectify.report.tables.shortfall import named, shortfalls

DIGITS = 2  # as the paper prints


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
    named = frame.rename(columns=in_a_cell).map(in_a_cell)
    return named.to_markdown(index=False, disable_numparse=True, colalign=columns)


def in_a_cell(text: str) -> str:
    """A text that stays in its cell: a bar would end it."""
    return text.replace("|", "\\|")


def best_of_k(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """Mean pass@k of each row of the table, a column for each k, as Markdown."""
    ks = [column for column in cells if column.startswith("pass@")]
    means = cells[cells["benchmark"] == "mean"]
    words = layout(means, settings, lambda cell: "").drop(columns="Avg.")
    values = means[ks].map(f"{{:.{DIGITS}f}}".format).reset_index(drop=True)
    return as_markdown(pd.concat([words, values], axis=1))


def comparison(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """Measured cells, the same samples under the published harness's rules and rounding, the
    paper's numbers, and measured - paper, side by side as Markdown.
    """
    difference = cells["accuracy"] - cells["published"]
    kinds = {
        "measured": cells["accuracy"],
        "measured, by the harness's rules": cells["as_released"],
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


def markdown(cells: pd.DataFrame, settings: dict[str, Any], grading: str) -> str:
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
        parts += [stand_ins(settings), comparison(cells, settings)]
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
    said = [f"average@{cells['n_samples'].max()} in percent ± standard error {error}"]
    if means:
        said.append(f"mean over {', '.join(means)}")
    if len(base := cells[cells["method"] == "base"]):
        bases = base["n_seeds"].max()
        said.append(f"base: mean over {bases} pretrainings" if bases > 1 else "base: one model")
    return "; ".join(said) + "."
