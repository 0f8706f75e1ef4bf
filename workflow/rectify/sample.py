r"""Take rows from a source: pretraining text, training data or a benchmark's problems.

    python -m rectify.sample --settings SETTINGS --data-dir . \
        --out rows.parquet --counts rows.json

SETTINGS is JSON, or a file of it: a `data` or `benchmarks` block of a study, with the study's
`seed` and `rows_of` (`training`, `pretraining/MODEL` or `benchmarks/NAME`). Sources are the
synthetic world, a local or remote JSONL or Parquet file, and a data set on the hub. Rows without a
usable text are dropped and counted. Benchmark rows come out as problem_id, problem, answer; the
others as problem, solution, and reward where the study names a field for it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from rectify.boxed import boxed_answer
from rectify.cli import Settings, json_or_file, run_step, step_parser
from rectify.io import StepError, write_json, write_parquet
from rectify.manifest import note, note_input
from rectify.world import make_rows


def is_benchmark(settings: SimpleNamespace) -> bool:
    """Whether the rows are problems to be answered, not text to be trained on."""
    return settings.rows_of.startswith("benchmarks/")


def read_source(settings: SimpleNamespace, data_dir: str) -> tuple[pd.DataFrame, str]:
    """All rows of the source, and what to call it in messages."""
    if getattr(settings, "world", None):
        rows = make_rows(
            f"{settings.seed}/{settings.rows_of}",
            settings.rows,
            settings.world["voice"],
            tuple(settings.world["steps"]),
            settings.world["wrong"],
            held_out=is_benchmark(settings),
            topic=settings.world["topic"],
        )
        return pd.DataFrame(rows), "the synthetic world"
    if getattr(settings, "file", None):
        remote = "://" in settings.file
        path = settings.file if remote else str(Path(data_dir) / settings.file)
        return read_file(path, getattr(settings, "sha256", None)), path
    return read_hub(settings), settings.hub


def read_file(path: str, sha256: str | None) -> pd.DataFrame:
    """Rows of a JSONL or Parquet file, local or remote.

    Raises StepError if it cannot be read, has another checksum, is empty, or has a row that is
    not a JSON object.
    """
    kept = cache() / sha256 if sha256 and "://" in path else None
    content = kept.read_bytes() if kept and kept.is_file() else b""
    found = hashlib.sha256(content).hexdigest()
    if kept is None or found != sha256:  # not kept yet, or damaged
        content = read_bytes(path)
        found = hashlib.sha256(content).hexdigest()
        if sha256 and found != sha256:
            raise StepError(f"{path}: its sha256 is {found}, but the study says {sha256}")
        if kept:
            keep(kept, content)
    note(source_sha256=found)
    if "://" not in path:
        note_input(path)
    if path.endswith(".parquet"):
        from pyarrow import BufferReader

        try:
            # no Python file: see rectify.io.read_parquet
            frame = pd.read_parquet(BufferReader(content))
        except Exception as error:  # pyarrow's own exceptions
            raise StepError(f"{path}: not a Parquet file: {error}") from error
    else:
        frame = pd.DataFrame(list(parse_lines(path, content)))
    if frame.empty:
        raise StepError(f"{path}: no rows in it")
    return frame


def keep(file: Path, content: bytes) -> None:
    """Write a file of the cache; two studies may be doing so at once, each under its own name.

    Raises StepError if the cache cannot be written to.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(content)
        os.replace(temporary.name, file)
    except OSError as error:
        raise StepError(
            f"{file}: {error.strerror.lower()}; set RECTIFY_CACHE to a folder that can be "
            "written to"
        ) from error


def cache() -> Path:
    """Where remote files are kept by their checksum, for all studies."""
    return Path(os.environ.get("RECTIFY_CACHE") or Path.home() / ".cache" / "rectify")


def read_bytes(path: str) -> bytes:
    """A file's content, remote ones tried three times; raises StepError if it cannot be read."""
    import fsspec
    from tenacity import Retrying, retry_if_not_exception_type, stop_after_attempt, wait_exponential

    tries = Retrying(
        stop=stop_after_attempt(3 if "://" in path else 1),
        wait=wait_exponential(),
        retry=retry_if_not_exception_type(FileNotFoundError),
        reraise=True,
    )

    def read() -> bytes:
        with fsspec.open(path, "rb") as file:
            return file.read()

    try:
        return tries(read)
    except Exception as error:  # OSError, and whatever the protocol's library raises
        raise StepError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error


