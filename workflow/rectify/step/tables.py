"""Tables in files, CSV and Parquet, read with care: nothing in them is taken for what it is not."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rectify.step.errors import StepError, first_line
from rectify.step.files import replacing

if TYPE_CHECKING:  # a second of a step's start, which some that import this do without
    import pandas as pd


def read_csv(
    file: str | Path,
    words: tuple[str, ...] = (),
    numbers: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
    **options: Any,
) -> pd.DataFrame:
    """A CSV file with (at least) these columns, of words, of numbers, and others as they are read.

    `options` are pandas's. Raises StepError naming the file, and the column or the line that does
    not fit.
    """
    import pandas as pd

    try:
        table = pd.read_csv(file, **({"dtype": dict.fromkeys(words, str)} | options))
    except OSError as error:
        raise StepError(f"{file}: {error.strerror or first_line(error)}") from error
    except ValueError as error:
        raise StepError(f"{file}: cannot be read as CSV: {first_line(error)}") from error
    for column in (*words, *numbers, *others):
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


def read_texts(file: str | Path) -> pd.DataFrame:
    """A CSV file as text, as it is printed; raises StepError if it cannot be read."""
    return read_csv(file, dtype=str, keep_default_na=False)


def known(value: Any) -> float | None:
    """A number, or None where there is none."""
    import pandas as pd

    return None if value is None or pd.isna(value) else float(value)


def write_parquet(path: str | Path, rows: Any) -> None:
    """Write a DataFrame, or a list of row dictionaries, as Parquet."""
    import pandas as pd

    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)


@contextlib.contextmanager
def parquet_named(path: str | Path) -> Iterator[None]:
    """Raise StepError naming the file that is not there, or no Parquet, where Arrow opens it."""
    try:
        yield
    except FileNotFoundError as error:
        raise StepError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # pyarrow's errors are among these
        raise StepError(f"{path}: not a Parquet file: {first_line(error)}") from error


def read_parquet(
    path: str | Path, *columns: str, only: Collection[str] | None = None
) -> pd.DataFrame:
    """A Parquet file that has (at least) these columns, as a table; of its columns `only` some.

    Raises StepError naming the file, or the column, that is missing.
    """
    import pandas as pd
    from pyarrow.fs import LocalFileSystem
    from pyarrow.parquet import read_schema

    with parquet_named(path):
        there = read_schema(path).names
        read = None if only is None else [column for column in there if column in only]
        # a Python file, which pandas would open, is let go of in a thread of Arrow's: at the end of
        # a process that aborts it now and then. A path's parts `a=b` are not columns
        table = pd.read_parquet(path, columns=read, filesystem=LocalFileSystem(), partitioning=None)
    for column in columns:
        if column not in table:
            raise StepError(f"{path}: no column '{column}'; there are {', '.join(there)}")
    return table
