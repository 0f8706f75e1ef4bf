"""Files: written to a temporary name and renamed, read with errors that name the file.

Nothing here knows what a study is; every step uses it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class StepError(ValueError):
    """A step cannot go on: one line that names the file, key or row, and the remedy."""


def first_line(error: BaseException) -> str:
    """The first line of an exception's text, for one-line messages."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it takes `path`'s place, else it goes.

    Works for files and for folders: whichever the block creates under the temporary name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")  # one writer each: a rerun clears it away
    remove(temporary)
    try:
        yield temporary
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file at once or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON, indented and in the order given."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_parquet(path: str | Path, rows: Any) -> None:
    """Write a DataFrame, or a list of row dictionaries, as Parquet."""
    import pandas as pd

    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_parquet(path: str | Path, *columns: str) -> pd.DataFrame:
    """A Parquet file that has (at least) these columns, as a table.

    Raises StepError naming the file, or the column, that is missing.
    """
    import pandas as pd
    from pyarrow.fs import LocalFileSystem

    try:
        # a Python file, which pandas would open, is let go of in a thread of Arrow's: at the end of
        # a process that aborts it now and then. A path's parts `a=b` are not columns
        table = pd.read_parquet(path, filesystem=LocalFileSystem(), partitioning=None)
    except FileNotFoundError as error:
        raise StepError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # pyarrow's errors are among these
        raise StepError(f"{path}: not a Parquet file: {str(error).splitlines()[0]}") from error
    for column in columns:
        if column not in table:
            raise StepError(f"{path}: no column '{column}'; there are {', '.join(table)}")
    return table


def read_rows(file: str | Path) -> pd.DataFrame:
    """A file of training rows: columns problem, solution, and reward where rows have one."""
    return read_parquet(file, "problem", "solution")


def read_benchmarks(files: list[str]) -> pd.DataFrame:
    """Benchmark files as one table, each named by its file's stem."""
    import pandas as pd

    tables = [
        read_parquet(file, "problem_id", "problem", "answer").assign(benchmark=Path(file).stem)
        for file in files
    ]
    return pd.concat(tables, ignore_index=True)
