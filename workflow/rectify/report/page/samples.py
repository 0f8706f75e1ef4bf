"""The samples that the report's reader can browse: some problems of every cell, packed by row."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable
from typing import Any

import pandas as pd

from rectify.data.rows import read_benchmarks
from rectify.report.page.sections import key_of, title_of
from rectify.statistics.accuracy import graded
from rectify.step.errors import StepError
from rectify.step.tables import read_parquet

SAMPLES = 25_000  # in the page, at most (but one problem of each cell in any case)
LONGEST = 8_000  # characters of a response; the middle of a longer one is left out
KEYS = ["benchmark", "problem_id", "sample"]
SHOWN = ("answer", "status", "n_tokens", "finish_reason")  # of a score file


def pack(value: Any) -> str:
    """JSON, gzipped, in base64: the same value gives the same text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def shortened(text: str) -> str:
    """A response of at most about LONGEST characters: its beginning and its end."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


def answers(row: dict[str, Any], problems: pd.DataFrame, scoring: dict[str, str]) -> pd.DataFrame:
    """The samples of a row on these problems, a line for each: `correct` is the verdict that
    counts, `other` the other grader's.

    Raises StepError where the scores are not those of the samples.
    """
    wanted = problems[["benchmark", "problem_id"]]
    parts = [
        read_parquet(file, *KEYS, "text")[[*KEYS, "text"]].merge(wanted) for file in row["samples"]
    ]
    texts = pd.concat(parts)
    scores = read_parquet(row["scores"], *KEYS, "correct", "harness", *SHOWN)
    other = "correct" if scoring["grader"] == "harness" else "harness"
    scores = graded(scores.assign(other=scores[other]), scoring)
    joined = texts.merge(scores, on=KEYS, how="left", indicator="known")
    if (joined["known"] != "both").any() or len(joined) != len(texts):
        raise StepError(f"{row['scores']}: not the scores of {row['samples'][0]}; score them again")
    return joined.sort_values(KEYS)


def response(sample: Any) -> dict[str, Any]:
    """A sample as the page's script takes it."""
    return {
        "text": shortened(sample.text or ""),
        "answer": sample.answer,
        "right": bool(sample.correct),
        "other": bool(sample.other),
        "status": sample.status,
        "tokens": int(sample.n_tokens),
        "finish": sample.finish_reason,
    }


def packed_row(row: dict[str, Any], problems: pd.DataFrame, scoring: dict[str, str]) -> str:
    """A row's responses, packed: a list for each problem, by benchmark."""
    found: dict[str, dict[str, list[Any]]] = {}
    for sample in answers(row, problems, scoring).itertuples():
        of_benchmark = found.setdefault(sample.benchmark, {})
        of_benchmark.setdefault(str(sample.problem_id), []).append(response(sample))
    return pack(found)


def shown_problems(problems: pd.DataFrame, rows: int, samples: int) -> pd.DataFrame:
    """As many of each benchmark's first problems as keep the page to SAMPLES samples."""
    benchmarks = problems["benchmark"].nunique()
    return problems.groupby("benchmark", sort=False).head(
        max(SAMPLES // (rows * benchmarks * samples), 1)
    )


def browser(layout: dict[str, Any], missing: list[str]) -> dict[str, Any] | None:
    """The catalogue of rows and problems, and the packed rows; what is not there goes to `missing`.

    Raises StepError if the problems cannot be read.
    """
    every = read_benchmarks(layout["problems"])
    rows, packs, problems = [], [], None
    for row in layout["rows"]:
        try:
            if problems is None:
                scores = read_parquet(row["scores"], *KEYS)
                answered = every.merge(scores[KEYS[:2]].drop_duplicates())
                count = int(scores["sample"].nunique())
                problems = shown_problems(answered, len(layout["rows"]), count)
            packs.append(packed_row(row, problems, layout["scoring"]))
        except StepError as error:
            missing.append(f"Samples of {row['model_title']}, {title_of(row)}: {error}")
            continue
        rows.append({"key": "/".join(key_of(row)), "model": row["model_title"],
                     "method": title_of(row)})  # fmt: skip
    if problems is None:
        return None
    return {"rows": rows, "packs": packs, "problems": catalogue(problems), "all": len(every)}


def catalogue(problems: pd.DataFrame) -> dict[str, Iterable[dict[str, str]]]:
    """The problems by benchmark, with their texts and gold answers."""
    return {
        name: [
            {"id": str(row.problem_id), "problem": row.problem, "answer": row.answer}
            for row in group.itertuples()
        ]
        for name, group in problems.groupby("benchmark", sort=False)
    }
