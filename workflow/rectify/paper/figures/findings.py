"""How often the paper's findings come out: each pretraining of a model is a repetition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from rectify.paper.figure import FigureBlock
from rectify.step.blocks import Positive, Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 6
CAPTION = (
    "The paper's findings in each pretraining of the base model: DFT above SFT on the average; SFT "
    "below base and DFT above it on the hardest benchmark; DFT with more training tokens than SFT "
    "in the lowest and in the highest bin of probability."
)
COLUMNS = ["model", "seed", "quantity", "method", "value"]
KEYS = COLUMNS[:4]
ENDS = {"lowest": 0, "highest": -1}  # bins of a histogram


class Findings(FigureBlock):
    """How often the paper's findings come out; each training seed is a repetition.

    They are: DFT above SFT on the average; SFT below the base model and DFT above it on the hardest
    benchmark; DFT with more tokens than SFT in the lowest and in the highest bin.
    """

    models: list[str] | None = None
    """models shown, a row each; all if not given"""
    methods: list[Literal["sft", "dft"]] = ["sft", "dft"]
    """the methods compared, by these names"""
    hardest: str
    """the benchmark of the second finding"""
    rows: Positive | None = None
    """training rows measured, the first ones; Figure 2's if it is made, else all if not given"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""

    def mentions(self) -> Iterator[tuple[str, str, list[str]]]:
        """The hardest benchmark, too."""
        yield from super().mentions()
        yield "hardest", "benchmark", [self.hardest]


BLOCK = Findings


def layout(figure: Findings, study: Study, results: Results) -> dict[str, Any]:
    """For each model and training seed the scores of base, SFT and DFT, and their histograms."""
    repetitions = []
    for model in figure.shown_models(study):
        for seed in figure.seeds or study.seeds:
            methods = {}
            for method in ("base", *figure.methods):
                runs = results.runs(model, method, [seed])
                methods[method] = {"scores": results.scores(model, runs)[0]}
                if method != "base":
                    methods[method]["histogram"] = results.histograms(model, runs)[0]
            title = study.models[model].title
            repetitions.append({"model": title, "seed": seed, "methods": methods})
    return {"hardest": figure.hardest, "repetitions": repetitions}


def accuracies(file: str, layout: dict[str, Any]) -> dict[str, float]:
    """A run's average@n in percent: `average` over the benchmarks, `hardest` on the hardest one."""
    from rectify.statistics.accuracy import cells_by_benchmark, read_scores

    names = list(layout["benchmarks"])
    cells = cells_by_benchmark(read_scores([file]), names, layout["scoring"])
    hardest = layout["hardest"]
    return {"average": cells["mean"].accuracy, "hardest": cells[hardest].accuracy}


def outer_shares(file: str) -> dict[str, float]:
    """A run's shares of the training tokens in the lowest and the highest bin, in percent."""
    from rectify.step.tables import read_parquet

    bins = read_parquet(file, "low", "count").sort_values("low")["count"]
    return {end: 100 * bins.iloc[index] / bins.sum() for end, index in ENDS.items()}


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """Every number in percent; `seed` is that of the pretraining."""
    import pandas as pd

    found = []
    for entry in layout["repetitions"]:
        for method, files in entry["methods"].items():
            values = accuracies(files["scores"], layout)
            if "histogram" in files:
                values |= outer_shares(files["histogram"])
            for quantity, value in values.items():
                found.append((entry["model"], entry["seed"], quantity, method, value))
    return pd.DataFrame(found, columns=COLUMNS)


def held(points: pd.DataFrame) -> pd.DataFrame:
    """Whether each finding came out: a column for each, a row for each (model, seed).

    average: DFT above SFT; hardest: SFT below base and DFT above it; outer bins: DFT with more
    tokens than SFT in both. A tie is none.
    """
    import pandas as pd

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


def draw_lines(axis: Axes, points: pd.DataFrame, layout: dict[str, Any]) -> None:
    """A quantity over the pretrainings, a marker for each method, joined by a thin line."""
    from rectify.paper.style import style

    for _, own in points.groupby("seed"):
        axis.plot([own["seed"].iloc[0]] * 2, [own["value"].min(), own["value"].max()], color="0.8")
    for method, own in points.groupby("method", sort=False):
        axis.plot(own["seed"], own["value"], **style(layout, method) | {"linestyle": ""})
    axis.set_xticks(sorted(points["seed"].unique()))


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """A row for each model: accuracy on average and on the hardest benchmark, the outer bins."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import WIDTH

    models = list(points["model"].unique())
    panels = {"average": "average", "hardest": layout["benchmarks"][layout["hardest"]]}
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
            draw_lines(axis, of_model, layout)
            finding = titles.get(quantity, quantity)
            axis.set_title(f"{title}: {counts[finding]} of {of}")
        row[0].set_ylabel(f"{model}\n%")
    for axis in axes[-1]:
        axis.set_xlabel("pretraining")
    handles, labels = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=len(labels), loc="outside upper center")
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The method's scores and histogram in the row's pretraining."""
    return [
        file
        for entry in layout["repetitions"]
        if (entry["model"], str(entry["seed"])) == (row["model"], row["seed"])
        for file in entry["methods"][row["method"]].values()
    ]
