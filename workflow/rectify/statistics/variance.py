"""Where a cell's spread comes from: problems, pretraining, fine-tuning, sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rectify.statistics.accuracy import outcomes
from rectify.step.errors import StepError

SOURCES = ("problem", "pretraining", "fine_tuning", "interaction", "sampling")


@dataclass(frozen=True)
class Split:
    """Components of variance of one outcome, as shares of 1 squared (0.25 is a fair coin's).

    `interaction` is that of the problems with the trainings, both kinds together. What has a single
    value in the data is None, and what holds its part instead is: `fine_tuning` for a model that is
    pretrained once for each fine-tuning (`pretraining` has both), `pretraining` for one that is
    not pretrained in the study or only once; with one training in all `interaction` too (`problem`
    has all). `of_mean` is each component's part in the variance of the cell's mean, in percentage
    points squared: its root is the standard error that this source alone would give.
    """

    problem: float
    pretraining: float | None
    fine_tuning: float | None
    interaction: float | None
    sampling: float
    of_mean: dict[str, float | None]


def mean_squares(correct: np.ndarray) -> dict[str, float]:
    """Mean squares of outcomes [problems, seeds, repeats, samples]; NaN where there is no freedom.

    Problems are crossed with seeds, and with repeats, which are nested in seeds.
    """
    n, s, r, k = correct.shape
    models = correct.mean(axis=3)  # [problems, seeds, repeats]
    cells = models.mean(axis=2)  # [problems, seeds]
    problems, repeats, seeds = cells.mean(axis=1), models.mean(axis=0), cells.mean(axis=0)
    mean = correct.mean()
    sums = {
        "problem": (s * r * k * (problems - mean) ** 2, n - 1),
        "seed": (n * r * k * (seeds - mean) ** 2, s - 1),
        "repeat": (n * k * (repeats - seeds[:, None]) ** 2, s * (r - 1)),
        "problem x seed": (r * k * (cells - problems[:, None] - seeds + mean) ** 2,
                           (n - 1) * (s - 1)),
        "problem x repeat": (k * (models - cells[:, :, None] - repeats + seeds[:, None]) ** 2,
                             (n - 1) * s * (r - 1)),
        "sampling": ((correct - models[:, :, :, None]) ** 2, n * s * r * (k - 1)),
    }  # fmt: skip
    return {
        name: float(squares.sum() / freedom) if freedom else np.nan
        for name, (squares, freedom) in sums.items()
    }


def variance_split(scores: pd.DataFrame, pretrained: bool) -> Split:
    """One benchmark's components of variance by the method of moments.

    The model: outcome[p, s, r, k] = mean + problem[p] + seed[s] + repeat[s, r] + interaction[p, s]
    + interaction'[p, s, r] + sampling[p, s, r, k], all effects random and uncorrelated, in a
    balanced layout: repeats nested in seeds, both crossed with problems (Searle, Casella and
    McCulloch 1992, chapter 4). The expected mean squares are equated with the observed ones. A
    component that comes out negative is set to 0, so small ones are biased upwards. Two or three
    seeds say little about their own: its estimate has one or two degrees of freedom.

    `pretrained`: each seed has a base model of its own, and repeats are fine-tunings of it; if not,
    all trainings are fine-tunings of one model. Raises StepError with fewer than 2 problems or 2
    samples.
    """
    _, correct = outcomes(scores)
    n, k = correct.shape[0], correct.shape[3]
    if n < 2 or k < 2:
        raise StepError(f"variance split: {n} problems with {k} samples each; it needs 2 of both")
    if not pretrained:
        correct = correct.reshape(n, 1, -1, k)
    _, s, r, _ = correct.shape
    square = mean_squares(correct)
    sampling = square["sampling"]
    by_repeat = square["problem x repeat"] if r > 1 else sampling
    by_seed = square["problem x seed"] if s > 1 else by_repeat
    problem = max((square["problem"] - by_seed) / (s * r * k), 0.0)
    seeds = max((by_seed - by_repeat) / (r * k), 0.0)  # problem x seed; 0 with one seed
    repeats = max((by_repeat - sampling) / k, 0.0)  # problem x repeat; 0 with one repeat
    pretraining = fine_tuning = None
    if r > 1:
        fine_tuning = max((square["repeat"] - by_repeat) / (n * k), 0.0)
    if s > 1:
        own = square["repeat"] if r > 1 else by_repeat
        pretraining = max((square["seed"] - own - by_seed + by_repeat) / (n * r * k), 0.0)
    crossed = s > 1 or r > 1
    variances = {
        "problem": problem / n,
        "pretraining": None if pretraining is None else pretraining / s,
        "fine_tuning": None if fine_tuning is None else fine_tuning / (s * r),
        "interaction": (seeds / s + repeats / (s * r)) / n if crossed else None,
        "sampling": sampling / (n * s * r * k),
    }
    return Split(
        problem=problem,
        pretraining=pretraining,
        fine_tuning=fine_tuning,
        interaction=seeds + repeats if crossed else None,
        sampling=sampling,
        of_mean={key: None if part is None else 1e4 * part for key, part in variances.items()},
    )
