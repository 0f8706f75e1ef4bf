"""Two methods on the same benchmarks, paired by problem and by training seed: difference, interval,
p value, power.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import signal, stats

from rectify.statistics.accuracy import by_benchmark
from rectify.statistics.pairs import Pair, paired

RESAMPLES = 10_000
LEVEL = 0.95
POWER = 0.8
DIFFERING = 6  # problems: with fewer, no sign-flip test has p < 0.05 (2 / 2^5 = 0.06)
FLOOR = 1e-12  # p values of a mean are no smaller: below, they are mostly rounding errors
GRID = 2**16  # points on which the distributions of several benchmarks are added up


@dataclass(frozen=True)
class Difference:
    """First method - second method in percentage points, on one benchmark or their mean.

    `low` and `high` are the 95 % interval, `p_value` is two-sided. `smallest` is the smallest true
    difference that so many problems and seeds show (p < 0.05) four times in five, as far as their
    differences' spread tells; NaN where that has nothing to go by: where fewer than 6 problems
    differ, no test can show anything. `n_seeds` are the training seeds that both methods have, and
    `than_seeds` those of the second among them: the same, or 1 if it is a model without a seed.
    """

    difference: float
    low: float
    high: float
    p_value: float
    smallest: float
    n_problems: int
    n_seeds: int
    than_seeds: int


@lru_cache(maxsize=16)
def resampled(count: int, stream: int) -> np.ndarray:
    """Weights of the bootstrap, [RESAMPLES, count]: the same for the same count and stream.

    count - 1 of `count` problems are drawn with replacement, which makes the bootstrap's variance
    of a mean the usual unbiased estimate (Rao and Wu 1988).
    """
    drawn = np.random.default_rng([stream, count]).integers(0, count, (RESAMPLES, count - 1))
    drawn += count * np.arange(RESAMPLES)[:, None]
    times = np.bincount(drawn.ravel(), minlength=RESAMPLES * count)
    return times.reshape(RESAMPLES, count).astype(np.float32) / np.float32(count - 1)


def bootstrap(pairs: list[Pair]) -> np.ndarray:
    """Resampled mean differences of the benchmarks, -1 to 1, [benchmarks, RESAMPLES].

    Problems, with their means over seeds, are drawn for both methods together.
    """
    return np.array(
        [
            resampled(len(pair.steps), stream) @ (pair.steps / pair.scale).astype(np.float32)
            for stream, pair in enumerate(pairs)
        ]
    )


class Errors(NamedTuple):
    """Variances of a mean difference with their degrees of freedom: each benchmark's problems', and
    the seeds'.

    The seeds' is that of their mean differences over the benchmarks, as a seed is one trained model
    (two, one of each method, from the same base model); 0 with one seed. It has the chance part,
    which the problems' have too, so their sum is on the wide side: Clark's (1973) min F'.
    """

    problems: np.ndarray
    freedoms: np.ndarray
    seeds: float
    freedom: int

    @property
    def stderr(self) -> float:
        """Of the mean difference."""
        return float(np.sqrt(self.problems.sum() + self.seeds))

    @property
    def total(self) -> float:
        """Welch and Satterthwaite's degrees of freedom of all variances together."""
        if not self.freedom:
            return satterthwaite(self.problems, self.freedoms)
        return satterthwaite([*self.problems, self.seeds], [*self.freedoms, self.freedom])


def satterthwaite(variances: ArrayLike, freedoms: ArrayLike) -> float:
    """Degrees of freedom of a sum of independent variances (Welch and Satterthwaite)."""
    variances, freedoms = np.asarray(variances), np.asarray(freedoms)
    total = variances.sum()
    return float(total**2 / (variances**2 / freedoms).sum() if total else freedoms.sum())


def errors_of(pairs: list[Pair]) -> Errors:
    """What the mean of some benchmarks' mean differences is uncertain by."""
    counts = np.array([len(pair.steps) for pair in pairs])
    spreads = np.array([(pair.steps / pair.scale).var(ddof=1) for pair in pairs])
    seeds = np.mean([pair.differences.mean(axis=0) for pair in pairs], axis=0)
    count = len(seeds)
    own = float(seeds.var(ddof=1) / count) if count > 1 else 0.0
    return Errors(spreads / counts / len(pairs) ** 2, counts - 1, own, count - 1)


