"""Figure 1: accuracy over training on each benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from rectify.report.figures.style import ACCURACY, WIDTH, style
from rectify.statistics.accuracy import UNSEEDED, cells_by_benchmark, read_scores
from rectify.step.tables import read_csv


def last_step(model: Path) -> int:
    """The step that a trained model folder was saved at, from its training log."""
    return int(read_csv(model / "train.csv", numbers=("step",))["step"].max())


def figure1_points(settings: dict[str, Any]) -> pd.DataFrame:
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


def draw_figure1(points: pd.DataFrame, settings: dict[str, Any]) -> Figure:
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
