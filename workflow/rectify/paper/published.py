"""The paper's printed numbers: config/published.csv, one line for each cell of its tables."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rectify.step.errors import StepError, first_line

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("table", "model", "method", "setting", "benchmark", "accuracy")


def printed_rows(path: str | Path, columns: tuple[str, ...], number: str) -> list[dict[str, Any]]:
    """The rows of a CSV of printed numbers: texts, and Decimals in column `number`.

    Without pandas, so that Snakemake can check them at its start. Raises StepError naming the file
    and the row or column at fault.
    """
    rows = []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, restval="")
            for column in columns:
                if column not in (header := reader.fieldnames or ["none"]):
                    raise StepError(f"{path}: no column '{column}'; there are {', '.join(header)}")
            for row in reader:
                where = f"{path}: line {reader.line_num}"
                if None in row:
                    raise StepError(f"{where}: more fields than there are columns; quote commas")
                rows.append(row | {number: decimal(row[number], where, number)})
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StepError(f"{path}: cannot be read as CSV: {first_line(error)}") from error
    return rows


def decimal(text: str, where: str, column: str) -> Decimal:
    """A printed number with its digits kept; raises StepError if it is none."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise StepError(f"{where}: {column} '{text}' is no number; write it as 1.23")
    return value


def read_printed(path: str | Path, columns: tuple[str, ...], number: str) -> pd.DataFrame:
    """`printed_rows` as a table; raises StepError as it does."""
    import pandas as pd

    rows = printed_rows(path, columns, number)
    return pd.DataFrame(rows, columns=None if rows else list(columns))


def published_value(published: pd.DataFrame, **key: Any) -> float | None:
    """The paper's number for a cell, or None; `key` names columns of config/published.csv."""
    rows = published
    for column, value in key.items():
        rows = rows[rows[column] == value]
    return float(rows["accuracy"].iloc[0]) if len(rows) else None


PROBLEMS = {"math500": 500, "minerva_math": 272, "olympiadbench": 675, "aime24": 30, "amc23": 40}