def interval_of(mean: float, resamples: np.ndarray, errors: Errors) -> tuple[float, float]:
    """95 % interval of a mean difference: of the bootstrap over problems, widened by the seeds.

    The percentiles are those at which a t distribution with the problems' degrees of freedom has
    its 2.5 % (Hesterberg 2015, "expanded percentile"): with one seed that is the interval. With
    more, the percentiles' distances from the mean, in units of that t, stand for the problems'
    standard error on either side; the seeds' is added to each by squares, and the root goes with
    the t of both variances. (A bootstrap of three seeds cannot reach as far as their t does.)
    Coverage in simulation (bench/coverage.py: 20 to 272 problems with 16 samples, methods that are
    alike around 50 %): with one seed, for the models that were trained, 94 to 96 %, but 89 to 92 %
    for 20 to 30 problems near 10 %; with 3 or 10 seeds 97 to 99 % where they differ by 2 points or
    less (their chance part is counted twice) and 92 to 97 % where they differ by 6.
    """
    own = stats.t.ppf((1 + LEVEL) / 2, satterthwaite(errors.problems, errors.freedoms))
    tail = stats.norm.sf(own)
    low, high = map(float, np.quantile(resamples, [tail, 1 - tail]))
    if not errors.seeds:
        return low, high
    reach = stats.t.ppf((1 + LEVEL) / 2, errors.total)
    below, above = (reach * np.hypot(far / own, np.sqrt(errors.seeds)) for far in
                    (mean - low, high - mean))  # fmt: skip
    return float(mean - below), float(mean + above)


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


def t_test(mean: float, errors: Errors) -> float:
    """Two-sided p value of a mean difference over problems and seeds."""
    if not errors.stderr:
        return float(mean == 0)
    return float(2 * stats.t.sf(abs(mean) / errors.stderr, errors.total))


def difference_of(pairs: list[Pair], resamples: np.ndarray, p_value: float) -> Difference:
    """The mean of some benchmarks' differences, in percentage points.

    `resamples` [RESAMPLES] are the bootstrap's of it, `p_value` the sign-flip test's over problems.
    """
    errors = errors_of(pairs)
    mean = float(np.mean([pair.steps.mean() / pair.scale for pair in pairs]))
    low, high = interval_of(mean, resamples, errors)
    differing = sum(np.count_nonzero(pair.steps) for pair in pairs)
    known = differing >= DIFFERING
    smallest = smallest_difference(errors.stderr, errors.total) if known else math.nan
    seeds, than_seeds = np.min([pair.seeds for pair in pairs], axis=0).tolist()
    return Difference(
        difference=100 * mean,
        low=100 * low,
        high=100 * high,
        p_value=max(p_value, t_test(mean, errors)) if errors.freedom else p_value,
        smallest=100 * smallest,
        n_problems=sum(len(pair.steps) for pair in pairs),
        n_seeds=seeds,
        than_seeds=than_seeds,
    )


def compare(
    first: pd.DataFrame, second: pd.DataFrame, benchmarks: list[str], scoring: dict[str, str]
) -> dict[str, Difference]:
    """Difference, first - second, for each benchmark and `mean`, from two methods' scores.

    Scores are those of all seeds; the seeds that both have are compared, each with its own, as
    training seed k starts from base model k with either method. Interval, test and `smallest` are
    over problems, and over the seeds if there are several: the p value is then the larger one of
    the exact sign-flip test over problems and of the t test over both. With one seed all hold for
    the models that were trained. Raises StepError if the methods' problems differ, or if they have
    no seed in common.
    """
    one, two = (by_benchmark(scores, benchmarks, scoring) for scores in (first, second))
    pairs = [paired(one[name], two[name]) for name in benchmarks]
    resamples = bootstrap(pairs)
    differences = {
        name: difference_of([pair], drawn, sign_flip(pair.steps))
        for name, pair, drawn in zip(benchmarks, pairs, resamples, strict=True)
    }
    mean = difference_of(pairs, resamples.mean(axis=0), sign_flip_of_mean(pairs))
    return differences | {"mean": mean}


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
