"""The five benchmark files' golds, read in place (never copied)."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

NAMES = ("math_oai", "minerva_math", "olympiadbench", "aime24", "amc23")


def data_folder() -> Path | None:
    """$RECTIFY_DATA, else ../shared/data beside the repository; None where neither has the
    files.
    """
    root = Path(__file__).resolve().parents[2]
    folders = [os.environ.get("RECTIFY_DATA"), root.parent / "shared" / "data"]
    present = [Path(f) for f in folders if f and (Path(f) / "math_oai.jsonl").exists()]
    return present[0] if present else None


def golds() -> Iterator[tuple[str, int, str]]:
    """(benchmark, row, gold) of every row, the gold being the raw string of the file."""
    from rectify.grading.boxed import boxed_answer

    folder = data_folder()
    for name in NAMES if folder else ():
        lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(filter(str.strip, lines)):
            row = json.loads(line)
            if name == "olympiadbench":
                gold = row["final_answer"][0]
            elif name == "minerva_math":
                gold = boxed_answer(row["solution"])
            else:
                gold = str(row["answer"])
            yield name, number, gold
