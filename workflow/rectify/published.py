"""The paper's printed numbers: config/published.csv, one line for each cell of its tables."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pandas as pd

from rectify.io import StepError

COLUMNS = ("table", "model", "method", "setting", "benchmark", "accuracy")


def read_printed(path: str | Path, columns: tuple[str, ...], number: str) -> pd.DataFrame:
    """A CSV of printed numbers with their digits kept: texts, and Decimals in column `number`.

    Raises StepError naming the file and the row or column at fault.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:  # pandas's errors are among these
        raise StepError(f"{path}: cannot be read as CSV: {error}") from error
    for column in columns:
        if column not in table:
            raise StepError(f"{path}: no column '{column}'; there are {', '.join(table)}")
    values = []
    for line, text in enumerate(table[number], start=2):
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            raise StepError(
                f"{path}: line {line}: {number} '{text}' is no number; write it as 1.23"
            )
        values.append(value)
    return table.assign(**{number: values})


def published_value(published: pd.DataFrame, **key: Any) -> float | None:
    """The paper's number for a cell, or None; `key` names columns of config/published.csv."""
    rows = published
    for column, value in key.items():
        rows = rows[rows[column] == value]
    return float(rows["accuracy"].iloc[0]) if len(rows) else None
