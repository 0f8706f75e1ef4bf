"""Figure 2: token probabilities on the training set."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from rectify.report.figures.style import WIDTH, style
from rectify.step.tables import read_parquet


def figure2_points(settings: dict[str, Any]) -> pd.DataFrame:
    """Figure 2's points: model, method, low, high, share (of all response tokens and seeds)."""
    points = []
    for entry in settings["histograms"]:
        counts = pd.concat([read_parquet(file, "low", "high", "count") for file in entry["files"]])
        bins = counts.groupby(["low", "high"], as_index=False)["count"].sum()
        share = bins["count"] / bins["count"].sum()
        named = bins[["low", "high"]].assign(model=entry["model"], method=entry["method"])
        points.append(named.assign(share=share))
    return pd.concat(points)[["model", "method", "low", "high", "share"]]


def draw_figure2(points: pd.DataFrame, settings: dict[str, Any]) -> Figure:
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
