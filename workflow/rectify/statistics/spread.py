"""A mean over problems and what it is uncertain by: the problems asked, and the training seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

Z = special.ndtri(0.975)  # of a 95 % interval
PSEUDO = 0.25  # problems that `interval` adds on either side


@dataclass(frozen=True)
class Spread:
    """A mean and what it is uncertain by: the problems asked, and the training seeds.

    `variance` is the mean's over problems, `below` and `above` are how far their 95 % interval
    reaches. `seeds` are the training seeds' own means, [seeds], and `chance` is the variance that
    one of them has beyond its seed's effect (interaction with the problems, and sampling), which
    `variance` has already.
    """

    mean: float
    variance: float
    below: float
    above: float
    seeds: np.ndarray
    chance: float

    @property
    def between(self) -> float:
        """The part of the seeds' effects in the mean's variance; 0 with one seed.

        By the method of moments, as in `rectify.statistics.variance`: 0 where it comes out
        negative.
        """
        count = len(self.seeds)
        return max(self.seeds.var(ddof=1) - self.chance, 0.0) / count if count > 1 else 0.0


def interval(problems: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean accuracy of a population of problems, from some of its problems.

    `problems` [problems] are accuracies from 0 to 1. Wilson's score interval for a proportion with
    the effective number of problems, p (1 - p) / variance of a problem's accuracy, in place of the
    number of trials (as Korn and Graubard 1998 do for clustered surveys). That variance is taken
    with a quarter of a problem always solved and a quarter never, or a cell whose few solved
    problems are missing from the sample would look certain (0 of 30 would have no width).

    Coverage in simulation (16 samples, Beta-distributed difficulty with a + b from 0.5 to 4, 10,000
    draws): 94 to 96 % from 20 to 80 % accuracy with 30 problems or more, and from 5 to 95 % with
    272 or more. Nearer the edges no simple interval keeps to that; this one covers 93 to 99 %,
    mostly too wide (97 % at 2 % of 30 problems, where the t interval covers 60 to 80 %).
    """
    count, mean = len(problems), problems.mean()
    weight = count + 2 * PSEUDO
    center = (count * mean + PSEUDO) / weight
    squares = ((problems - center) ** 2).sum() + PSEUDO * ((1 - center) ** 2 + center**2)
    effective = count * center * (1 - center) * (weight - 1) / squares
    middle = (mean + Z**2 / (2 * effective)) / (1 + Z**2 / effective)
    half = np.sqrt(mean * (1 - mean) / effective + Z**2 / (4 * effective**2))
    half *= Z / (1 + Z**2 / effective)
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)


def t_interval(problems: np.ndarray) -> tuple[float, float]:
    """95 % t interval of the mean of a population of problems, from some of its problems' values
    [problems] of any size; NaN with one problem.
    """
    count = len(problems)
    if count < 2:
        return np.nan, np.nan
    reach = special.stdtrit(count - 1, 0.975) * np.sqrt(problems.var(ddof=1) / count)
    return float(problems.mean() - reach), float(problems.mean() + reach)


def spread_of(
    values: np.ndarray, interval_of: Callable[[np.ndarray], tuple[float, float]]
) -> Spread:
    """The spread of problems' values from each training seed, [problems, seeds]; `interval_of`
    gives the interval over the problems, from their means over the seeds.
    """
    count, seeds = values.shape
    problems, means = values.mean(axis=1), values.mean(axis=0)
    mean, chance = float(problems.mean()), 0.0
    if count > 1 and seeds > 1:
        residuals = values - problems[:, None] - means + mean
        chance = float((residuals**2).sum() / ((count - 1) * (seeds - 1)) / count)
    low, high = interval_of(problems)
    variance = float(problems.var(ddof=1) / count) if count > 1 else np.nan
    return Spread(mean, variance, mean - low, high - mean, means, chance)


def mean_spread(spreads: list[Spread]) -> Spread:
    """The spread of the mean of some benchmarks' means, each with the same weight.

    Their problems are independent, so these intervals are put together by squares (see `bounds`);
    their seeds are not, as a seed is one trained model: what seeds differ by is that of their means
    over the benchmarks.
    """
    count = len(spreads)
    return Spread(
        mean=float(np.mean([spread.mean for spread in spreads])),
        variance=float(np.sum([spread.variance for spread in spreads])) / count**2,
        below=float(np.linalg.norm([spread.below for spread in spreads])) / count,
        above=float(np.linalg.norm([spread.above for spread in spreads])) / count,
        seeds=np.mean([spread.seeds for spread in spreads], axis=0),
        chance=float(np.sum([spread.chance for spread in spreads])) / count**2,
    )


class Bounds(NamedTuple):
    """A mean's standard error, and its 95 % interval."""

    stderr: float
    low: float
    high: float


def bounds(spread: Spread) -> Bounds:
    """The error and the interval of a mean that is uncertain by problems and by training seeds.

    The interval is put together from that of the problems, which need not be symmetric, and the t
    interval of the seeds' effects by squares of their distances from the mean (Zou and Donner
    2008's MOVER).
    """
    seeds = len(spread.seeds)
    reach = special.stdtrit(seeds - 1, 0.975) * np.sqrt(spread.between) if seeds > 1 else 0.0
    return Bounds(
        stderr=float(np.sqrt(spread.variance + spread.between)),
        low=spread.mean - float(np.hypot(spread.below, reach)),
        high=spread.mean + float(np.hypot(spread.above, reach)),
    )
