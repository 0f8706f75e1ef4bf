"""Methods over training: what the figures that show checkpoints share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from rectify.paper.figure import FigureBlock
from rectify.step.blocks import Positive, Seeds

if TYPE_CHECKING:
    import pandas as pd

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study


class CurveBlock(FigureBlock):
    """The block of a figure that shows methods over training."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared"""
    checkpoints: Annotated[list[Positive], Field(min_length=1)]
    """steps at which the model is decoded; the base (0) and the last step come in addition"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""


def layout(figure: CurveBlock, study: Study, results: Results) -> dict[str, Any]:
    """The base models' scores, and for each method those of its checkpoints, of which these steps
    are shown (other figures may show others), and of its end.
    """
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
    base = results.scores(figure.model, bases)
    return {"base": base, "steps": figure.checkpoints, "curves": curves}


def last_step(model: Path) -> int:
    """The step that a trained model folder was saved at, from its training log."""
    from rectify.step.tables import read_csv

    return int(read_csv(model / "train.csv", numbers=("step",))["step"].max())


def steps_of(
    layout: dict[str, Any], read: Callable[[list[str]], pd.DataFrame]
) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """(method, step, answers) of all curves, each from the base models of its own training seeds;
    `read` makes answers of score files.
    """
    from rectify.statistics.accuracy import UNSEEDED

    bases = read(layout["base"])
    for curve in layout["curves"]:
        along, final = read(curve["checkpoints"]), read(curve["final"])
        last = last_step(Path(curve["model"]))
        yield curve["method"], 0, bases[bases["seed"].isin([UNSEEDED, *final["seed"]])]
        shown = along["checkpoint"].isin(layout["steps"]) & (along["checkpoint"] < last)
        for step, answers in along[shown].groupby("checkpoint"):
            yield curve["method"], step, answers
        yield curve["method"], last, final


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The base models' scores at step 0, the end's at the last step, else the checkpoints'."""
    if row["step"] == "0":
        return layout["base"]
    curve = next(each for each in layout["curves"] if each["method"] == row["method"])
    steps = points.loc[points["method"] == row["method"], "step"].astype(int)
    at_end = int(row["step"]) == steps.max()
    return [*curve["final"], curve["model"]] if at_end else curve["checkpoints"]
