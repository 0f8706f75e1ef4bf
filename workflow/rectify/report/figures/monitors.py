"""How a study's objectives weight their tokens over training, from the runs' logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from rectify.report.figures.style import WIDTH, scale_by_decades, style
from rectify.step.tables import read_csv

# columns of train.csv (rectify.training.callbacks): title, whether a share of 1
QUANTITIES = {
    "loss": ("the objective's own loss", False),
    "nll": ("NLL, nats", False),
    "entropy": ("entropy, nats", False),
    "p_eos": ("probability of EOS at the end", True),
    "weight_vanishing": ("share of weights below 0.001", True),
    "weight_ess_tokens": ("ESS ratio of tokens", True),
    "weight_ess_sequences": ("ESS ratio of sequences", True),
    "weight_mean": ("mean weight", False),
    "weight_max": ("largest weight", False),
    "weight_p10": ("10th percentile of weights", False),
    "weight_p50": ("median weight", False),
    "weight_p90": ("90th percentile of weights", False),
    "ratio_deviation": (r"mean $|p\,/\,p_{\mathrm{ref}} - 1|$", False),
}

EXPECTED = "The NLL may rise while DFT's loss falls: tokens that it gives up count for one alone."


def monitor_points(settings: dict[str, Any]) -> pd.DataFrame:
    """One row per logged number: method, run, step, quantity (a column of train.csv), value.

    `ratio_deviation` is there for objectives with a reference alone.
    """
    found = []
    for curve in settings["curves"]:
        for model in map(Path, curve["models"]):
            log = read_csv(model / "train.csv", numbers=("step",))
            logged = [name for name in QUANTITIES if name in log]
            long = log.melt("step", logged, var_name="quantity", value_name="value")
            found.append(long.assign(method=curve["method"], run=model.name))
    return pd.concat(found)[["method", "run", "step", "quantity", "value"]]


def draw_monitors(points: pd.DataFrame, settings: dict[str, Any]) -> Figure:
    """A panel for each quantity, a line for each run; earlier methods wider, seen under later."""
    shown = [name for name in QUANTITIES if name in set(points["quantity"])]
    rows = -(-len(shown) // 4)
    figure, axes = plt.subplots(
        rows,
        4,
        figsize=(1.25 * WIDTH, 1.9 * rows),
        layout="constrained",
        sharex=True,
        squeeze=False,
    )
    methods = list(points["method"].unique())
    lines: dict[str, Any] = {}
    for axis, quantity in zip(axes.flat, shown, strict=False):
        panel = points[points["quantity"] == quantity]
        for (method, _), run in panel.groupby(["method", "run"], sort=False):
            look = style(settings, method) | {"marker": None}
            width = 2.0 - 1.2 * methods.index(method) / len(methods)
            (line,) = axis.plot(run["step"], run["value"], **look, linewidth=width)
            lines.setdefault(look["label"], line)
        title, is_share = QUANTITIES[quantity]
        axis.set_title(title)
        if is_share:
            axis.set_ylim(0, 1.05)
        else:
            scale_by_decades(axis, panel["value"])
    for axis in axes.flat[len(shown) :]:
        axis.axis("off")
    for axis in axes[-1]:
        axis.set_xlabel("training step")
    if {"loss", "nll"} <= set(shown):
        figure.supxlabel(EXPECTED, fontsize=7)
    figure.legend(lines.values(), lines, ncols=min(len(lines), 6), loc="outside upper center")
    return figure
