"""Numbers of a table's cell and a figure's point: average@n, pass@k, their errors and intervals.

Scores are tables with a row for each sample: problem_id, sample, seed (of the base model and of the
training), repeat (of the fine-tuning from that base model), correct. The samples and seeds of one
problem are not independent, so they are averaged first (clustering by problem); what the seeds
differ by beyond chance comes on top. With one training seed nothing is known of that: what a cell
says then holds for the model that was trained.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from rectify.step.errors import StepError
from rectify.step.tables import read_parquet

Z = special.ndtri(0.975)  # of a 95 % interval
SCORES = ("benchmark", "problem_id", "sample", "correct")  # what all scores have
GRADED = (*SCORES, "checkpoint", "harness", "status")  # and what is read of them: numbers, no texts
KEYS = ("problem_id", "seed", "repeat", "sample")  # of an outcome
PSEUDO = 0.25  # problems that `interval` adds on either side
UNSEEDED = -1  # the seed of a model that is none of the study's trainings: there is but one
RUN = re.compile(
    r".+(-seed(?P<seed>\d+)(-repeat(?P<repeat>[1-9]\d*))?(-checkpoints|-validation)?|-ready)"
)


@dataclass(frozen=True)
class Spread:
    """A mean from 0 to 1 and what it is uncertain by: the problems asked, and the training seeds.

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


@dataclass(frozen=True)
class Cell:
    """average@n (or pass@k) in percent with its standard error and 95 % interval, in percent, and
    what they were taken over.
    """

    accuracy: float
    stderr: float
    low: float
    high: float
    n_problems: int
    n_samples: int
    n_seeds: int
    spread: Spread = field(repr=False, compare=False)


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


def cell_of(accuracies: np.ndarray, n_samples: int) -> Cell:
    """The cell of problems' accuracies from each training seed, [problems, seeds], from 0 to 1."""
    count, seeds = accuracies.shape
    problems, means = accuracies.mean(axis=1), accuracies.mean(axis=0)
    mean, chance = float(problems.mean()), 0.0
    if count > 1 and seeds > 1:
        residuals = accuracies - problems[:, None] - means + mean
        chance = float((residuals**2).sum() / ((count - 1) * (seeds - 1)) / count)
    low, high = interval(problems)
    variance = float(problems.var(ddof=1) / count) if count > 1 else np.nan
    spread = Spread(mean, variance, mean - low, high - mean, means, chance)
    return cell_of_spread(spread, count, n_samples)


def cell_of_spread(spread: Spread, n_problems: int, n_samples: int) -> Cell:
    """The cell of a mean that is uncertain by problems and by training seeds.

    The interval is put together from that of the problems, which need not be symmetric, and the t
    interval of the seeds' effects by squares of their distances from the mean (Zou and Donner
    2008's MOVER). Coverage in simulation (bench/coverage.py: 3 and 10 seeds that differ by 0, 2 or
    6 points, 20 to 272 problems with 16 samples, around 50 %): 95 to 98 %.
    """
    mean, seeds = spread.mean, len(spread.seeds)
    reach = special.stdtrit(seeds - 1, 0.975) * np.sqrt(spread.between) if seeds > 1 else 0.0
    return Cell(
        accuracy=100 * mean,
        stderr=float(100 * np.sqrt(spread.variance + spread.between)),
        low=100 * max(mean - float(np.hypot(spread.below, reach)), 0.0),
        high=100 * min(mean + float(np.hypot(spread.above, reach)), 1.0),
        n_problems=n_problems,
        n_samples=n_samples,
        n_seeds=seeds,
        spread=spread,
    )


def rounded_mean(correct: np.ndarray) -> float:
    """average@n in percent of one benchmark's outcomes as the released evaluation code has it:
    every run (one sample of each problem) is rounded to 0.1 before the mean over the runs.
    """
    runs = 100 * correct.mean(axis=0)
    return float(runs.round(1).mean())


def average_at_n(scores: pd.DataFrame, rounding: str = "exact") -> Cell:
    """One benchmark's cell: the mean over problems, seeds, repeats and samples.

    `rounding` is a study's: `exact`, or `per_run` for `rounded_mean`; the error and the interval
    are the exact mean's. Raises StepError as `outcomes` does.
    """
    _, correct = outcomes(scores)
    cell = cell_of(correct.mean(axis=(2, 3)), correct.shape[3])
    return cell if rounding == "exact" else replace(cell, accuracy=rounded_mean(correct))


def outcomes(scores: pd.DataFrame) -> tuple[pd.Index, np.ndarray]:
    """One benchmark's problem_ids, sorted, and its outcomes of 0 and 1, [problems, seeds, repeats,
    samples], each in order.

    Raises StepError, naming a row that is missing or there twice, unless every problem has the same
    samples from the same repeats of the same seeds.
    """
    codes, levels = zip(*(pd.factorize(scores[key], sort=True) for key in KEYS), strict=True)
    shape = tuple(map(len, levels))
    places = np.ravel_multi_index(codes, shape)
    there, times = np.unique(places, return_counts=True)
    twice = len(there) < len(places)
    if twice or len(there) < math.prod(shape):
        # none is missing below the first that is: that many are there
        gaps = np.flatnonzero(np.diff(there, prepend=-1, append=-1) != 1)
        odd = np.unravel_index((there[times > 1] if twice else gaps)[0], shape)
        names = zip(KEYS, levels, odd, strict=True)
        row = ", ".join(f"{key} {level[code]}" for key, level, code in names)
        raise StepError(
            f"scores: {len(scores)} rows for {shape[0]} problems x {shape[1]} seeds x {shape[3]} "
            f"samples x {shape[2]} repeats; every problem needs each of them once, but {row} is "
            f"{'there twice' if twice else 'missing'}: score the samples again"
        )
    correct = np.empty(len(places))
    correct[places] = scores["correct"]
    return levels[0], correct.reshape(shape)


