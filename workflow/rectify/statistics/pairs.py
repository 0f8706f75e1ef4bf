"""Two methods' scores on a benchmark, paired by problem and by training seed."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from rectify.statistics.accuracy import UNSEEDED, outcomes
from rectify.step.errors import StepError


class Pair(NamedTuple):
    """One benchmark's differences, first method - second method, problems in order.

    `differences`: of a problem's accuracy from each training seed, [problems, seeds], -1 to 1.
    `steps`: their means over the seeds in whole multiples of 1 / `scale`, [problems].
    `seeds`: of the first and of the second method.
    """

    differences: np.ndarray
    steps: np.ndarray
    scale: int
    seeds: tuple[int, int]


def in_common(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two methods' scores from the training seeds that both have.

    A model without a seed goes with all of the other's. Raises StepError if there is no such seed.
    """
    one, two = set(first["seed"]), set(second["seed"])
    if UNSEEDED in one | two:
        return first, second
    if not one & two:
        raise StepError(
            f"comparison: training seeds {sorted(one)} and {sorted(two)}: none in common; train "
            "both methods from the same base models"
        )
    shared = [*(one & two)]
    return first[first["seed"].isin(shared)], second[second["seed"].isin(shared)]


def check_paired(problems: pd.Index, others: pd.Index) -> None:
    """Raise StepError unless two methods have answered the same problems, and several."""
    if not problems.equals(others):
        odd = problems.symmetric_difference(others)
        raise StepError(
            f"comparison: {len(odd)} problems, such as '{odd[0]}', were answered by one method "
            "only; decode both on the same problems"
        )
    if len(problems) < 2:
        raise StepError("comparison: one problem is too few for an interval; decode at least 2")


def paired(first: pd.DataFrame, second: pd.DataFrame) -> Pair:
    """Pair one benchmark's scores of two methods by problem and by training seed.

    Raises StepError if the methods did not answer the same problems, or have no seed in common.
    """
    (problems, one), (others, two) = map(outcomes, in_common(first, second))
    check_paired(problems, others)
    answers = [outcome[0].size for outcome in (one, two)]
    scale = math.lcm(*answers)
    right = [outcome.sum(axis=(1, 2, 3)).astype(int) for outcome in (one, two)]
    steps = right[0] * (scale // answers[0]) - right[1] * (scale // answers[1])
    differences = one.mean(axis=(2, 3)) - two.mean(axis=(2, 3))  # one seed goes with every seed
    return Pair(differences, steps, scale, (one.shape[1], two.shape[1]))
