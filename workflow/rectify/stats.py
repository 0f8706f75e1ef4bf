"""Numbers of a table's cell and a figure's point: average@n, pass@k, their errors and intervals.

Scores are tables with a row for each sample: problem_id, sample, seed (of training), correct.
Problems are the sampling unit throughout: the samples and seeds of one problem are not
independent, so they are averaged first (clustering by problem). What a cell says holds for the
models that were trained; `rectify.variance` says how far another training seed would move it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from rectify.io import StepError, read_parquet

Z = special.ndtri(0.975)  # of a 95 % interval
SCORES = ("benchmark", "problem_id", "sample", "correct")  # what all scores have
PSEUDO = 0.25  # problems that `interval` adds on either side


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


def cell_of(problems: np.ndarray, n_samples: int, n_seeds: int) -> Cell:
    """The cell of problems' accuracies [problems], each from 0 to 1."""
    low, high = interval(problems)
    count = len(problems)
    stderr = problems.std(ddof=1) / np.sqrt(count) if count > 1 else np.nan
    return Cell(
        accuracy=float(100 * problems.mean()),
        stderr=float(100 * stderr),
        low=100 * low,
        high=100 * high,
        n_problems=count,
        n_samples=n_samples,
        n_seeds=n_seeds,
    )


def rounded_mean(scores: pd.DataFrame) -> float:
    """average@n in percent as the released evaluation code has it: every run over the benchmark
    (one sample of each problem) is rounded to 0.1 before the mean over the runs.
    """
    runs = 100 * scores.groupby(["seed", "sample"])["correct"].mean()
    return float(runs.round(1).mean())


def average_at_n(scores: pd.DataFrame, rounding: str = "exact") -> Cell:
    """One benchmark's cell: the mean over problems of the mean over samples and seeds.

    `rounding` is a study's: `exact`, or `per_run` for `rounded_mean`; the error and the interval
    are the exact mean's.
    """
    problems = scores.groupby("problem_id")["correct"].mean().to_numpy()
    cell = cell_of(problems, int(scores["sample"].nunique()), int(scores["seed"].nunique()))
    if rounding == "exact":
        return cell
    return Cell(**{**vars(cell), "accuracy": rounded_mean(scores)})


def outcomes(scores: pd.DataFrame) -> tuple[pd.Index, np.ndarray]:
    """One benchmark's problem_ids, sorted, and outcomes of 0 and 1, [problems, seeds, samples].

    Raises StepError unless every problem has the same samples from the same seeds.
    """
    keys = ["problem_id", "seed", "sample"]
    table = scores.set_index(keys)["correct"].sort_index()
    shape = tuple(len(level) for level in table.index.remove_unused_levels().levels)
    if table.index.has_duplicates or len(table) != np.prod(shape):
        raise StepError(
            f"scores: {len(table)} rows for {shape[0]} problems x {shape[1]} seeds x {shape[2]} "
            "samples; every problem needs each of them once: score the samples again"
        )
    return table.index.unique("problem_id"), table.to_numpy(dtype=float).reshape(shape)


def pass_at_k(scores: pd.DataFrame, k: int) -> Cell:
    """One benchmark's pass@k: the chance that one of k samples of a problem is right.

    Unbiased, as in Chen et al. 2021 (arXiv 2107.03374, eq. 1): 1 - C(n - c, k) / C(n, k) for c of
    n samples right; for each training seed on its own, then the mean over seeds. pass@1 is
    average@n. Raises StepError if there are fewer than k samples.
    """
    _, correct = outcomes(scores)
    _, seeds, samples = correct.shape
    if k > samples:
        raise StepError(f"pass@{k}: there are only {samples} samples of each problem")
    right = correct.sum(axis=2)
    missed = special.comb(samples - right, k) / special.comb(samples, k)
    return cell_of((1 - missed).mean(axis=1), samples, seeds)


def mean_of_benchmarks(cells: list[Cell]) -> Cell:
    """The tables' last column: every benchmark has the same weight; benchmarks are independent.

    Its interval is put together from the cells' own, which need not be symmetric, by squares of
    their distances from the estimates (Zou and Donner 2008's MOVER). Coverage in simulation at the
    paper's five sizes: 94.6 to 95.4 %, for means from 1 to 35 %.
    """
    low, accuracy, high = np.array([(cell.low, cell.accuracy, cell.high) for cell in cells]).T
    return Cell(
        accuracy=float(accuracy.mean()),
        stderr=float(np.sqrt(np.sum([cell.stderr**2 for cell in cells])) / len(cells)),
        low=float(accuracy.mean() - np.linalg.norm(accuracy - low) / len(cells)),
        high=float(accuracy.mean() + np.linalg.norm(high - accuracy) / len(cells)),
        n_problems=sum(cell.n_problems for cell in cells),
        n_samples=max(cell.n_samples for cell in cells),
        n_seeds=max(cell.n_seeds for cell in cells),
    )


def graded(scores: pd.DataFrame, scoring: dict[str, str]) -> pd.DataFrame:
    """The scores with `correct` from the grader whose verdicts count; `scoring` is a study's."""
    if scoring["grader"] == "harness":
        return scores.assign(correct=scores["harness"])
    return scores


def cells_by_benchmark(
    scores: pd.DataFrame, benchmarks: list[str], scoring: dict[str, str]
) -> dict[str, Cell]:
    """A cell for each benchmark, and `mean`, from one method's scores (all seeds).

    `scoring` is a study's: which grader's verdicts count, and how they are rounded.
    """
    scores = graded(scores, scoring)
    cells = {
        name: average_at_n(scores[scores["benchmark"] == name], scoring["rounding"])
        for name in benchmarks
    }
    return {**cells, "mean": mean_of_benchmarks(list(cells.values()))}


def pass_at_ks(
    scores: pd.DataFrame, benchmarks: list[str], scoring: dict[str, str]
) -> dict[str, dict[str, float]]:
    """pass@k in percent for k = 1, 2, 4, ... up to the samples there are: by benchmark, and `mean`.

    What best-of-k reaches with the grader as its verifier. The columns are named `pass@k`.
    """
    scores = graded(scores, scoring)
    most = int(scores["sample"].nunique())
    found = {
        name: {
            f"pass@{k}": pass_at_k(scores[scores["benchmark"] == name], k).accuracy
            for k in (2**power for power in range(most.bit_length()))
        }
        for name in benchmarks
    }
    mean = pd.DataFrame(found).mean(axis=1).to_dict()
    return {**found, "mean": mean}


def read_scores(files: list[str]) -> pd.DataFrame:
    """The score files of one method, one for each training seed, as one table with a `seed`.

    Raises StepError naming the file, or the column, that is missing.
    """
    return pd.concat(
        [read_parquet(file, *SCORES).assign(seed=seed) for seed, file in enumerate(files)],
        ignore_index=True,
    )
