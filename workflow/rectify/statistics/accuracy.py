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
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from rectify.statistics.spread import Spread, bounds, interval, mean_spread, spread_of
from rectify.step.errors import StepError
from rectify.step.tables import read_parquet

SCORES = ("benchmark", "problem_id", "sample", "correct")  # what all scores have
GRADED = (*SCORES, "checkpoint", "harness", "status")  # and what is read of them: numbers, no texts
KEYS = ("problem_id", "seed", "repeat", "sample")  # of an outcome
UNSEEDED = -1  # the seed of a model that is none of the study's trainings: there is but one
RUN = re.compile(
    r"(base|.+(-seed(?P<seed>\d+)(-repeat(?P<repeat>[1-9]\d*))?|-ready))"
    r"(-checkpoints|-validation|-retention)?"
)


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


def cell_of(accuracies: np.ndarray, n_samples: int) -> Cell:
    """The cell of problems' accuracies from each training seed, [problems, seeds], from 0 to 1."""
    return cell_of_spread(spread_of(accuracies, interval), len(accuracies), n_samples)


def cell_of_spread(spread: Spread, n_problems: int, n_samples: int) -> Cell:
    """The cell of a mean that is uncertain by problems and by training seeds.

    Coverage of its interval in simulation (bench/coverage.py: 3 and 10 seeds that differ by 0, 2 or
    6 points, 20 to 272 problems with 16 samples, around 50 %): 95 to 98 %.
    """
    found = bounds(spread)
    return Cell(
        accuracy=100 * spread.mean,
        stderr=100 * found.stderr,
        low=100 * max(found.low, 0.0),
        high=100 * min(found.high, 1.0),
        n_problems=n_problems,
        n_samples=n_samples,
        n_seeds=len(spread.seeds),
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
    """One benchmark's problem_ids, sorted, and its outcomes of 0 and 1, as `arranged` has them."""
    problems, (correct,) = arranged(scores, "correct")
    return problems, correct


def arranged(scores: pd.DataFrame, *columns: str) -> tuple[pd.Index, list[np.ndarray]]:
    """One benchmark's problem_ids, sorted, and columns of numbers as [problems, seeds, repeats,
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
    found = [np.empty(len(places)) for _ in columns]
    for array, column in zip(found, columns, strict=True):
        array[places] = scores[column]
    return levels[0], [array.reshape(shape) for array in found]


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

    Coverage in simulation at the paper's five sizes, one seed: 94.6 to 95.4 %, for means from 1 to
    35 %. Raises StepError unless all benchmarks have the same number of seeds.
    """
    spreads = [cell.spread for cell in cells]
    seeds = {len(spread.seeds) for spread in spreads}
    if len(seeds) > 1:
        raise StepError(
            f"scores: {sorted(seeds)} training seeds on the benchmarks; each needs "
            "all of them: score the samples again"
        )
    problems = sum(cell.n_problems for cell in cells)
    mean = cell_of_spread(mean_spread(spreads), problems, max(cell.n_samples for cell in cells))
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
    if found := RUN.fullmatch(Path(file).stem):
        return int(found["seed"] or UNSEEDED), int(found["repeat"] or 0)
    raise StepError(
        f"{file}: its name is no run's: `base`, or one that ends in -seed0, -seed0-repeat1 "
        "or -ready"
    )


def score_tables(files: list[str], columns: Collection[str]) -> Iterator[pd.DataFrame]:
    """The score files of one method, one for each trained model, one after the other: some of their
    columns, and the `seed` and the `repeat` that their names say.

    Raises StepError naming the file, or the column, that is missing.
    """
    for file in files:
        seed, repeat = seed_and_repeat(file)
        yield read_parquet(file, *SCORES, only=columns).assign(seed=seed, repeat=repeat)


def read_scores(files: list[str]) -> pd.DataFrame:
    """The score files of one method as one table, of their own columns GRADED."""
    return pd.concat(score_tables(files, GRADED), ignore_index=True)
