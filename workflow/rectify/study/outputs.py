"""Blocks that say how answers are sampled, and which tables and figures are made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rectify.step.blocks import Block
from rectify.study.block import Positive, Seeds


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


class LearningCurve(Block):
    """Figure 1: accuracy over training."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared"""
    checkpoints: Annotated[list[Positive], Field(min_length=1)]
    """steps at which the model is decoded; the base (0) and the last step come in addition"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""


class Histogram(Block):
    """Figure 2: distribution of training-set token probabilities."""

    models: list[str] | None = None
    """models shown, a panel each; all if not given"""
    methods: list[str] = Field(min_length=1)
    """the methods compared; `base` is the model before training"""
    rows: Positive | None = None
    """training rows measured, the first ones; all if not given"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""


class Sweep(Block):
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


class Monitors(Block):
    """Weights over training, their ESS and quantiles, and mean |p / p_ref - 1| with a reference."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared, which have an `objective`"""
    seeds: Seeds | None = None
    """training seeds, a line each; all of the study's if not given"""


class Gallery(Block):
    """Each objective's weight by token probability, and the change of the probabilities."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods shown, which have an `objective`"""
    rows: Positive | None = None
    """training rows measured, the first ones; Figure 2's if it is made, else all if not given"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""


class Findings(Block):
    """How often the paper's findings come out: DFT above SFT on the average; SFT below the base
    model and DFT above it on the hardest benchmark; DFT with more tokens than SFT in the lowest and
    in the highest bin. Each training seed is a repetition.
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


class Figures(Block):
    """The paper's figures and three more; one that is left out is not made."""

    figure1: LearningCurve | None = None
    """accuracy over training"""
    figure2: Histogram | None = None
    """token probabilities on the training set"""
    figure3: Sweep | None = None
    """learning rates and batch sizes"""
    monitors: Monitors | None = None
    """the weights over training"""
    gallery: Gallery | None = None
    """weights by token probability, and the change of the probabilities"""
    findings: Findings | None = None
    """in how many pretrainings the paper's findings come out"""

    @model_validator(mode="after")
    def _one_number_of_rows(self) -> Figures:
        first, *others = self.measuring or [("", None)]
        for name, figure in others:
            if figure.rows not in (None, first[1].rows):
                raise ValueError(
                    f"{name}.rows: {figure.rows} is not {first[0]}.rows, {first[1].rows}; both "
                    "show the same histograms: leave it out"
                )
        return self

    @property
    def measuring(self) -> list[tuple[str, Any]]:
        """The figures that show histograms, with their names; the first one's rows count."""
        shown = ((name, getattr(self, name)) for name in ("figure2", "gallery", "findings"))
        return [(name, figure) for name, figure in shown if figure]

    @property
    def measured_rows(self) -> int | None:
        """Training rows that a histogram reads, the first ones; None is all."""
        return self.measuring[0][1].rows if self.measuring else None
