"""Files of rows as tables: JSONL, a JSON array, CSV or Parquet, gzipped or not, local or remote.

A number stays as the file writes it: it becomes text, an exact number, or what its column's type
holds, and never a float of another column's making.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import json
import os
import re
import tempfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rectify.step.errors import StepError, first_line
from rectify.step.manifest import note, note_input

if TYPE_CHECKING:
    import pyarrow

WANTED = "wanted is JSONL, a JSON array of objects, CSV (named .csv) or Parquet, gzipped or not"
ARRAY = re.compile(rb"\s*\[\s*[{\]]")  # how a JSON array of objects begins, or an empty one


def read_file(path: str, sha256: str | None, fields: Collection[str] | None = None) -> pd.DataFrame:
    """Rows of a file, local or remote; of a Parquet file's other columns than `fields` the names.

    Raises StepError if it cannot be read, has another checksum, is empty, or is none of the
    formats.
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
    frame = parse(path, content, fields)
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


def parse(path: str, content: bytes, fields: Collection[str] | None) -> pd.DataFrame:
    """A file's rows by its content, and by its name where the content does not tell."""
    name = path.removesuffix(".gz")
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise StepError(f"{path}: gzipped, but damaged: {first_line(error)}") from error
    content = content.removeprefix(codecs.BOM_UTF8)  # some editors write a mark first
    if name.endswith(".parquet") or content.startswith(b"PAR1"):
        return parse_parquet(path, content, fields)
    if name.endswith(".csv"):
        rows = parse_csv(path, content)
    else:
        rows = parse_array(path, content) if ARRAY.match(content) else parse_lines(path, content)
    return pd.DataFrame(list(rows), dtype=object)


def parse_parquet(path: str, content: bytes, fields: Collection[str] | None) -> pd.DataFrame:
    """The rows of a Parquet file."""
    from pyarrow import BufferReader
    from pyarrow.parquet import ParquetFile

    try:
        return exact_frame(ParquetFile(BufferReader(content)).read(), fields)
    except Exception as error:  # pyarrow's own exceptions
        raise StepError(f"{path}: not a Parquet file: {first_line(error)}") from error


def exact_frame(table: pyarrow.Table, fields: Collection[str] | None = None) -> pd.DataFrame:
    """An Arrow table as Python's own values: pandas makes floats of whole numbers beside a null.

    Columns other than `fields` are named, and empty: a set's chats may be larger than its rows.
    """
    import pyarrow as pa

    def values(name: str, column: pa.ChunkedArray) -> list[Any]:
        if fields is not None and name not in fields:
            return [None] * len(column)
        if column.type == pa.float32():  # 0.1 and not 0.10000000149: its own shortest digits
            column = column.cast(pa.string()).cast(pa.float64())
        return column.to_pylist()

    columns = zip(table.column_names, table.columns, strict=True)
    return pd.DataFrame({name: pd.Series(values(name, own), dtype=object) for name, own in columns})


def parse_json(text: bytes) -> Any:
    """JSON whose numbers are the text that they are written in; raises ValueError."""
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def parse_array(path: str, content: bytes) -> list[dict[str, Any]]:
    """The objects of a JSON array."""
    try:
        rows = parse_json(content)
    except ValueError as error:
        raise StepError(f"{path}: a JSON array that does not parse: {error}; {WANTED}") from error
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise StepError(f"{path}: row {number} of its JSON array is not an object")
    return rows


def parse_lines(path: str, content: bytes) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file; blank lines are skipped."""
    # not str.splitlines: JSON strings may hold other line separators, such as U+2028
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise StepError(f"{path}: line {number} is not JSON: {error}; {WANTED}") from error
        if not isinstance(row, dict):
            raise StepError(f"{path}: line {number} is not a JSON object; {WANTED}")
        yield row


def parse_csv(path: str, content: bytes) -> Iterator[dict[str, str]]:
    """The rows of a CSV file whose first line names the fields; every value is text."""
    try:
        lines = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        for row in lines:
            if None in row or None in row.values():
                raise StepError(
                    f"{path}: the row that ends at line {lines.line_num} has not the "
                    f"{len(lines.fieldnames)} fields of the first line"
                )
            yield row
    except (UnicodeDecodeError, csv.Error) as error:
        raise StepError(f"{path}: not CSV in UTF-8: {error}") from error