def parse_lines(path: str, content: bytes) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file; blank lines are skipped."""
    # not str.splitlines: JSON strings may hold other line separators, such as U+2028
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise StepError(f"{path}: line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise StepError(f"{path}: line {number} is not a JSON object")
        yield row


def read_hub(settings: SimpleNamespace) -> pd.DataFrame:
    """Rows of a hub data set at its revision (or of a local folder of one)."""
    import datasets

    if Path(settings.hub).is_dir():
        note_input(settings.hub)
    try:
        data = datasets.load_dataset(
            settings.hub, revision=getattr(settings, "revision", None), split=settings.split
        )
    except Exception as error:  # datasets and huggingface_hub raise dozens of classes
        reason = " ".join(str(error).split())
        raise StepError(f"{settings.hub}: the data set does not load: {reason}") from error
    keys = ("problem", "solution", "reward", "answer")
    fields = {getattr(settings, key, None) for key in keys}
    return data.select_columns([c for c in data.column_names if c in fields]).to_pandas()


def field(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    """A column; raises StepError if there is none."""
    if name not in frame:
        raise StepError(f"{where}: no field '{name}'; there are {', '.join(map(str, frame))}")
    return frame[name]


def texts(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    """A column as text; a list of one is unwrapped. Raises StepError if there is none."""

    def text(value: Any) -> str:
        if isinstance(value, list | np.ndarray):
            value = value[0] if len(value) == 1 else None
        return "" if value is None or value != value else str(value)

    return field(frame, name, where).map(text)


def numbers(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    """A column as finite numbers; raises StepError naming the first row that has none."""

    def number(value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            return np.nan

    values = field(frame, name, where).map(number)
    if not (finite := np.isfinite(values)).all():
        row = finite.idxmin()
        raise StepError(f"{where}: row {row + 1} has no number in '{name}': {frame[name][row]!r}")
    return values


def pick(frame: pd.DataFrame, settings: SimpleNamespace, where: str) -> pd.DataFrame:
    """`rows` rows, at random or the first; all if no number is given."""
    wanted = getattr(settings, "rows", None) or len(frame)
    if wanted > len(frame):
        raise StepError(f"{where}: has {len(frame)} usable rows, but {wanted} are asked for")
    if settings.pick == "first" or wanted == len(frame):
        return frame.head(wanted)
    chosen = np.random.default_rng(settings.seed).choice(len(frame), wanted, replace=False)
    return frame.iloc[chosen]


def training_rows(frame: pd.DataFrame, settings: SimpleNamespace, where: str) -> pd.DataFrame:
    """Columns problem, solution, and reward where the study names a field for it.

    Rows without a problem or a solution are left out; none may be without a reward.
    """
    rows = pd.DataFrame(
        {
            "problem": texts(frame, settings.problem, where),
            "solution": texts(frame, settings.solution, where),
        }
    )
    if reward := getattr(settings, "reward", None):
        rows["reward"] = numbers(frame, reward, where)
    return rows[(rows["problem"].str.strip() != "") & (rows["solution"].str.strip() != "")]


def benchmark_rows(frame: pd.DataFrame, settings: SimpleNamespace, where: str) -> pd.DataFrame:
    """Columns problem_id (the row in the source), problem, answer.

    Raises StepError for a row without a problem or an answer: a benchmark loses none silently.
    """
    answers = texts(frame, settings.answer, where)
    if settings.boxed:
        answers = answers.map(lambda text: boxed_answer(text) or "")
    rows = pd.DataFrame(
        {
            "problem_id": range(len(frame)),
            "problem": texts(frame, settings.problem, where),
            "answer": answers,
        }
    )
    for column in ("problem", "answer"):
        blank = rows.index[rows[column].str.strip() == ""]
        if len(blank):
            raise StepError(f"{where}: row {blank[0] + 1} has no {column}")
    return rows


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    frame, where = read_source(settings, arguments.data_dir)
    make = benchmark_rows if is_benchmark(settings) else training_rows
    usable = make(frame, settings, where)
    if usable.empty:
        raise StepError(f"{where}: no usable row in it")
    chosen = pick(usable, settings, where).reset_index(drop=True)
    write_parquet(arguments.out, chosen)
    counts = {
        "source": where,
        "rows": len(frame),
        "dropped_unusable": len(frame) - len(usable),
        "taken": len(chosen),
    }
    if not is_benchmark(settings):
        counts["without_boxed_answer"] = int(sum(not boxed_answer(t) for t in chosen["solution"]))
    write_json(arguments.counts, counts)
    print(", ".join(f"{key} {value}" for key, value in counts.items()))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("sample", __doc__)
    options.add_argument("--settings", required=True, type=json_or_file, help="as JSON")
    options.add_argument("--data-dir", default=".", help="folder that file names start from")
    options.add_argument("--out", required=True, help="Parquet file to write")
    options.add_argument("--counts", required=True, help="JSON file of counts to write")
    return options


if __name__ == "__main__":
    run_step(main, parser())
