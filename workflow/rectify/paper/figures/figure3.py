"""Figure 3: mean accuracy over learning rates and batch sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from rectify.paper.figure import FigureBlock
from rectify.step.blocks import Positive, Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 3
CAPTION = "Figure 3. Mean accuracy over learning rates and over batch sizes."
COLUMNS = ["method", "setting", "value", "accuracy", "stderr"]
KEYS = ["method", "setting", "value"]


class Sweep(FigureBlock):
    """Figure 3: accuracy over learning rates and over batch sizes."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared"""
    learning_rates: list[float] = []
    """at the default batch size"""
    batch_sizes: list[Positive] = []
    """at the default learning rate"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""

    @model_validator(mode="after")
    def _any_points(self) -> Sweep:
        if not self.points():
            raise ValueError("needs learning_rates or batch_sizes")
        return self

    def points(self) -> list[tuple[str, float]]:
        """(training key, value) of every point."""
        return [("learning_rate", value) for value in self.learning_rates] + [
            ("batch_size", value) for value in self.batch_sizes
        ]

    def overrides(self) -> list[dict[str, Any]]:
        """Each point's."""
        return [{key: value} for key, value in self.points()]

    def check(self, study: Study, key: str) -> None:
        """Raise ValueError, naming the key, also for a training that is not valid."""
        super().check(study, key)
        for overrides in self.overrides():
            for method in self.methods:
                if method in study.methods:
                    study.training_of(self.model, method, **overrides)


BLOCK = Sweep


def layout(figure: Sweep, study: Study, results: Results) -> dict[str, Any]:
    """For each learning rate and batch size and each method, the scores of its runs."""
    found = []
    for setting, value in figure.points():
        for method in figure.methods:
            runs = results.runs(figure.model, method, figure.seeds, **{setting: value})
            scores = results.scores(figure.model, runs)
            found.append({"method": method, "setting": setting, "value": value, "scores": scores})
    return {"points": found}


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """Means over the benchmarks and their standard errors in percent."""
    import pandas as pd

    from rectify.statistics.accuracy import cells_by_benchmark, read_scores

    found = []
    for entry in layout["points"]:
        scores = read_scores(entry["scores"])
        cells = cells_by_benchmark(scores, list(layout["benchmarks"]), layout["scoring"])
        spread = (cells["mean"].accuracy, cells["mean"].stderr)
        found.append((entry["method"], entry["setting"], entry["value"], *spread))
    return pd.DataFrame(found, columns=COLUMNS)


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """A panel for the learning rate and one for the batch size."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import ACCURACY, WIDTH, style

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
                **style(layout, method),
            )
        axis.set_xticks(range(len(ticks)), [f"{tick:g}" for tick in ticks])
        axis.set_xlabel(labels[setting])
    axes[0, 0].set_ylabel("mean " + ACCURACY.format(n=layout["samples"]))
    axes[0, 0].legend(loc="best")
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The scores of the point's runs."""
    keys = ("method", "setting")
    own = [entry for entry in layout["points"] if all(entry[key] == row[key] for key in keys)]
    return next(entry["scores"] for entry in own if entry["value"] == float(row["value"]))
