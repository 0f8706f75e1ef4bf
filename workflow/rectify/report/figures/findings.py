"""How often the paper's findings come out: each pretraining of a model is a repetition."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rectify.report.figures.style import WIDTH, style
from rectify.statistics.accuracy import cells_by_benchmark, read_scores
from rectify.step.tables import read_parquet

ENDS = {"lowest": 0, "highest": -1}  # bins of a histogram


def accuracies(file: str, settings: dict[str, Any]) -> dict[str, float]:
    """A run's average@n in percent: `average` over the benchmarks, `hardest` on the hardest one."""
    names = list(settings["benchmarks"])
    cells = cells_by_benchmark(read_scores([file]), names, settings["scoring"])
    hardest = settings["hardest"]
    return {"average": cells["mean"].accuracy, "hardest": cells[hardest].accuracy}


def outer_shares(file: str) -> dict[str, float]:
    """A run's shares of the training tokens in the lowest and the highest bin, in percent."""
    bins = read_parquet(file, "low", "count").sort_values("low")["count"]
    return {end: 100 * bins.iloc[index] / bins.sum() for end, index in ENDS.items()}


def findings_points(settings: dict[str, Any]) -> pd.DataFrame:
    """One row per number: model, seed (of pretraining), quantity, method, value (percent)."""
    found = []
    for entry in settings["repetitions"]:
        for method, files in entry["methods"].items():
            values = accuracies(files["scores"], settings)
            if "histogram" in files:
                values |= outer_shares(files["histogram"])
            for quantity, value in values.items():
                found.append((entry["model"], entry["seed"], quantity, method, value))
    return pd.DataFrame(found, columns=["model", "seed", "quantity", "method", "value"])


def held(points: pd.DataFrame) -> pd.DataFrame:
    """Whether each finding came out: a column for each, a row for each (model, seed).

    average: DFT above SFT; hardest: SFT below base and DFT above it; outer bins: DFT with more
    tokens than SFT in both. A tie is none.
    """
    value = points.pivot(index=["model", "seed"], columns=["quantity", "method"], values="value")
    hardest = value["hardest"]
    more = [value[end]["dft"] > value[end]["sft"] for end in ENDS]
    return pd.DataFrame(
        {
            "average": value["average"]["dft"] > value["average"]["sft"],
            "hardest": (hardest["sft"] < hardest["base"]) & (hardest["base"] < hardest["dft"]),
            "outer bins": more[0] & more[1],
        }
    )


def draw_lines(axis: Axes, points: pd.DataFrame, settings: dict[str, Any]) -> None:
    """A quantity over the pretrainings, a marker for each method, joined by a thin line."""
    for _, own in points.groupby("seed"):
        axis.plot([own["seed"].iloc[0]] * 2, [own["value"].min(), own["value"].max()], color="0.8")
    for method, own in points.groupby("method", sort=False):
        axis.plot(own["seed"], own["value"], **style(settings, method) | {"linestyle": ""})
    axis.set_xticks(sorted(points["seed"].unique()))


def draw_findings(points: pd.DataFrame, settings: dict[str, Any]) -> Figure:
    """A row for each model: accuracy on average and on the hardest benchmark, the outer bins."""
    models = list(points["model"].unique())
    panels = {"average": "average", "hardest": settings["benchmarks"][settings["hardest"]]}
    panels |= {"lowest": "tokens below 0.0001", "highest": "tokens above 0.9"}
    figure, axes = plt.subplots(
        len(models), len(panels), figsize=(1.25 * WIDTH, 0.5 + 1.8 * len(models)),
        layout="constrained", squeeze=False, sharex=True, sharey="col",
    )  # fmt: skip
    holds = held(points)
    for row, model in zip(axes, models, strict=True):
        counts, of = holds.loc[model].sum(), len(holds.loc[model])
        titles = {"lowest": "outer bins", "highest": "outer bins"}
        for axis, (quantity, title) in zip(row, panels.items(), strict=True):
            of_model = points[(points["model"] == model) & (points["quantity"] == quantity)]
            draw_lines(axis, of_model, settings)
            finding = titles.get(quantity, quantity)
            axis.set_title(f"{title}: {counts[finding]} of {of}")
        row[0].set_ylabel(f"{model}\n%")
    for axis in axes[-1]:
        axis.set_xlabel("pretraining")
    handles, labels = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=len(labels), loc="outside upper center")
    return figure