def pass_at_k(correct: np.ndarray, k: int) -> Cell:
    """pass@k of one benchmark's outcomes: the chance that one of k samples of a problem is right.

    Unbiased, as in Chen et al. 2021 (arXiv 2107.03374, eq. 1): 1 - C(n - c, k) / C(n, k) for c of
    n samples right; for each trained model on its own, then the mean over them. pass@1 is
    average@n. Raises StepError if there are fewer than k samples.
    """
    samples = correct.shape[3]
    if k > samples:
        raise StepError(f"pass@{k}: there are only {samples} samples of each problem")
    right = correct.sum(axis=3)
    missed = special.comb(samples - right, k) / special.comb(samples, k)
    return cell_of((1 - missed).mean(axis=2), samples)


def mean_of_benchmarks(cells: list[Cell]) -> Cell:
    """The tables' last column: every benchmark has the same weight.

    Their problems are independent, so these intervals are put together by squares (see
    `cell_of_spread`); their seeds are not, as a seed is one trained model: what seeds differ by is
    that of their means over the benchmarks. Coverage in simulation at the paper's five sizes, one
    seed: 94.6 to 95.4 %, for means from 1 to 35 %. Raises StepError unless all benchmarks have the
    same number of seeds.
    """
    spreads, count = [cell.spread for cell in cells], len(cells)
    seeds = [spread.seeds for spread in spreads]
    if len(set(map(len, seeds))) > 1:
        raise StepError(
            f"scores: {sorted(set(map(len, seeds)))} training seeds on the benchmarks; each needs "
            "all of them: score the samples again"
        )
    spread = Spread(
        mean=float(np.mean([spread.mean for spread in spreads])),
        variance=float(np.sum([spread.variance for spread in spreads])) / count**2,
        below=float(np.linalg.norm([spread.below for spread in spreads])) / count,
        above=float(np.linalg.norm([spread.above for spread in spreads])) / count,
        seeds=np.mean(seeds, axis=0),
        chance=float(np.sum([spread.chance for spread in spreads])) / count**2,
    )
    problems = sum(cell.n_problems for cell in cells)
    mean = cell_of_spread(spread, problems, max(cell.n_samples for cell in cells))
    return replace(mean, accuracy=float(np.mean([cell.accuracy for cell in cells])))


def graded(scores: pd.DataFrame, scoring: dict[str, str]) -> pd.DataFrame:
    """The scores with `correct` from the grader whose verdicts count; `scoring` is a study's."""
    if scoring["grader"] == "harness":
        return scores.assign(correct=scores["harness"])
    return scores


def by_benchmark(
    scores: pd.DataFrame, benchmarks: list[str], scoring: dict[str, str]
) -> dict[str, pd.DataFrame]:
    """Each benchmark's `graded` scores; of one that has none, an empty table."""
    parts = dict(iter(graded(scores, scoring).groupby("benchmark")))
    return {name: parts.get(name, scores.head(0)) for name in benchmarks}


def cells_by_benchmark(
    scores: pd.DataFrame, benchmarks: list[str], scoring: dict[str, str]
) -> dict[str, Cell]:
    """A cell for each benchmark, and `mean`, from one method's scores (all seeds).

    `scoring` is a study's: which grader's verdicts count, and how they are rounded.
    """
    cells = {
        name: average_at_n(own, scoring["rounding"])
        for name, own in by_benchmark(scores, benchmarks, scoring).items()
    }
    return {**cells, "mean": mean_of_benchmarks(list(cells.values()))}


def pass_at_ks(
    scores: pd.DataFrame, benchmarks: list[str], scoring: dict[str, str]
) -> dict[str, dict[str, float]]:
    """pass@k in percent for k = 1, 2, 4, ... up to the samples there are: by benchmark, and `mean`.

    What best-of-k reaches with the grader as its verifier. The columns are named `pass@k`.
    """
    ks = [2**power for power in range(int(scores["sample"].nunique()).bit_length())]
    found = {}
    for name, own in by_benchmark(scores, benchmarks, scoring).items():
        _, correct = outcomes(own)
        found[name] = {f"pass@{k}": pass_at_k(correct, k).accuracy for k in ks}
    return {**found, "mean": pd.DataFrame(found).mean(axis=1).to_dict()}


def seed_and_repeat(file: str) -> tuple[int, int]:
    """The training seed and the repeat that a score file's name says: `dft-seed1-repeat2.parquet`.

    A name without a repeat is the first one, 0; `base` alone is a model that has no seed, UNSEEDED,
    and so is a ready checkpoint, `released-ready`.
    Raises StepError for any other name.
    """
    name = Path(file).stem
    if name == "base":
        return UNSEEDED, 0
    if found := RUN.fullmatch(name):
        return int(found["seed"] or UNSEEDED), int(found["repeat"] or 0)
    raise StepError(
        f"{file}: its name is no run's: `base`, or one that ends in -seed0, -seed0-repeat1 "
        "or -ready"
    )


def read_scores(files: list[str]) -> pd.DataFrame:
    """The score files of one method, one for each trained model, as one table with the `seed` and
    the `repeat` that their names say, and of their own columns GRADED.

    Raises StepError naming the file, or the column, that is missing.
    """
    tables = []
    for file in files:
        seed, repeat = seed_and_repeat(file)
        tables.append(read_parquet(file, *SCORES, only=GRADED).assign(seed=seed, repeat=repeat))
    return pd.concat(tables, ignore_index=True)
