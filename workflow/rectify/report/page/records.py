"""What the report says about the run itself: how grading went, what was shared, what it cost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from rectify.grading.statuses import STATUSES, too_many_timeouts
from rectify.jobs.runs import BASE
from rectify.provenance.job_times import job_times
from rectify.provenance.manifests import load_manifests
from rectify.report.page.sections import bar, benchmark_title, named
from rectify.statistics.row_names import row_name
from rectify.step.errors import StepError
from rectify.step.tables import read_csv, read_texts

ROW = ["model", "method", "setting"]
ROWS = 200  # of a file that is shown as it is
SEED = re.compile(r"-seed\d+(-repeat\d+)?$")  # the end of a run's name


def grading(layout: dict[str, Any]) -> dict[str, Any]:
    """How the grading of each row's samples went, and the cells that timed out too often."""
    file = layout["statistics"]["statuses"]
    counts = read_csv(file, ("model", "method", "benchmark"), ("n_samples", *STATUSES))
    rows, flagged = [], []
    for (model, method), cells in counts.groupby(["model", "method"], sort=False):
        shown = named(layout, model, method, file)
        sums = cells[["n_samples", *STATUSES]].sum().astype(int).to_dict()
        rows.append({"model": shown[0], "method": shown[1], **sums})
        for cell in cells.to_dict("records"):
            title = benchmark_title(layout, cell["benchmark"], file)
            if too_many_timeouts({status: cell[status] for status in STATUSES}):
                share = 100 * cell["timeout"] / cell["n_samples"]
                flagged.append(f"{shown[0]}, {shown[1]}, {title}: {share:.1f} %")
    return {"statuses": STATUSES, "rows": rows, "flagged": flagged}


def as_rows(file: str) -> dict[str, Any]:
    """A CSV file as it is, its first rows."""
    table = read_texts(file)
    return {
        "name": Path(file).name,
        "columns": list(table),
        "rows": table.head(ROWS).to_numpy().tolist(),
        "total": len(table),
    }


def contamination(layout: dict[str, Any]) -> dict[str, Any]:
    """The cells of the benchmarks that share problems with the training rows, with and without
    those problems; and the list of the pairs.
    """
    files = layout["contamination"]
    numbers = ("accuracy", "n_problems", "accuracy_without", "n_problems_without")
    cells = read_csv(files["cells"], (*ROW, "benchmark"), numbers)
    found = cells["benchmark"].unique()
    names = {name: benchmark_title(layout, name, files["cells"]) for name in found}
    each = cells.drop_duplicates("benchmark").set_index("benchmark")
    lost = (each["n_problems"] - each["n_problems_without"])[lambda count: count > 0]
    shown = cells[cells["benchmark"].isin(lost.index)]
    rows = []
    for (model, method, setting), group in shown.groupby(ROW, sort=False):
        title = named(layout, model, row_name(method, setting), files["cells"])
        rows.append({"model": title[0], "method": title[1], "cells": group.to_dict("records")})
    benchmarks = [
        {"title": names[name], "lost": lost[name], "problems": each["n_problems"][name]}
        for name in lost.index if name != "mean"
    ]  # fmt: skip
    columns = [names[name] for name in lost.index]
    pairs = as_rows(files["pairs"])
    return {"benchmarks": benchmarks, "columns": columns, "rows": rows, "pairs": pairs}


def learning_rates(layout: dict[str, Any]) -> list[dict[str, Any]]:
    """Each learning rate's validation average, and how far it is behind the one that was chosen."""
    file = layout["learning_rates"]
    numbers = ("learning_rate", "accuracy", "low", "high", "behind", "behind_low", "behind_high",
               "p_value")  # fmt: skip
    table = read_csv(file, ("model_title", "method_title"), numbers, ("chosen",))
    axis = (0, table["high"].max())
    return [
        row | {"bar": bar(row["accuracy"], row["low"], row["high"], axis)}
        for row in table.to_dict("records")
    ]


def costs(folder: Path, study: str) -> dict[str, Any]:
    """Jobs, time and memory of every rule, the longest first; `folder` as job_times has it."""
    times = job_times(folder, study, load_manifests(Path("results", study)))
    rows = [
        {
            "rule": rule,
            "jobs": len(jobs),
            "seconds": float(jobs["s"].sum()),
            "longest": float(jobs["s"].max()),
            "cpu": float(jobs["cpu_time"].sum()),
            "memory": float(jobs["max_rss"].max()),
        }
        for rule, jobs in times.groupby("rule")
    ]
    if not rows:
        raise StepError(f"{folder}: no benchmark files of study '{study}'")
    rows.sort(key=lambda row: -row["seconds"])
    return {
        "rows": rows,
        "most": rows[0]["seconds"],
        "seconds": sum(row["seconds"] for row in rows),
        "cpu": sum(row["cpu"] for row in rows),
        "jobs": sum(row["jobs"] for row in rows),
    }


def step_times(study: str) -> list[dict[str, Any]]:
    """What an optimiser step of each of a study's trainings took, the fastest first.

    Seconds and response tokens per second, medians over the rows of the logs of all its seeds; the
    logs of RL methods have neither.
    """
    found = []
    for file in sorted(Path("results", study, "models").glob("*/*/train.csv")):
        model, training = file.parts[-3], SEED.sub("", file.parts[-2])
        log = read_csv(file, numbers=("step",))
        chosen = (file.parent / "choice.csv").exists()  # another training's model
        if training == BASE or chosen or "tokens_per_second" not in log:
            continue
        log = read_csv(file, numbers=("step", "response_tokens", "tokens_per_second"))
        steps = log["step"].diff().fillna(log["step"])
        tokens = log["tokens_per_second"]
        seconds = log["response_tokens"] / tokens / steps
        found.append(pd.DataFrame({"model": model, "training": training, "run": str(file),
                                   "seconds": seconds, "tokens": tokens}))  # fmt: skip
    if not found:
        return []
    groups = pd.concat(found).groupby(["model", "training"], sort=False)
    table = groups.agg(runs=("run", "nunique"), seconds=("seconds", "median"),
                       tokens=("tokens", "median"))  # fmt: skip
    return table.sort_values("seconds", kind="stable").reset_index().to_dict("records")
