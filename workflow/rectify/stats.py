"""Numbers of a table's cell and a figure's point: average@n and its standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rectify.io import read_parquet


@dataclass(frozen=True)
class Cell:
    """average@n in percent, its standard error in percent, and what they were taken over."""

    accuracy: float
    stderr: float
    n_problems: int
    n_samples: int
    n_seeds: int


def rounded_mean(scores: pd.DataFrame) -> float:
    """average@n in percent as the released evaluation code has it: every run over the benchmark
    (one sample of each problem) is rounded to 0.1 before the mean over the runs.
    """
    runs = 100 * scores.groupby(["seed", "sample"])["correct"].mean()
    return float(runs.round(1).mean())


def average_at_n(scores: pd.DataFrame, rounding: str = "exact") -> Cell:
    """One benchmark's cell from its scores (columns problem_id, sample, seed, correct).

    A problem's accuracy is the mean over its samples and seeds; the cell is the mean over
    problems, and its standard error is that of a mean of independent problems (samples and seeds
    of one problem are not independent, so they are averaged first: clustering by problem).
    `rounding` is a study's: `exact`, or `per_run` for `rounded_mean`.
    """
    problems = 100 * scores.groupby("problem_id")["correct"].mean().to_numpy()
    return Cell(
        accuracy=float(problems.mean()) if rounding == "exact" else rounded_mean(scores),
        stderr=float(problems.std(ddof=1) / np.sqrt(len(problems)))
        if len(problems) > 1
        else np.nan,
        n_problems=len(problems),
        n_samples=int(scores["sample"].nunique()),
        n_seeds=int(scores["seed"].nunique()),
    )


def mean_of_benchmarks(cells: list[Cell]) -> Cell:
    """The tables' last column: every benchmark has the same weight; benchmarks are independent."""
    return Cell(
        accuracy=float(np.mean([cell.accuracy for cell in cells])),
        stderr=float(np.sqrt(np.sum([cell.stderr**2 for cell in cells])) / len(cells)),
        n_problems=sum(cell.n_problems for cell in cells),
        n_samples=max(cell.n_samples for cell in cells),
        n_seeds=max(cell.n_seeds for cell in cells),
    )


def cells_by_benchmark(
    scores: pd.DataFrame, benchmarks: list[str], scoring: dict[str, str]
) -> dict[str, Cell]:
    """A cell for each benchmark, and `mean`, from one method's scores (all seeds).

    `scoring` is a study's: which grader's verdicts count, and how they are rounded.
    """
    if scoring["grader"] == "harness":
        scores = scores.assign(correct=scores["harness"])
    cells = {
        name: average_at_n(scores[scores["benchmark"] == name], scoring["rounding"])
        for name in benchmarks
    }
    return {**cells, "mean": mean_of_benchmarks(list(cells.values()))}


def read_scores(files: list[str]) -> pd.DataFrame:
    """The score files of one method, one for each training seed, as one table with a `seed`."""
    return pd.concat(
        [read_parquet(file).assign(seed=seed) for seed, file in enumerate(files)],
        ignore_index=True,
    )
