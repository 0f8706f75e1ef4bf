"""The weights over training, as the training logs have them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rectify.paper.figure import WeightsBlock
from rectify.step.blocks import Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 4
CAPTION = (
    "Over training: each objective's own loss beside the NLL (which may rise while DFT's loss "
    "falls), entropy, the probability of EOS at the responses' end, and the weights: effective "
    "sample size over sample size, quantiles, the share that vanishes, and the mean distance of "
    "the probability's ratio to the reference from 1."
)
COLUMNS = ["method", "run", "step", "quantity", "value"]
KEYS = ["run", "step", "quantity"]
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


class Monitors(WeightsBlock):
    """Weights over training, their ESS and quantiles, and mean |p / p_ref - 1| with a reference."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared, which have an `objective`"""
    seeds: Seeds | None = None
    """training seeds, a line each; all of the study's if not given"""


BLOCK = Monitors


def layout(figure: Monitors, study: Study, results: Results) -> dict[str, Any]:
    """For each method, the model folders of its runs, which hold their logs."""
    curves = []
    for method in figure.methods:
        runs = results.runs(figure.model, method, figure.seeds)
        curves.append({"method": method, "models": results.models(figure.model, runs)})
    return {"curves": curves}


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """Every logged number; `quantity` is a column of train.csv.

    `ratio_deviation` is there for objectives with a reference alone.
    """
    import pandas as pd

    from rectify.step.tables import read_csv

    found = []
    for curve in layout["curves"]:
        for model in map(Path, curve["models"]):
            log = read_csv(model / "train.csv", numbers=("step",))
            logged = [name for name in QUANTITIES if name in log]
            long = log.melt("step", logged, var_name="quantity", value_name="value")
            found.append(long.assign(method=curve["method"], run=model.name))
    return pd.concat(found)[COLUMNS]


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """A panel for each quantity, a line for each run; earlier methods wider, seen under later."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import WIDTH, scale_by_decades, style

    shown = [name for name in QUANTITIES if name in set(points["quantity"])]
    rows = -(-len(shown) // 4)
    figure, axes = plt.subplots(
        rows, 4, figsize=(1.25 * WIDTH, 1.9 * rows), layout="constrained", sharex=True,
        squeeze=False,
    )  # fmt: skip
    methods = list(points["method"].unique())
    lines: dict[str, Any] = {}
    for axis, quantity in zip(axes.flat, shown, strict=False):
        panel = points[points["quantity"] == quantity]
        for (method, _), run in panel.groupby(["method", "run"], sort=False):
            look = style(layout, method) | {"marker": None}
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
    for axis in axes.flat[max(len(shown) - 4, 0) : len(shown)]:  # the lowest of each column
        axis.set_xlabel("training step")
        axis.tick_params(labelbottom=True)
    if {"loss", "nll"} <= set(shown):
        figure.supxlabel(EXPECTED, fontsize=7)
    figure.legend(lines.values(), lines, ncols=min(len(lines), 6), loc="outside upper center")
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The run's model folder."""
    models = [model for curve in layout["curves"] for model in curve["models"]]
    return [model for model in models if Path(model).name == row["run"]]
