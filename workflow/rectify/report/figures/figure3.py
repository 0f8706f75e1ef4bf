"""Figure 3: mean accuracy over learning rates and batch sizes."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from rectify.report.figures.style import ACCURACY, WIDTH, style
from rectify.statistics.accuracy import cells_by_benchmark, read_scores


def figure3_points(settings: dict[str, Any]) -> pd.DataFrame:
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


def draw_figure3(points: pd.DataFrame, settings: dict[str, Any]) -> Figure:
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
