"""Other rows among those that are trained on: how many there are, and which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rectify.step.errors import StepError

if TYPE_CHECKING:
    import pandas as pd


def mixed_in(rows: int, shares: Mapping[str, float]) -> dict[str, int]:
    """How many rows each share of the whole is, by name, where `rows` are the rest of it."""
    rest = 1 - sum(shares.values())
    return {name: round(rows * share / rest) for name, share in shares.items()}


def mix(
    rows: pd.DataFrame, others: Mapping[str, pd.DataFrame], shares: Mapping[str, float], seed: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows with other rows behind them, drawn by seed, and how many of each there are, by name.

    Raises StepError, naming the key, where there are fewer than their share asks for, or where one
    kind of rows has a column, such as a reward, that another has not.
    """
    import numpy as np
    import pandas as pd

    counts = mixed_in(len(rows), shares)
    parts = [rows]
    for index, (name, wanted) in enumerate(counts.items()):
        other = others[name]
        if wanted > len(other):
            raise StepError(
                f"data.mix.{name}: has {len(other)} rows, but its share of {shares[name]:g} beside "
                f"{len(rows)} rows is {wanted}"
            )
        if differing := sorted(set(rows) ^ set(other)):
            raise StepError(
                f"data.mix.{name}: '{differing[0]}' is in some of the rows alone; name its field "
                "in both, or in none"
            )
        chosen = np.random.default_rng([seed, index]).choice(len(other), wanted, replace=False)
        parts.append(other.iloc[np.sort(chosen)])
    return pd.concat(parts, ignore_index=True), counts
