"""The paper's figures: points from a layout's files, and their drawing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from rectify.report.figures.style import WIDTH, style
from rectify.statistics.accuracy import UNSEEDED, cells_by_benchmark, read_scores
from rectify.step.files import read_parquet

ACCURACY = "average@{n} (%)"


def last_step(model: Path) -> int:
    """The step that a trained model folder was saved at, from its training log."""
    return int(pd.read_csv(model / "train.csv")["step"].max())


def points1(settings: dict[str, Any]) -> pd.DataFrame:
    """Figure 1's points: method, step, benchmark, accuracy, stderr (percent).

    A curve starts from the base models of its own training seeds.
    """
    names, points = list(settings["benchmarks"]), []
    bases = read_scores(settings["base"])
    for curve in settings["curves"]:
        along, final = read_scores(curve["checkpoints"]), read_scores(curve["final"])
        last = last_step(Path(curve["model"]))
        parts = [
            bases[bases["seed"].isin([UNSEEDED, *final["seed"]])],
            along[along["checkpoint"] < last],
            final.assign(checkpoint=last),
        ]
        for step, scores in pd.concat(parts).groupby("checkpoint"):
            for benchmark, cell in cells_by_benchmark(scores, names, settings["scoring"]).items():
                points.append(
                    {
                        "method": curve["method"],
                        "step": step,
                        "benchmark": benchmark,
                        "accuracy": cell.accuracy,
                        "stderr": cell.stderr,
                    }
                )
    return pd.DataFrame(points)


def figure1(points: pd.DataFrame, settings: dict[str, Any]) -> Figure:
    """A panel for each benchmark and one for their mean."""
    titles = {**settings["benchmarks"], "mean": "Average"}
    columns = 3
    rows = -(-len(titles) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(WIDTH, 1.9 * rows), layout="constrained", squeeze=False, sharex=True
    )
    for axis in axes.flat[len(titles) :]:
        axis.set_visible(False)
    for axis, (benchmark, title) in zip(axes.flat, titles.items(), strict=False):
        for method, curve in points[points["benchmark"] == benchmark].groupby("method", sort=False):
            axis.errorbar(
                curve["step"],
                curve["accuracy"],
                yerr=curve["stderr"],
                elinewidth=0.7,
                capsize=2,
                **style(settings, method),
            )
        axis.set_title(title)
    for column in axes.T:
        lowest = [axis for axis in column if axis.get_visible()][-1]
        lowest.set_xlabel("training step")
        lowest.tick_params(labelbottom=True)
    for axis in axes[:, 0]:
        axis.set_ylabel(ACCURACY.format(n=settings["samples"]))
    axes.flat[0].legend(loc="best")
    return figure


def points2(settings: dict[str, Any]) -> pd.DataFrame:
    """Figure 2's points: model, method, low, high, share (of all response tokens and seeds)."""
    points = []
    for entry in settings["histograms"]:
        counts = pd.concat([read_parquet(file, "low", "high", "count") for file in entry["files"]])
        bins = counts.groupby(["low", "high"], as_index=False)["count"].sum()
        share = bins["count"] / bins["count"].sum()
        named = bins[["low", "high"]].assign(model=entry["model"], method=entry["method"])
        points.append(named.assign(share=share))
    return pd.concat(points)[["model", "method", "low", "high", "share"]]


def figure2(points: pd.DataFrame, settings: dict[str, Any]) -> Figure:
    """A panel for each model; in each bin a bar for each method, on a log axis."""
    models = points["model"].unique()
    figure, axes = plt.subplots(
        len(models), 1, figsize=(WIDTH, 0.6 + 1.7 * len(models)), layout="constrained",
        squeeze=False, sharex=True, sharey=True,
    )  # fmt: skip
    shown: dict[str, Any] = {}
    for axis, model in zip(axes[:, 0], models, strict=True):
        own = points[points["model"] == model]
        methods = list(own["method"].unique())
        width = 0.8 / len(methods)
        for index, method in enumerate(methods):
            bars = own[own["method"] == method]
            look = style(settings, method)
            shift = (index - (len(methods) - 1) / 2) * width
            at = [position + shift for position in range(len(bars))]
            drawn = axis.bar(at, bars["share"], width, color=look["color"])
            shown.setdefault(look["label"], drawn)
        axis.set_yscale("log")
        axis.grid(visible=False, axis="x")
        axis.set_ylabel("share of tokens")
        if len(models) > 1:
            axis.set_title(model)
    bins = points[["low", "high"]].drop_duplicates()
    labels = [f"{low:g}–{high:g}" for low, high in zip(bins["low"], bins["high"], strict=True)]
    labels[:2] = ["0–10$^{-4}$", "10$^{-4}$–10$^{-3}$"]
    axis.set_xticks(range(len(bins)), labels, rotation=30, ha="right")
    axis.set_xlabel("predicted probability of the training token")
    figure.legend(shown.values(), shown, ncols=len(shown), loc="outside upper center")
    return figure


def points3(settings: dict[str, Any]) -> pd.DataFrame:
    """Figure 3's points: method, setting, value, accuracy and stderr of the mean (percent)."""
    points = []
    for entry in settings["points"]:
        scores = read_scores(entry["scores"])
        cells = cells_by_benchmark(scores, list(settings["benchmarks"]), settings["scoring"])
        points.append(
            {
                "method": entry["method"],
                "setting": entry["setting"],
                "value": entry["value"],
                "accuracy": cells["mean"].accuracy,
                "stderr": cells["mean"].stderr,
            }
        )
    return pd.DataFrame(points)


def figure3(points: pd.DataFrame, settings: dict[str, Any]) -> Figure:
    """A panel for the learning rate and one for the batch size."""
    labels = {"learning_rate": "learning rate", "batch_size": "batch size (rows)"}
    panels = points["setting"].unique()
    figure, axes = plt.subplots(
        1, len(panels), figsize=(WIDTH, 2.2), layout="constrained", squeeze=False, sharey=True
    )
    for axis, setting in zip(axes.flat, panels, strict=True):
        panel = points[points["setting"] == setting]
        ticks = sorted(panel["value"].unique())
        for method, line in panel.groupby("method", sort=False):
            line = line.sort_values("value")
            axis.errorbar(
                [ticks.index(value) for value in line["value"]],
                line["accuracy"],
                yerr=line["stderr"],
                elinewidth=0.7,
                capsize=2,
                **style(settings, method),
            )
        axis.set_xticks(range(len(ticks)), [f"{tick:g}" for tick in ticks])
        axis.set_xlabel(labels[setting])
    axes[0, 0].set_ylabel("mean " + ACCURACY.format(n=settings["samples"]))
    axes[0, 0].legend(loc="best")
    return figure
