"""Where a cell's spread comes from: problems, training seeds, sampling."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rectify.io import StepError
from rectify.stats import outcomes


@dataclass(frozen=True)
class Split:
    """Components of variance of one outcome, as shares of 1 squared (0.25 is a fair coin's).

    `seed` and `interaction` are None with one training seed: `problem` then holds the interaction.
    `of_mean` is each component's part in the variance of the cell's mean, in percentage points
    squared: its root is the standard error that this source alone would give.
    """

    problem: float
    seed: float | None
    interaction: float | None
    sampling: float
    of_mean: dict[str, float | None]


def variance_split(scores: pd.DataFrame) -> Split:
    """One benchmark's components of variance by the method of moments.

    The model: outcome[p, s, k] = mean + problem[p] + seed[s] + interaction[p, s] +
    sampling[p, s, k], all effects random and uncorrelated, in a balanced two-way layout with
    replication (Searle, Casella and McCulloch 1992, table 4.5): the expected mean squares are
    equated with the observed ones. A component that comes out negative is set to 0, so small ones
    are biased upwards. Two or three seeds say little about `seed`: its estimate has one or two
    degrees of freedom. Raises StepError with fewer than 2 problems or 2 samples.
    """
    _, correct = outcomes(scores)
    n, s, k = correct.shape
    if n < 2 or k < 2:
        raise StepError(f"variance split: {n} problems with {k} samples each; it needs 2 of both")
    cells = correct.mean(axis=2)
    problems, seeds, mean = cells.mean(axis=1), cells.mean(axis=0), correct.mean()
    sampling = ((correct - cells[:, :, None]) ** 2).sum() / (n * s * (k - 1))
    between = s * k * ((problems - mean) ** 2).sum() / (n - 1)
    seed = interaction = None
    if s == 1:
        problem = max((between - sampling) / k, 0.0)
    else:
        residual = cells - problems[:, None] - seeds + mean
        crossed = k * (residual**2).sum() / ((n - 1) * (s - 1))
        shifts = n * k * ((seeds - mean) ** 2).sum() / (s - 1)
        problem = max((between - crossed) / (s * k), 0.0)
        seed = max(float(shifts - crossed) / (n * k), 0.0)
        interaction = max(float(crossed - sampling) / k, 0.0)
    of_mean = {
        "problem": 1e4 * problem / n,
        "seed": None if seed is None else 1e4 * seed / s,
        "interaction": None if interaction is None else 1e4 * interaction / (n * s),
        "sampling": 1e4 * sampling / (n * s * k),
    }
    return Split(float(problem), seed, interaction, float(sampling), of_mean)
