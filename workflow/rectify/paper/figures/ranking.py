"""All methods by their averages, beside SFT and DFT: a forest plot that is a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from rectify.paper.figure import FigureBlock
from rectify.step.blocks import Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 7
RIVALS = ("sft", "dft")
CAPTION = (
    "Every method by its average over the benchmarks, with its 95 % interval; its differences to "
    "SFT and to DFT, paired by problem and by seed (filled: p < 0.05 with Holm's correction for "
    "all differences shown); NLL and entropy of the training tokens in the last tenth of the "
    "steps, nats; the answers' mean length in tokens, and the share of them that is unfinished."
)
ENDS = ("difference", "low", "high", "p_holm")
DIFFERENCES = [f"{end}_{rival}" for rival in RIVALS for end in ENDS]
LOGGED = ["nll", "entropy"]
COLUMNS = ["method", "accuracy", "stderr", "low", "high", *DIFFERENCES, *LOGGED, "n_tokens",
           "unfinished"]  # fmt: skip
KEYS = ["method"]
LAST = 0.1  # share of a training's steps over which its log is averaged
LEVEL = 0.05
# title, format and what a value is multiplied by, of the columns printed beside the plot
PRINTED = {
    "accuracy": ("average", ".1f", 1),
    "nll": ("NLL", ".2f", 1),
    "entropy": ("entropy", ".2f", 1),
    "n_tokens": ("tokens", ".0f", 1),
    "unfinished": ("cut, %", ".1f", 100),
}


class Ranking(FigureBlock):
    """All methods in the order of their averages, with paired differences to SFT and DFT."""

    model: str
    """the model shown"""
    methods: Annotated[list[str], Field(min_length=2)] | None = None
    """the methods compared, `sft` and `dft` among them; `base` and all of the model's if not
    given"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""

    def shown_methods(self, study: Study) -> list[str]:
        """Those that it names, else `base` and all that are applied to its model."""
        return self.methods or study.methods_of(self.model, ["base", *study.methods])

    def check(self, study: Study, key: str) -> None:
        """Raise ValueError, naming the key, also where SFT or DFT is missing."""
        shown = self.shown_methods(study)
        if missing := [name for name in RIVALS if name not in shown]:
            raise ValueError(
                f"{key}.methods: {' and '.join(missing)} missing, which the others are compared "
                "with; add it"
            )
        super().check(study, key)


BLOCK = Ranking


def layout(figure: Ranking, study: Study, results: Results) -> dict[str, Any]:
    """For each method the scores of its runs, and their model folders, which hold their logs."""
    rows = []
    for method in figure.shown_methods(study):
        runs = results.runs(figure.model, method, figure.seeds)
        known = method in study.methods and not study.methods[method].checkpoint
        models = results.models(figure.model, runs) if known else []
        scores = results.scores(figure.model, runs)
        rows.append({"method": method, "scores": scores, "models": models})
    return {"rows": rows}


def at_the_end(models: Iterable[str]) -> dict[str, float]:
    """The LOGGED numbers that runs' logs have, means over the last tenth of their steps."""
    import pandas as pd

    from rectify.step.tables import read_csv

    found = []
    for model in models:
        log = read_csv(Path(model) / "train.csv", numbers=("step",))
        last = log[log["step"] > (1 - LAST) * log["step"].max()]
        found.append(last[[name for name in LOGGED if name in last]].mean())
    return pd.DataFrame(found).mean().to_dict() if found else {}


