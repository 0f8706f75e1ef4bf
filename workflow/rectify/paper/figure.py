"""What a figure is, and all of them: the modules in rectify.paper.figures, found by listing it.

A module there describes a figure whole, and its name is the figure's: in a study, of its files, in
`rectify trace`. All else (a study's keys, the jobs, the page, traces, claims, documentation) asks
the modules. They are looked up at run time, so that no step has a figure's code among its rerun
inputs but `plot_figure`, which has that of the figure it draws (rectify.step.environment). Every
study is read with them: what computes and draws is imported inside their functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rectify.paper import figures as room
from rectify.step.blocks import Block

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Picture

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study


class FigureBlock(Block):
    """A figure's block in a study. Keys that mean the same in all figures:

    model, models: the model shown, or the models, all if None
    methods, seeds: what is shown of each, and the training seeds, None for all of a method's
    checkpoints: steps of the runs' training at which they are decoded too
    rows: training rows that histograms are measured on; figures that name them must agree
    """

    def shown_models(self, study: Study) -> list[str]:
        """The models that it shows."""
        one = getattr(self, "model", None)
        return [one] if one else self.models or list(study.models)

    def shown_methods(self, study: Study) -> list[str]:
        """The methods that it shows."""
        return self.methods

    def needed_methods(self, study: Study) -> list[str]:
        """The methods whose runs it is made of: those that it shows."""
        return self.shown_methods(study)

    def overrides(self) -> list[dict[str, Any]]:
        """By what its runs' training differs from the study's, one after another."""
        return [{}]

    def mentions(self) -> Iterator[tuple[str, str, list[str]]]:
        """What the study must have: (key, whether a model, method or benchmark, their names)."""
        yield "methods", "method", self.methods or []
        if hasattr(self, "model"):
            yield "model", "model", [self.model]
        else:
            yield "models", "model", self.models or []

    def check(self, study: Study, key: str) -> None:
        """Raise ValueError, naming the key below `key`, for what the study cannot show."""
        of_training = hasattr(self, "checkpoints") or self.overrides() != [{}]
        methods = self.shown_methods(study)
        along = hasattr(self, "checkpoints")
        for method in methods:
            if along and (method == "base" or study.methods[method].start):
                raise ValueError(
                    f"{key}.methods: '{method}' has no training from the base model, from which "
                    "each curve starts; leave it out"
                )
            if of_training and method in study.methods and not study.methods[method].trained:
                kind = "sweep" if study.methods[method].sweep else "checkpoint"
                raise ValueError(
                    f"{key}.methods: '{method}' is a {kind}, which has no training of its own; "
                    "leave it out"
                )
            if hasattr(self, "model") and not study.methods_of(self.model, [method]):
                raise ValueError(
                    f"{key}.methods: '{method}' is not applied to '{self.model}' "
                    f"(methods.{method}.models)"
                )
        shown = self.shown_models(study)
        if not any(study.methods_of(model, methods) for model in shown):
            raise ValueError(f"{key}.methods: none of them is applied to {', '.join(shown)}")


class WeightsBlock(FigureBlock):
    """The block of a figure that shows methods' weights of tokens."""

    def check(self, study: Study, key: str) -> None:
        """Raise ValueError, naming the key, also for a method that weighs no tokens."""
        for method in self.methods:
            if method not in study.methods or not study.methods[method].objective:
                raise ValueError(
                    f"{key}.methods: '{method}' has no objective, thus no weights to show; "
                    "leave it out"
                )
        super().check(study, key)


class Figure(Protocol):
    """What a figure's module has. The first line of its docstring says what is shown."""

    __doc__: str
    PLACE: int
    """where it stands among the figures"""
    CAPTION: str
    """printed with it"""
    COLUMNS: list[str]
    """of its points: what names a row, its number (`accuracy`, `share` or `value`), `stderr`"""
    KEYS: list[str]
    """the columns by which `rectify trace --cell` names a row"""
    BLOCK: type[FigureBlock]
    """its block in a study"""

    def layout(self, figure: FigureBlock, study: Study, results: Results) -> dict[str, Any]:
        """What it is made of, as JSON: each file is an input. The weights that it draws are those
        of its `objectives`, a list of methods.
        """

    def points(self, layout: dict[str, Any]) -> pd.DataFrame:
        """Its points, of COLUMNS. To the layout are added what all figures are given:
        `methods` and `benchmarks` (titles by name), `samples` (of a problem), `scoring`.
        """

    def draw(self, points: pd.DataFrame, layout: dict[str, Any]) -> Picture:
        """The picture of its points."""

    def behind(self, layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
        """The files of the layout that a row of the points, read as text, was made from."""


@cache
def figures() -> dict[str, Figure]:
    """All figures by name, in their places."""
    names = sorted(file.stem for file in Path(room.__file__).parent.glob("[!_]*.py"))
    found = {name: import_module(f"{room.__name__}.{name}") for name in names}
    return dict(sorted(found.items(), key=lambda entry: entry[1].PLACE))


def shows(figure: Figure) -> str:
    """What a figure shows, in a line."""
    return figure.__doc__.splitlines()[0]


def listed(said: Callable[[Figure], str]) -> str:
    """What is said of each figure, as a command's help lists it."""
    return "\n".join(f"    {name:<10} {said(figure)}" for name, figure in figures().items())
