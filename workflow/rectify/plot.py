"""Draw a figure: PDF and PNG, with its points as CSV.

    python -m rectify.plot FIGURE --settings SETTINGS --out figure1

FIGURE is figure1 (accuracy over training), figure2 (token probabilities on the training set) or
figure3 (learning rates and batch sizes). SETTINGS is JSON, or a file of it, as the rule
`plot_figure` gives it: which files hold the points. Writes figure1.pdf, figure1.png, figure1.csv.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from rectify.cli import json_or_file, run_step, step_parser
from rectify.io import read_parquet, replacing, write_text
from rectify.stats import cells_by_benchmark, read_scores

# Okabe and Ito's colours, told apart by the colour-blind, and three darker ones; each method keeps
# its own everywhere
COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255",
    "#F0E442", "#5D3A9B",
)  # fmt: skip
BASE_COLOUR = "#767676"
MARKERS = ("o", "s", "^", "D", "v", "P")
WIDTH = 6.75  # inches: the text width of a two-column paper
ACCURACY = "average@{n} (%)"

plt.rcParams.update(
    {
        "font.size": 8,
        "axes.titlesize": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.linewidth": 0.4,
        "grid.alpha": 0.4,
        "lines.linewidth": 1.2,
        "lines.markersize": 3.5,
        "legend.frameon": False,
        "pdf.fonttype": 42,  # text stays text
        "svg.hashsalt": "rectify",
        "figure.dpi": 200,
    }
)


def style(settings: dict[str, Any], method: str) -> dict[str, Any]:
    """Colour, marker and label of a method; `methods` lists all of a study's, in order."""
    if method == "base":
        return {"color": BASE_COLOUR, "marker": "x", "label": "Base"}
    index = list(settings["methods"]).index(method)
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "label": settings["methods"][method],
    }


def last_step(model: Path) -> int:
    """The step that a trained model folder was saved at, from its training log."""
    return int(pd.read_csv(model / "train.csv")["step"].max())


def points1(settings: dict[str, Any]) -> pd.DataFrame:
    """Figure 1's points: method, step, benchmark, accuracy, stderr (percent)."""
    names, points = list(settings["benchmarks"]), []
    base = read_scores([settings["base"]])
    for curve in settings["curves"]:
        along, final = read_scores(curve["checkpoints"]), read_scores(curve["final"])
        final = final.assign(checkpoint=last_step(Path(curve["model"])))
        for step, scores in pd.concat([base, along, final]).groupby("checkpoint"):
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


FIGURES = {
    "figure1": (points1, figure1),
    "figure2": (points2, figure2),
    "figure3": (points3, figure3),
}


def save(figure: Figure, path: str) -> None:
    """Write a figure; without the time of writing, so that the same points give the same bytes."""
    kind = Path(path).suffix.removeprefix(".")
    metadata = {"CreationDate": None} if kind == "pdf" else None
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind, metadata=metadata)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    compute, draw = FIGURES[arguments.figure]
    points = compute(arguments.settings)
    write_text(f"{arguments.out}.csv", points.to_csv(index=False, float_format="%.6f"))
    figure = draw(points, arguments.settings)
    for ending in ("pdf", "png"):
        save(figure, f"{arguments.out}.{ending}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("plot", __doc__)
    options.add_argument("figure", choices=list(FIGURES), help="which figure")
    options.add_argument("--settings", required=True, type=json_or_file, help="as JSON")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options


if __name__ == "__main__":
    run_step(main, parser())