def of_answers(scores: Iterable[str]) -> dict[str, float]:
    """The answers' mean length in tokens, and the share of them that is unfinished."""
    import pandas as pd

    from rectify.step.tables import read_parquet

    answers = pd.concat([read_parquet(file, "n_tokens", "finish_reason") for file in scores])
    unfinished = (answers["finish_reason"] == "length").mean()
    return {"n_tokens": answers["n_tokens"].mean(), "unfinished": unfinished}


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """A row for each method, the best first; differences in percentage points."""
    import pandas as pd

    from rectify.statistics.accuracy import cells_by_benchmark, read_scores
    from rectify.statistics.comparisons import compare, holm

    benchmarks, scoring = list(layout["benchmarks"]), layout["scoring"]
    scores = {row["method"]: read_scores(row["scores"]) for row in layout["rows"]}
    pairs = [(method, rival) for method in scores for rival in RIVALS if method != rival]
    found = [compare(scores[one], scores[two], benchmarks, scoring)["mean"] for one, two in pairs]
    adjusted = holm([difference.p_value for difference in found])
    rows = {}
    for row in layout["rows"]:
        method = row["method"]
        cell = cells_by_benchmark(scores[method], benchmarks, scoring)["mean"]
        own = {name: getattr(cell, name) for name in ("accuracy", "stderr", "low", "high")}
        rows[method] = own | at_the_end(row["models"]) | of_answers(row["scores"])
    for (method, rival), difference, p_value in zip(pairs, found, adjusted, strict=True):
        values = (difference.difference, difference.low, difference.high, p_value)
        rows[method] |= {f"{end}_{rival}": value for end, value in zip(ENDS, values, strict=True)}
    table = pd.DataFrame([{"method": method} | values for method, values in rows.items()])
    ordered = table.sort_values("accuracy", ascending=False, kind="stable")
    return ordered.reindex(columns=COLUMNS)


def draw_forest(axis: Axes, rows: pd.DataFrame, middle: str, ends: tuple[str, str]) -> None:
    """A dot for each row with its interval, from the top; filled unless p_holm says otherwise."""
    low, high = ends
    p_value = middle.replace("difference", "p_holm")
    for place, row in enumerate(rows.to_dict("records")):
        sure = middle == "accuracy" or row[p_value] < LEVEL
        axis.plot([row[low], row[high]], [place] * 2, color="0.4", linewidth=0.9)
        face = "black" if sure else "white"
        axis.plot(row[middle], place, "o", markerfacecolor=face, markeredgecolor="black")


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """Panels of averages and differences, and the numbers beside them, a line for each method."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import ACCURACY, WIDTH

    panels = {ACCURACY.format(n=layout["samples"]): ("accuracy", ("low", "high"))}
    for rival in RIVALS:
        named = f"difference_{rival}", (f"low_{rival}", f"high_{rival}")
        panels[f"minus {layout['methods'][rival]} (points)"] = named
    figure, axes = plt.subplots(
        1, len(panels) + 1, sharey=True, layout="constrained", width_ratios=[1, 1, 1, 1.2],
        figsize=(1.3 * WIDTH, 0.8 + 0.17 * len(points)),
    )  # fmt: skip
    for axis, (title, (middle, ends)) in zip(axes, panels.items(), strict=False):
        draw_forest(axis, points, middle, ends)
        axis.set_title(title)
        if middle != "accuracy":
            axis.axvline(0, color="0.4", linewidth=0.8, linestyle=":")
    titles = [layout["methods"].get(method, "Base") for method in points["method"]]
    axes[0].set_yticks(range(len(points)), titles)
    axes[0].set_ylim(len(points) - 0.5, -0.5)
    text = axes[-1]
    text.axis("off")
    for index, (name, (title, form, unit)) in enumerate(PRINTED.items()):
        right = (index + 1) / len(PRINTED)
        text.text(right, -0.8, title, ha="right", va="bottom", fontsize=6.5,
                  transform=text.get_yaxis_transform())  # fmt: skip
        for place, value in enumerate(points[name]):
            said = "" if value != value else f"{unit * value:{form}}"
            text.text(right, place, said, ha="right", va="center", fontsize=6.5,
                      transform=text.get_yaxis_transform())  # fmt: skip
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The method's scores and models, and the scores that it is compared with."""
    named = {entry["method"]: entry for entry in layout["rows"]}
    own = named[row["method"]]
    files = [*own["scores"], *own["models"]]
    files += [file for rival in RIVALS for file in named[rival]["scores"]]
    return list(dict.fromkeys(files))
