"""Scores without the problems that overlap with rows, by a list of `rectify find_overlaps`."""

from __future__ import annotations

import pandas as pd

from rectify.step.tables import read_csv

KEYS = ["benchmark", "problem_id"]
OVERLAPS = (*KEYS, "kind", "overlaps")  # the columns of such a list


def read_overlaps(file: str) -> pd.DataFrame:
    """The list; raises StepError if it cannot be read or lacks a column."""
    return read_csv(file, others=OVERLAPS)


def without(scores: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The scores of the problems that overlap with no row."""
    overlapping = pd.MultiIndex.from_frame(pairs.loc[pairs["overlaps"].astype(bool), KEYS])
    return scores[~pd.MultiIndex.from_frame(scores[KEYS]).isin(overlapping)]
