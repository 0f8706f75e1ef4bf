"""A study's CSV files, read with care: nothing in them is taken for what it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from rectify.step.files import StepError, first_line


def read_csv(
    file: str | Path, words: tuple[str, ...] = (), numbers: tuple[str, ...] = (), **options: Any
) -> pd.DataFrame:
    """A CSV file with (at least) these columns, of words and of numbers; `options` are pandas's.

    Raises StepError naming the file, and the column or the line that does not fit.
    """
    try:
        table = pd.read_csv(file, **({"dtype": dict.fromkeys(words, str)} | options))
    except OSError as error:
        raise StepError(f"{file}: {error.strerror or first_line(error)}") from error
    except ValueError as error:
        raise StepError(f"{file}: cannot be read as CSV: {first_line(error)}") from error
    for column in (*words, *numbers):
        if column not in table:
            raise StepError(f"{file}: no column '{column}'; run the study again to make it anew")
    for column in numbers:
        values = pd.to_numeric(table[column], errors="coerce")
        if (wrong := values.isna() & table[column].notna()).any():
            raise StepError(
                f"{file}: line {wrong.argmax() + 2}: {column} '{table[column][wrong.argmax()]}' is "
                "no number; run the study again to make it anew"
            )
        table[column] = values
    return table


def known(value: Any) -> float | None:
    """A number, or None where there is none."""
    return None if value is None or pd.isna(value) else float(value)
