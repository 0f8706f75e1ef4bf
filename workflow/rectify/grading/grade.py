"""Grade anybody's rows.

    rectify grade IN.jsonl OUT.jsonl

IN has one JSON object per line with `gold` and `response` (and, if it has them, `benchmark` and
`problem`); OUT has the same rows with `answer`, `corrected`, `harness` and `status` added. A bad
line ends the run with exit code 2, the rows before it being kept.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rectify.grading.pool import check_environment, iter_grades
from rectify.grading.statuses import status_note


class BadInputError(Exception):
    """One line for the user: what is wrong where, and what to do."""


def read_rows(path: Path) -> Iterator[dict]:
    """The rows of a JSON-lines file. Raises BadInputError naming the row (from 1) that is none."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror.lower()}; give a JSON-lines file") from None
    with file:
        for number, line in enumerate(_lines(file, path), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig"))  # some editors write a mark first
            except (ValueError, RecursionError):
                raise BadInputError(
                    f"{path} row {number}: not JSON in UTF-8; repair or remove the line"
                ) from None
            yield checked(row, f"{path} row {number}")


def _lines(file, path: Path) -> Iterator[bytes]:  # noqa: ANN001
    try:
        yield from file
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror.lower()}; give a JSON-lines file") from None


def checked(row: object, where: str) -> dict:
    """`row` if it can be graded, else BadInputError."""
    if not isinstance(row, dict):
        raise BadInputError(f"{where}: not an object; give one with gold and response")
    for key in ("gold", "response"):
        if not isinstance(row.get(key), str):
            problem = "is no text" if key in row else "is missing"
            raise BadInputError(f"{where}: {key} {problem}; give it as a string")
    if not isinstance(row.get("benchmark"), str | None):
        raise BadInputError(f"{where}: benchmark is no text; give its name or leave it out")
    return row


def run(source: Path, target: Path, workers: int) -> str:
    """Grade `source` into `target`; returns the summary line.

    Raises BadInputError after the rows before
    the bad one have been graded and kept.
    """
    rows: list[dict] = []
    failure: list[BadInputError] = []

    def items() -> Iterator[tuple]:
        try:
            for row in read_rows(source):
                rows.append(row)
                yield (
                    row.get("benchmark"),
                    str(row.get("problem", "")),
                    row["gold"],
                    row["response"],
                )
        except BadInputError as error:
            failure.append(error)

    verdicts = []
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            for verdict in iter_grades(items(), workers, progress=True):
                row = rows[len(verdicts)] | {
                    "answer": verdict.answer,
                    "corrected": verdict.corrected,
                    "harness": verdict.harness,
                    "status": verdict.status,
                }
                rows[len(verdicts)] = {}
                file.write(json.dumps(row) + "\n")
                verdicts.append(verdict)
        if verdicts or not failure:
            os.replace(partial, target)
    except OSError as error:
        why = error.strerror.lower()
        raise BadInputError(f"{target}: {why}; give a file in a writable folder") from None
    finally:
        partial.unlink(missing_ok=True)
    if failure:
        raise failure[0]
    return summary(verdicts)


def summary(verdicts: list) -> str:
    """One line: rows, both verdicts, statuses."""
    total = max(len(verdicts), 1)
    right = {name: sum(getattr(v, name) for v in verdicts) for name in ("corrected", "harness")}
    shares = ", ".join(f"{name} {n} ({n / total:.2%})" for name, n in right.items())
    return f"{len(verdicts)} rows: {shares}; {status_note(Counter(v.status for v in verdicts))}"


def main(arguments: argparse.Namespace) -> None:
    """Run the command."""
    try:
        check_environment()
        print(run(arguments.source, arguments.target, max(arguments.workers, 1)))
    except (BadInputError, RuntimeError) as error:
        print(f"rectify grade: {error}", file=sys.stderr)
        sys.exit(2)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(
        prog="rectify grade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("source", metavar="IN.jsonl", type=Path)
    options.add_argument("target", metavar="OUT.jsonl", type=Path)
    options.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    return options
