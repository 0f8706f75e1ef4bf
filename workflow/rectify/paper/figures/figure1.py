"""Figure 1: accuracy over training on each benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rectify.paper import curves

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 1
CAPTION = "Figure 1. Accuracy over training; bars are standard errors."
COLUMNS = ["method", "step", "benchmark", "accuracy", "stderr"]
KEYS = ["method", "step", "benchmark"]


class LearningCurve(curves.CurveBlock):
    """Figure 1: accuracy over training."""


BLOCK = LearningCurve


def layout(figure: LearningCurve, study: Study, results: Results) -> dict[str, Any]:
    """The base models' scores, and for each method those of its checkpoints and of its end."""
    return curves.layout(figure, study, results)


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """Accuracies and their standard errors in percent."""
    import pandas as pd

    from rectify.statistics.accuracy import cells_by_benchmark, read_scores

    names, found = list(layout["benchmarks"]), []
    for method, step, scores in curves.steps_of(layout, read_scores):
        for benchmark, cell in cells_by_benchmark(scores, names, layout["scoring"]).items():
            found.append((method, step, benchmark, cell.accuracy, cell.stderr))
    return pd.DataFrame(found, columns=COLUMNS)


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """A panel for each benchmark and one for their mean."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import ACCURACY, WIDTH, style

    titles = {**layout["benchmarks"], "mean": "Average"}
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
                **style(layout, method),
            )
        axis.set_title(title)
    for column in axes.T:
        lowest = [axis for axis in column if axis.get_visible()][-1]
        lowest.set_xlabel("training step")
        lowest.tick_params(labelbottom=True)
    for axis in axes[:, 0]:
        axis.set_ylabel(ACCURACY.format(n=layout["samples"]))
    axes.flat[0].legend(loc="best")
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The scores at that step, and at the last one the model."""
    return curves.behind(layout, row, points)
