"""Blocks that say how answers are sampled, and which tables and figures are made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from rectify.paper.figure import FigureBlock, figures, shows
from rectify.step.blocks import Block, Positive


class Decoding(Block):
    """Sampling of answers; the defaults are the paper's."""

    engine: Literal["vllm", "transformers"] = "vllm"
    """vllm, or transformers where vLLM has no build"""
    problems: Positive | None = None
    """problems of each benchmark that are answered, the first ones; all if not given"""
    samples: Positive = 16
    """answers per problem"""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """sampling temperature"""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """nucleus sampling; 1 is none"""
    max_new_tokens: Positive = 4096
    """longest answer; the model's context may end it earlier"""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """dtype of weights and activations"""
    shards: Positive = 1
    """jobs that a model's problems are split over; same samples"""
    tensor_parallel: Positive = 1
    """GPUs that an engine splits the model over"""


class SelfSampling(Block):
    """The models' own answers to the training questions, which Table 3's methods learn from."""

    questions: Positive | None = None
    """training rows asked, the first ones that have a boxed answer; all if not given. (The paper's
    v1 prints 10,000, its v3 100,000; only the latter can give its 140,000 correct answers.)"""
    samples: Positive = 4
    """answers per question, drawn as `decoding` says: its temperature, top_p and max_new_tokens"""
    correct: Positive | None = None
    """correct answers kept to fine-tune on, at most; all if not given"""
    pairs: Positive | None = 100_000
    """pairs of a correct and a wrong answer kept for DPO, at most"""


class Scoring(Block):
    """How verdicts become numbers."""

    grader: Literal["corrected", "harness"] = "corrected"
    """corrected: this project's grader; harness: the rules of the published evaluation code"""
    rounding: Literal["exact", "per_run"] = "exact"
    """exact: the mean over all samples; per_run: each of the n runs over a benchmark is rounded to
    0.1 before their mean is taken, as the published evaluation code does"""


class Table(Block):
    """A table of average@n: models x methods x benchmarks."""

    caption: str
    """printed above the table"""
    methods: list[str] = Field(min_length=1)
    """rows for each model: `base` or names under `methods`"""
    models: list[str] | None = None
    """models shown; all if not given"""


class FigureBlocks(Block):
    """What all figures of a study are asked together."""

    @model_validator(mode="after")
    def _one_number_of_rows(self) -> FigureBlocks:
        first, *others = self.measuring or [("", None)]
        for name, figure in others:
            if figure.rows not in (None, first[1].rows):
                raise ValueError(
                    f"{name}.rows: {figure.rows} is not {first[0]}.rows, {first[1].rows}; both "
                    "show the same histograms: leave it out"
                )
        return self

    @property
    def shown(self) -> dict[str, FigureBlock]:
        """Those that the study has, by name."""
        return {name: figure for name, figure in self if figure}

    @property
    def measuring(self) -> list[tuple[str, Any]]:
        """The figures that show histograms, with their names; the first one's rows count."""
        return [(name, figure) for name, figure in self.shown.items() if hasattr(figure, "rows")]

    @property
    def measured_rows(self) -> int | None:
        """Training rows that a histogram reads, the first ones; None is all."""
        return self.measuring[0][1].rows if self.measuring else None


Figures = create_model(
    "Figures",
    __base__=FigureBlocks,
    __doc__="The figures; one that is left out is not made.",
    **{
        name: (figure.BLOCK | None, Field(default=None, description=shows(figure)))
        for name, figure in figures().items()
    },
)
