"""How the answers are over training: their length, unfinished, without a box, in a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rectify.paper import curves

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 8
CAPTION = (
    "Health of the answers over training, means over the benchmarks: tokens of an answer, and the "
    "shares that the limit of tokens ended, that have no box, and that end in a loop (the last 60 "
    "characters or more are one piece of text, three times or more back to back); bars are 95 % "
    "intervals."
)
COLUMNS = [
    "method", "step", "benchmark", "quantity", "value", "stderr", "low", "high", "difference",
    "difference_low", "difference_high", "n_problems", "n_samples", "n_seeds",
]  # fmt: skip
KEYS = ["method", "step", "benchmark", "quantity"]
PANELS = {
    "length": "tokens of an answer",
    "unfinished": "unfinished (%)",
    "unboxed": "without a box (%)",
    "loop": "in a loop (%)",
}


class Health(curves.CurveBlock):
    """Length, unfinished answers, missing boxes and loops over training."""


BLOCK = Health


def layout(figure: Health, study: Study, results: Results) -> dict[str, Any]:
    """The base models' scores, and for each method those of its checkpoints and of its end."""
    return curves.layout(figure, study, results)


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """Every quantity of rectify.statistics.health, with its difference to the base model."""
    import pandas as pd

    from rectify.statistics.health import health, read_answers

    names, scoring, found, base = list(layout["benchmarks"]), layout["scoring"], [], None
    for method, step, answers in curves.steps_of(layout, read_answers):
        base = answers if step == 0 else base  # which each curve starts from
        lines = health(answers, base if step else None, names, scoring)
        found += [{"method": method, "step": step} | line for line in lines]
    return pd.DataFrame(found)[COLUMNS]


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """A panel for each of PANELS."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import WIDTH, style

    figure, axes = plt.subplots(
        2, 2, figsize=(WIDTH, 3.8), layout="constrained", squeeze=False, sharex=True
    )
    means = points[points["benchmark"] == "mean"]
    for axis, (quantity, title) in zip(axes.flat, PANELS.items(), strict=True):
        for method, curve in means[means["quantity"] == quantity].groupby("method", sort=False):
            reach = [curve["value"] - curve["low"], curve["high"] - curve["value"]]
            axis.errorbar(
                curve["step"],
                curve["value"],
                yerr=[each.clip(lower=0) for each in reach],
                elinewidth=0.7,
                capsize=2,
                **style(layout, method),
            )
        axis.set_title(title)
        axis.set_ylim(bottom=0)
    for axis in axes[-1]:
        axis.set_xlabel("training step")
    axes.flat[0].legend(loc="best")
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The scores at that step, and the base models', behind the difference to them."""
    own = curves.behind(layout, row, points)
    return own if row["step"] == "0" else [*own, *layout["base"]]
