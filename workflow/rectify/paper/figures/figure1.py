"""Figure 1: accuracy over training on each benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from rectify.paper.figure import FigureBlock
from rectify.step.blocks import Positive, Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 1
CAPTION = "Figure 1. Accuracy over training; bars are standard errors."
COLUMNS = ["method", "step", "benchmark", "accuracy", "stderr"]
KEYS = ["method", "step", "benchmark"]


class LearningCurve(FigureBlock):
    """Figure 1: accuracy over training."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared"""
    checkpoints: Annotated[list[Positive], Field(min_length=1)]
    """steps at which the model is decoded; the base (0) and the last step come in addition"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""


BLOCK = LearningCurve


def layout(figure: LearningCurve, study: Study, results: Results) -> dict[str, Any]:
    """The base models' scores, and for each method those of its checkpoints and of its end."""
    curves = []
    for method in figure.methods:
        runs = results.runs(figure.model, method, figure.seeds)
        curves.append(
            {
                "method": method,
                "checkpoints": results.checkpoint_scores(figure.model, runs),
                "final": results.scores(figure.model, runs),
                "model": results.models(figure.model, runs)[0],
            }
        )
    bases = results.runs(figure.model, "base", figure.seeds)
    return {"base": results.scores(figure.model, bases), "curves": curves}


def last_step(model: Path) -> int:
    """The step that a trained model folder was saved at, from its training log."""
    from rectify.step.tables import read_csv

    return int(read_csv(model / "train.csv", numbers=("step",))["step"].max())


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """Accuracies and their standard errors in percent.

    A curve starts from the base models of its own training seeds.
    """
    import pandas as pd

    from rectify.statistics.accuracy import UNSEEDED, cells_by_benchmark, read_scores

    names, found = list(layout["benchmarks"]), []
    bases = read_scores(layout["base"])
    for curve in layout["curves"]:
        along, final = read_scores(curve["checkpoints"]), read_scores(curve["final"])
        last = last_step(Path(curve["model"]))
        parts = [
            bases[bases["seed"].isin([UNSEEDED, *final["seed"]])],
            along[along["checkpoint"] < last],
            final.assign(checkpoint=last),
        ]
        for step, scores in pd.concat(parts).groupby("checkpoint"):
            for benchmark, cell in cells_by_benchmark(scores, names, layout["scoring"]).items():
                found.append((curve["method"], step, benchmark, cell.accuracy, cell.stderr))
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
    """The base models' scores at step 0, the end's at the last step, else the checkpoints'."""
    if row["step"] == "0":
        return layout["base"]
    curve = next(each for each in layout["curves"] if each["method"] == row["method"])
    steps = points.loc[points["method"] == row["method"], "step"].astype(int)
    at_end = int(row["step"]) == steps.max()
    return [*curve["final"], curve["model"]] if at_end else curve["checkpoints"]
