"""Files of rows, read: those that a model is trained on, and a benchmark's problems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rectify.step.tables import read_parquet

if TYPE_CHECKING:
    import pandas as pd


def read_rows(file: str | Path) -> pd.DataFrame:
    """A file of training rows: columns problem, solution; where rows have them, reward, and
    messages (JSON, the turns up to the solution).
    """
    return read_parquet(file, "problem", "solution")


def read_benchmarks(files: list[str]) -> pd.DataFrame:
    """Benchmark files as one table, each named by its file's stem.

    Columns problem_id, problem, answer, benchmark; where one of the files has them, instruction
    (None: the prompt style's own) and row (the source's as JSON, for graders that read it).
    """
    import pandas as pd

    tables = [
        read_parquet(file, "problem_id", "problem", "answer").assign(benchmark=Path(file).stem)
        for file in files
    ]
    found = pd.concat(tables, ignore_index=True)
    for column in {"instruction", "row"} & set(found):
        found[column] = found[column].astype(object).where(found[column].notna(), None)
    return found
