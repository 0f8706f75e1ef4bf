"""Which rows of a table are not above their base model, and what their training tells of why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from rectify.statistics.row_names import row_name
from rectify.step.errors import StepError
from rectify.step.tables import read_csv, read_parquet

# columns of train.csv, the first that a log has: what it is, and the sign of progress
MEASURES = {
    "reward": ("the mean reward of the answers it drew", 1),  # rectify grpo, rectify ppo
    "rewards/margins": ("its reward of the correct less that of the wrong", 1),  # rectify dpo
    "nll": ("their NLL per token", -1),  # rectify train
}


def named(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with their rows' names."""
    pairs = zip(cells["method"], cells["setting"], strict=True)
    return cells.assign(name=[row_name(*pair) for pair in pairs])


def below_base(cells: pd.DataFrame) -> pd.DataFrame:
    """The methods' cells, with names, whose mean over the benchmarks is not above the base's."""
    means = cells[cells["benchmark"] == "mean"]
    base = means[means["method"] == "base"].set_index("model")["accuracy"]
    compared = named(means[(means["method"] != "base") & means["model"].isin(base.index)])
    return compared[compared["accuracy"].to_numpy() <= base[compared["model"]].to_numpy()]


def lesson(files: list[str]) -> str:
    """What a method learned from: its questions, or the base models' answers to them, counted.

    Each base model has answers of its own: of several the mean is told.
    """
    each = [read_parquet(file, "problem") for file in dict.fromkeys(files)]

    def mean(counts: Iterable[float]) -> str:
        return f"{sum(counts) / len(each):,.0f}"

    rows, count = each[0], mean(map(len, each))
    of = f" (mean of {len(each)} base models)" if len(each) > 1 else ""
    questions = f"{mean(one['problem'].nunique() for one in each)} questions"
    if "chosen" in rows:
        return f"{count} pairs of a correct and a wrong answer to {questions}{of}"
    if "reward" in rows:
        correct = mean((one["reward"] == 1).sum() for one in each)
        return f"{count} answers to {questions}, {correct} of them correct{of}"
    learned = f"{count} correct answers to {questions}" if "solution" in rows else questions
    return f"{learned}{of}"


def read_log(path: Path) -> pd.DataFrame:
    """A training's log; raises StepError if it cannot be read or has none of MEASURES."""
    log = read_csv(path)
    if "step" not in log or not any(name in log for name in MEASURES):
        raise StepError(f"{path}: not a log of a training; train again")
    return log


def course(models: list[str]) -> str:
    """How a method's own measure went over training, and whether that was progress.

    `models`: the model folders of its runs, one for each seed. Their values are averaged, over the
    first and over the last tenth of the rows of train.csv.
    """
    logs = [read_log(Path(model) / "train.csv") for model in models]
    column = next(name for name in MEASURES if name in logs[0])
    what, sign = MEASURES[column]
    tenth = max(1, len(logs[0]) // 10)
    first = sum(log[column].head(tenth).mean() for log in logs) / len(logs)
    last = sum(log[column].tail(tenth).mean() for log in logs) / len(logs)
    if sign * (last - first) > 0:
        verdict = ", which did not carry over to the benchmarks"
    else:
        verdict = f"; training did not {'raise' if sign > 0 else 'lower'} it"
    steps = f"{logs[0]['step'].iloc[-1]:,} steps"
    return f"{what} went from {first:.3f} to {last:.3f} over {steps}{verdict}"


def shortfalls(cells: pd.DataFrame, rows: list[dict[str, Any]]) -> str | None:
    """Which methods are not above their base model on the average, if any, as Markdown.

    `cells` as rectify.report.tables.tabulate_scores.tidy gives them; `rows` are the table's. Those
    with `training` (the RL methods: models, the folders of their runs, and rows, the file trained
    on) have a line that says what they were trained on and how that went.
    """
    below = below_base(cells)
    if below.empty:
        return None
    names = (below["model"] + " " + below["name"]).tolist()
    text = f"Not above the base model on the average: {', '.join(names)}."
    lines = [
        f"- {name}, trained on {lesson(training['rows'])}: {course(training['models'])}."
        for name, training in zip(names, (rows[i]["training"] for i in below.index), strict=True)
        if training
    ]
    if not lines:
        return text
    head = "The RL methods among them, by means over the first and last tenth of the logged steps:"
    return "\n".join([f"{text} {head}", "", *lines])
