"""Reward and entropy of the drawn answers over the steps of online methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rectify.paper.figure import FigureBlock
from rectify.step.blocks import Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 8
CAPTION = (
    "Mean reward of the answers drawn in each step of the online methods, and the mean entropy of "
    "their tokens (nats; PPO's log has none): at the first step those of the model that a method "
    "starts from. Bands are standard errors over training seeds."
)
MEASURES = {"reward": "reward", "entropy": "entropy (nats)"}
COLUMNS = ["method", "measure", "step", "value", "stderr"]
KEYS = ["method", "measure", "step"]


class Rewards(FigureBlock):
    """Reward and entropy over the steps of online methods."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared, whose `setting` is online"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""

    def check(self, study: Study, key: str) -> None:
        """Raise ValueError, naming the key, also for a method that draws no answers."""
        for method in self.methods:
            block = study.methods.get(method)
            if not block or block.setting != "online" or not block.trained:
                raise ValueError(
                    f"{key}.methods: '{method}' draws no answers in its training, and has no "
                    "rewards to show; leave it out"
                )
        super().check(study, key)


BLOCK = Rewards


def layout(figure: Rewards, study: Study, results: Results) -> dict[str, Any]:
    """For each method the model folders of its runs, which hold their logs."""
    curves = []
    for method in figure.methods:
        runs = results.runs(figure.model, method, figure.seeds)
        curves.append({"method": method, "models": results.models(figure.model, runs)})
    return {"curves": curves}


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """Each step's reward and entropy: means over the runs with their standard errors (NaN of
    one).
    """
    import pandas as pd

    from rectify.step.tables import read_csv

    found = []
    for curve in layout["curves"]:
        files = [Path(model) / "train.csv" for model in curve["models"]]
        logs = pd.concat([read_csv(file, numbers=("step", "reward")) for file in files])
        steps = logs.groupby("step")
        for measure in MEASURES:
            if measure in logs:
                values = pd.DataFrame(
                    {"value": steps[measure].mean(), "stderr": steps[measure].sem()}
                )
                found.append(values.reset_index().assign(method=curve["method"], measure=measure))
    return pd.concat(found, ignore_index=True)[COLUMNS]


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """A panel for each measure, a line for each method."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import WIDTH, style

    shown = [measure for measure in MEASURES if measure in set(points["measure"])]
    figure, axes = plt.subplots(
        1, len(shown), figsize=(WIDTH, 2.6), layout="constrained", squeeze=False
    )
    for axis, measure in zip(axes.flat, shown, strict=True):
        own = points[points["measure"] == measure]
        for method, curve in own.groupby("method", sort=False):
            look = {**style(layout, method), "marker": None}
            (line,) = axis.plot(curve["step"], curve["value"], **look)
            low, high = curve["value"] - curve["stderr"], curve["value"] + curve["stderr"]
            axis.fill_between(curve["step"], low, high, color=line.get_color(), alpha=0.2, lw=0)
        axis.set_xlabel("training step")
        axis.set_ylabel(MEASURES[measure])
    axes.flat[0].legend()
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The method's models."""
    return next(curve["models"] for curve in layout["curves"] if curve["method"] == row["method"])
