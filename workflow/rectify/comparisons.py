"""Two methods on the same benchmarks, paired by problem: difference, interval, p value, power."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import signal, stats

from rectify.io import StepError
from rectify.stats import graded, outcomes

RESAMPLES = 10_000
LEVEL = 0.95
POWER = 0.8
DIFFERING = 6  # problems: with fewer, no sign-flip test has p < 0.05 (2 / 2^5 = 0.06)
FLOOR = 1e-12  # p values of a mean are no smaller: below, they are mostly rounding errors
GRID = 2**16  # points on which the distributions of several benchmarks are added up


@dataclass(frozen=True)
class Difference:
    """First method - second method in percentage points, on one benchmark or their mean.

    `low` and `high` are the 95 % bootstrap interval, `p_value` the two-sided sign-flip test's.
    `smallest` is the smallest true difference that so many problems show (p < 0.05) four times
    in five, as far as their differences' spread tells; NaN where that has nothing to go by: where
    fewer than 6 problems differ, no test can show anything. `n_seeds` and `than_seeds` are the
    training seeds of the first and the second method.
    """

    difference: float
    low: float
    high: float
    p_value: float
    smallest: float
    n_problems: int
    n_seeds: int
    than_seeds: int


class Pair(NamedTuple):
    """One benchmark's outcomes of two methods, problems in the same order.

    `first`, `second`: a problem's accuracy from each training seed, [problems, seeds], 0 to 1.
    `steps`: the problems' differences in whole multiples of 1 / `scale`, [problems].
    """

    first: np.ndarray
    second: np.ndarray
    steps: np.ndarray
    scale: int


def paired(first: pd.DataFrame, second: pd.DataFrame) -> Pair:
    """Pair one benchmark's scores of two methods by problem.

    Raises StepError if the methods did not answer the same problems.
    """
    (problems, one), (others, two) = outcomes(first), outcomes(second)
    if not problems.equals(others):
        odd = problems.symmetric_difference(others)
        raise StepError(
            f"comparison: {len(odd)} problems, such as '{odd[0]}', were answered by one method "
            "only; decode both on the same problems"
        )
    if len(problems) < 2:
        raise StepError("comparison: one problem is too few for an interval; decode at least 2")
    answers = [outcome.shape[1] * outcome.shape[2] for outcome in (one, two)]
    scale = math.lcm(*answers)
    right = [outcome.sum(axis=(1, 2)).astype(int) for outcome in (one, two)]
    steps = right[0] * (scale // answers[0]) - right[1] * (scale // answers[1])
    return Pair(one.mean(axis=2), two.mean(axis=2), steps, scale)


@lru_cache(maxsize=16)
def resampled(count: int, stream: int) -> np.ndarray:
    """Weights of the bootstrap, [RESAMPLES, count]: the same for the same count and stream.

    count - 1 of `count` units are drawn with replacement, which makes the bootstrap's variance of a
    mean the usual unbiased estimate (Rao and Wu 1988); with 3 seeds that is half as much again.
    """
    if count == 1:
        return np.ones((RESAMPLES, 1), dtype=np.float32)
    drawn = np.random.default_rng([stream, count]).integers(0, count, (RESAMPLES, count - 1))
    drawn += count * np.arange(RESAMPLES)[:, None]
    times = np.bincount(drawn.ravel(), minlength=RESAMPLES * count)
    return times.reshape(RESAMPLES, count).astype(np.float32) / np.float32(count - 1)


def bootstrap(pairs: list[Pair]) -> np.ndarray:
    """Resampled differences of the benchmarks, 0 to 1, [benchmarks, RESAMPLES].

    Problems, with their means over seeds, are drawn for both methods together; to that comes by
    how much the drawn seeds' means differ from all seeds'. Seeds are drawn for each method on its
    own and for all benchmarks together, as a seed is one trained model.
    """
    differences = []
    for stream, pair in enumerate(pairs):
        each = pair.first.mean(axis=1) - pair.second.mean(axis=1)
        drawn = resampled(len(each), stream) @ each.astype(np.float32)
        for own, (sign, accuracy) in enumerate(((1, pair.first), (-1, pair.second))):
            shifts = accuracy.mean(axis=0) - accuracy.mean()
            drawn += sign * resampled(len(shifts), len(pairs) + own) @ shifts.astype(np.float32)
        differences.append(drawn)
    return np.array(differences)


def bootstrap_interval(resamples: np.ndarray, freedom: int) -> tuple[float, float]:
    """95 % percentile interval of resampled values, widened for few problems.

    The percentiles are those at which a t distribution with `freedom` degrees of freedom has its
    2.5 % (Hesterberg 2015, "expanded percentile"). Coverage in simulation (20 to 500 problems, 16
    samples): 94 to 95 % with one seed, but 89 to 92 % for 20 to 30 problems near 10 %; with three
    seeds 95 to 99 % where they differ little (what they differ by is then mostly sampling, which
    the problems' part has already), and 88 to 92 % where they differ by 5 points on 272 problems
    or more: three seeds cannot tell their own spread.
    """
    tail = stats.norm.cdf(stats.t.ppf((1 - LEVEL) / 2, freedom))
    low, high = np.quantile(resamples, [tail, 1 - tail])
    return float(low), float(high)


def flipped_sums(steps: np.ndarray) -> np.ndarray:
    """Distribution of sum(+-steps) over all 2^n choices of signs, exactly, for whole numbers.

    Entry u is the chance of the sum D - 2 u, where D = sum |steps|: u is the part that is flipped.
    By dynamic programming over the problems, [D + 1].
    """
    chances = np.ones(1)
    for step in np.abs(steps[steps != 0]):
        longer = np.zeros(len(chances) + step)
        longer[: len(chances)] = chances / 2
        longer[step:] += chances / 2
        chances = longer
    return chances


def sign_flip(steps: np.ndarray) -> float:
    """Exact two-sided p value of a sign-flip test on paired differences in whole numbers.

    Under the null hypothesis the two methods are exchangeable on every problem, so each
    difference was as likely with the other sign.
    """
    chances, total = flipped_sums(steps), int(np.abs(steps).sum())
    most = (total - abs(int(steps.sum()))) // 2  # flipped by sums at least as far from 0
    return min(2 * float(chances[: most + 1].sum()), 1.0)


def sign_flip_of_mean(pairs: list[Pair]) -> float:
    """Two-sided p value of the sign-flip test on the mean of the benchmarks' mean differences.

    Each benchmark's distribution is exact; their sizes have no common unit small enough to add
    them up exactly, so that is done on a grid of GRID points, and every sum that the grid's
    rounding might have put below the observed one is counted: p errs upwards (by less than 0.5 % of
    itself in simulated tables of the paper's size). It is FLOOR at least, below which it would
    mostly be the transform's rounding error.
    """
    sizes = [len(pairs) * len(pair.steps) * pair.scale for pair in pairs]
    totals = [int(np.abs(pair.steps).sum()) for pair in pairs]
    observed = abs(sum(pair.steps.sum() / size for pair, size in zip(pairs, sizes, strict=True)))
    unit = 2 * sum(total / size for total, size in zip(totals, sizes, strict=True)) / GRID
    if unit == 0:
        return 1.0
    added, least = np.ones(1), 0
    for pair, total, size in zip(pairs, totals, sizes, strict=True):
        sums = np.rint((total - 2 * np.arange(total + 1)) / size / unit).astype(int)
        on_grid = np.bincount(sums - sums[-1], weights=flipped_sums(pair.steps))
        added, least = signal.fftconvolve(added, on_grid), least + sums[-1]
    slack = len(pairs) / 2 + 1e-6  # in units: half of one for each benchmark
    far = (least + np.arange(len(added))) >= observed / unit - slack
    return float(np.clip(2 * added[far].sum(), FLOOR, 1.0))


def holm(p_values: list[float]) -> list[float]:
    """Holm's (1979) step-down adjustment: compare these with the level as they are."""
    order = np.argsort(p_values)
    factors = len(p_values) - np.arange(len(p_values))
    adjusted = np.minimum(np.maximum.accumulate(factors * np.asarray(p_values)[order]), 1)
    return adjusted[np.argsort(order)].tolist()


def smallest_difference(stderr: float, freedom: float) -> float:
    """The true difference that a two-sided test at 5 % shows with 80 % power, in stderr's unit.

    Of a t test on paired differences: (t_0.975 + t_0.8) standard errors.
    """
    if stderr == 0:
        return math.nan
    level, power = stats.t.ppf([(1 + LEVEL) / 2, POWER], freedom)
    return float((level + power) * stderr)


def difference_of(
    mean: float,
    resamples: np.ndarray,
    p_value: float,
    stderr: float,
    freedom: float,
    pairs: list[Pair],
) -> Difference:
    """A Difference in percentage points from its parts, which are from 0 to 1."""
    low, high = bootstrap_interval(resamples, freedom)
    differing = sum(np.count_nonzero(pair.steps) for pair in pairs)
    smallest = smallest_difference(stderr, freedom) if differing >= DIFFERING else math.nan
    return Difference(
        difference=100 * float(mean),
        low=100 * low,
        high=100 * high,
        p_value=p_value,
        smallest=100 * smallest,
        n_problems=sum(len(pair.steps) for pair in pairs),
        n_seeds=min(pair.first.shape[1] for pair in pairs),
        than_seeds=min(pair.second.shape[1] for pair in pairs),
    )


def compare(
    first: pd.DataFrame, second: pd.DataFrame, benchmarks: list[str], scoring: dict[str, str]
) -> dict[str, Difference]:
    """Difference, first - second, for each benchmark and `mean`, from two methods' scores.

    Scores are those of all seeds. The interval is over problems, and over training seeds for a
    method that has several: with one seed it holds for that one trained model. The test and
    `smallest` are over problems, for the models that were trained. Raises StepError if the methods'
    problems differ.
    """
    first, second = graded(first, scoring), graded(second, scoring)
    pairs = [
        paired(first[first["benchmark"] == name], second[second["benchmark"] == name])
        for name in benchmarks
    ]
    resamples = bootstrap(pairs)
    counts = np.array([len(pair.steps) for pair in pairs])
    means = np.array([pair.steps.mean() / pair.scale for pair in pairs])
    spreads = np.array([pair.steps.var(ddof=1) / pair.scale**2 for pair in pairs])
    variances = spreads / counts
    differences = {
        name: difference_of(
            means[i], resamples[i], sign_flip(pairs[i].steps), np.sqrt(variances[i]),
            counts[i] - 1, [pairs[i]],
        )
        for i, name in enumerate(benchmarks)
    }  # fmt: skip
    spread = variances.sum()
    # Welch and Satterthwaite's degrees of freedom of a sum
    freedom = spread**2 / (variances**2 / (counts - 1)).sum() if spread else (counts - 1).sum()
    differences["mean"] = difference_of(
        means.mean(), resamples.mean(axis=0), sign_flip_of_mean(pairs),
        np.sqrt(spread) / len(pairs), freedom, pairs,
    )  # fmt: skip
    return differences


def fewest_seeds(seeds: dict[str, int]) -> int | None:
    """The fewest of some methods' training seeds; None if the base model is the only one there,
    which is trained with none.
    """
    return min((count for method, count in seeds.items() if method != "base"), default=None)


def compare_rows(
    scores: dict[tuple[str, str], pd.DataFrame],
    comparisons: list[tuple[str, str, str]],
    benchmarks: list[str],
    scoring: dict[str, str],
) -> pd.DataFrame:
    """A table's comparisons, tidy, with p_holm adjusted for all of them together.

    `scores` by (model, method); `comparisons` are (model, method, than). Columns: model, method,
    than, benchmark (and `mean`), the fields of Difference, p_holm.
    """
    rows = []
    for model, method, than in comparisons:
        found = compare(scores[model, method], scores[model, than], benchmarks, scoring)
        for name, difference in found.items():
            named = {"model": model, "method": method, "than": than, "benchmark": name}
            rows.append(named | vars(difference))
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p_value"].tolist()))
