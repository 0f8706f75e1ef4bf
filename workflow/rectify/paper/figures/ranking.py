"""All methods by their averages, beside SFT and DFT: a forest plot that is a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from rectify.paper.figure import FigureBlock
from rectify.statistics.row_names import row_name
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
    "steps, nats; the answers' mean length in tokens, and the share of them that is unfinished. "
    "Offline methods learn from the base model's own graded answers, so that their NLL is that of "
    "other tokens. A method at its own learning rate is compared with SFT and DFT at theirs, where "
    "they are shown, and `fixed` is its average at the study's."
)
ENDS = ("difference", "low", "high", "p_holm")
DIFFERENCES = [f"{end}_{rival}" for rival in RIVALS for end in ENDS]
LOGGED = ["nll", "entropy"]
COLUMNS = ["method", "accuracy", "stderr", "low", "high", "learning_rate", "fixed", *DIFFERENCES,
           *LOGGED, "n_tokens", "unfinished"]  # fmt: skip
KEYS = ["method"]
LAST = 0.1  # share of a training's steps over which its log is averaged
LEVEL = 0.05
# title, format and what a value is multiplied by, of the columns printed beside the plot
PRINTED = {
    "accuracy": ("average", ".1f", 1),
    "fixed": ("fixed", ".1f", 1),
    "learning_rate": ("rate", "g", 1),
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

    def needed_methods(self, study: Study) -> list[str]:
        """Also those that it shows at their own learning rates, at the study's."""
        shown = self.shown_methods(study)
        return list(dict.fromkeys([*shown, *own_rates(study, shown)]))

    def check(self, study: Study, key: str) -> None:
        """Raise ValueError, naming the key, also where SFT or DFT is missing."""
        shown = {*self.shown_methods(study)} & {*study.methods}
        shown |= set(own_rates(study, shown))
        if missing := [name for name in RIVALS if name not in shown]:
            raise ValueError(
                f"{key}.methods: {' and '.join(missing)} missing, which the others are compared "
                "with; add it"
            )
        super().check(study, key)


BLOCK = Ranking


def own_rates(study: Study, shown: Iterable[str]) -> dict[str, str]:
    """Of methods shown at their own learning rates by a sweep, the sweep's name."""
    sweeps = {name: study.methods[name].sweep for name in shown if name in study.methods}
    return {sweep.of: name for name, sweep in sweeps.items() if sweep}


def layout(figure: Ranking, study: Study, results: Results) -> dict[str, Any]:
    """For each method the scores of its runs, and their model folders, which hold their logs; its
    learning rate, None where a sweep has chosen one, and then the scores at the study's as well;
    and the methods that it is compared with.
    """
    shown = figure.shown_methods(study)
    matched = own_rates(study, shown)

    def scores(method: str) -> list[str]:
        return results.scores(figure.model, results.runs(figure.model, method, figure.seeds))

    rows = []
    for method in shown:
        block = study.methods.get(method)
        swept = block.sweep if block else None
        known = block and not block.checkpoint
        runs = results.runs(figure.model, method, figure.seeds) if known else []
        rivals = {rival: matched.get(rival, rival) if swept or rival not in shown else rival
                  for rival in RIVALS}  # fmt: skip
        training = study.training_of(figure.model, method) if known and not swept else None
        rows.append(
            {
                "method": method,
                "title": row_name(block.title, block.setting) if block else "Base",
                "scores": scores(method),
                "models": results.models(figure.model, runs),
                "learning_rate": training.learning_rate if training else None,
                "fixed": scores(swept.of) if swept else [],
                "rivals": {name: rival for name, rival in rivals.items() if rival != method},
            }
        )
    return {"rows": rows}


def chosen_rate(models: list[str]) -> float:
    """The learning rate of models that a sweep has chosen."""
    from rectify.step.tables import read_csv

    choice = read_csv(
        Path(models[0]) / "choice.csv", numbers=("learning_rate",), others=("chosen",)
    )
    return float(choice.loc[choice["chosen"], "learning_rate"].item())


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
    pairs = [(row["method"], *rival) for row in layout["rows"] for rival in row["rivals"].items()]
    found = [
        compare(scores[method], scores[rival], benchmarks, scoring)["mean"]
        for method, _, rival in pairs
    ]
    adjusted = holm([difference.p_value for difference in found])
    rows = {}
    for row in layout["rows"]:
        method = row["method"]
        cell = cells_by_benchmark(scores[method], benchmarks, scoring)["mean"]
        own = {name: getattr(cell, name) for name in ("accuracy", "stderr", "low", "high")}
        own["learning_rate"] = row["learning_rate"]
        if row["fixed"]:
            own["learning_rate"] = chosen_rate(row["models"])
            fixed = cells_by_benchmark(read_scores(row["fixed"]), benchmarks, scoring)
            own["fixed"] = fixed["mean"].accuracy
        rows[method] = own | at_the_end(row["models"]) | of_answers(row["scores"])
    for (method, name, _), difference, p_value in zip(pairs, found, adjusted, strict=True):
        values = (difference.difference, difference.low, difference.high, p_value)
        rows[method] |= {f"{end}_{name}": value for end, value in zip(ENDS, values, strict=True)}
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
    # with one learning rate, the study's, its columns have nothing to tell
    left_out = () if points["fixed"].notna().any() else ("fixed", "learning_rate")
    printed = {name: how for name, how in PRINTED.items() if name not in left_out}
    numbers = 0.25 * len(printed)  # beside panels of width 1
    figure, axes = plt.subplots(
        1, len(panels) + 1, sharey=True, layout="constrained", width_ratios=[1, 1, 1, numbers],
        figsize=(0.3 * WIDTH * (len(panels) + numbers), 0.8 + 0.17 * len(points)),
    )  # fmt: skip
    for axis, (title, (middle, ends)) in zip(axes, panels.items(), strict=False):
        draw_forest(axis, points, middle, ends)
        axis.set_title(title)
        if middle != "accuracy":
            axis.axvline(0, color="0.4", linewidth=0.8, linestyle=":")
    titles = {row["method"]: row["title"] for row in layout["rows"]}
    axes[0].set_yticks(range(len(points)), points["method"].map(titles))
    axes[0].set_ylim(len(points) - 0.5, -0.5)
    text = axes[-1]
    text.axis("off")
    for index, (name, (title, form, unit)) in enumerate(printed.items()):
        right = (index + 1) / len(printed)
        text.text(right, -0.8, title, ha="right", va="bottom", fontsize=6.5,
                  transform=text.get_yaxis_transform())  # fmt: skip
        for place, value in enumerate(points[name]):
            said = "" if value != value else f"{unit * value:{form}}"
            text.text(right, place, said, ha="right", va="center", fontsize=6.5,
                      transform=text.get_yaxis_transform())  # fmt: skip
    return figure


def scored(layout: dict[str, Any], row: pd.Series) -> list[str]:
    """The scores that a row's average is of; behind its differences are others as well."""
    return next(own["scores"] for own in layout["rows"] if own["method"] == row["method"])


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The method's scores and models, and the scores that it is compared with."""
    named = {entry["method"]: entry for entry in layout["rows"]}
    own = named[row["method"]]
    files = [*own["scores"], *own["models"], *own["fixed"]]
    files += [file for rival in own["rivals"].values() for file in named[rival]["scores"]]
    return list(dict.fromkeys(files))
