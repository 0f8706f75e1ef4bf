"""Figure 2: token probabilities on the training set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from rectify.paper.figure import FigureBlock
from rectify.step.blocks import Positive, Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 2
CAPTION = "Figure 2. Share of training tokens by the probability that a model gives them."
COLUMNS = ["model", "method", "low", "high", "share"]
KEYS = ["model", "method", "low"]


class Histogram(FigureBlock):
    """Figure 2: distribution of training-set token probabilities."""

    models: list[str] | None = None
    """models shown, a panel each; all if not given"""
    methods: list[str] = Field(min_length=1)
    """the methods compared; `base` is the model before training"""
    rows: Positive | None = None
    """training rows measured, the first ones; all if not given"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""


BLOCK = Histogram


def layout(figure: Histogram, study: Study, results: Results) -> dict[str, Any]:
    """For each model and method, the histograms of its runs."""
    histograms = []
    for model in figure.shown_models(study):
        for method in study.methods_of(model, figure.methods):
            files = results.histograms(model, results.runs(model, method, figure.seeds))
            title = study.models[model].title
            histograms.append({"model": title, "method": method, "files": files})
    return {"histograms": histograms}


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """Shares of all response tokens and seeds, by bin."""
    import pandas as pd

    from rectify.step.tables import read_parquet

    found = []
    for entry in layout["histograms"]:
        counts = pd.concat([read_parquet(file, "low", "high", "count") for file in entry["files"]])
        bins = counts.groupby(["low", "high"], as_index=False)["count"].sum()
        share = bins["count"] / bins["count"].sum()
        named = bins[["low", "high"]].assign(model=entry["model"], method=entry["method"])
        found.append(named.assign(share=share))
    return pd.concat(found)[COLUMNS]


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """A panel for each model; in each bin a bar for each method, on a log axis."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import WIDTH, style

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
            look = style(layout, method)
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


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The histograms of the model's and method's runs."""
    own = [entry for entry in layout["histograms"] if all(entry[k] == row[k] for k in KEYS[:2])]
    return [file for entry in own for file in entry["files"]]
