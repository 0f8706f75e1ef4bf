r"""Take rows from a source: pretraining text, training data or a benchmark's problems.

    rectify sample_rows --settings SETTINGS --data-dir . \
        --out rows.parquet --counts rows.json

SETTINGS is a file of JSON: a `data` or `benchmarks` block of a study, with the study's
`seed` and `rows_of` (`training`, `mixed/NAME`, `pretraining/MODEL` or `benchmarks/NAME`); of
`data.mix` the shares alone, whose rows are in files of their own; and `unfit`, that of the training
on them, if it has one. Sources are the synthetic world, a local or remote file
(rectify.data.row_files), and a data set on the hub. Rows without a text are dropped, counted, and
the first of them named, or refused; those with something else in its place are refused, or dropped.
Benchmark rows come out as problem_id, problem, answer (and instruction, and row, the whole row as
JSON, where the study asks for them); the others as problem, solution, reward and behaviour_logp
where the study names fields for them, messages (JSON) where these are conversations, and answer
where it says how a solution states it (`answer_after`).
"""

from __future__ import annotations

import argparse
import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from rectify.data.conversations import conversation_rows
from rectify.data.fields import gold_reader, number_lists, numbers, texts
from rectify.data.mixing import mix
from rectify.data.rows import read_rows
from rectify.data.source import is_benchmark, read_source, source_settings
from rectify.grading.boxed import boxed_answer
from rectify.grading.choice import letter_of, options_of
from rectify.step.command import settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_json
from rectify.step.manifest import note
from rectify.step.tables import write_parquet

NAMED = 3  # rows in a message


def pick(frame: pd.DataFrame, settings: SimpleNamespace, where: str) -> pd.DataFrame:
    """`rows` rows, at random or the first; all if no number is given."""
    wanted = settings.rows or len(frame)
    if wanted > len(frame):
        raise StepError(f"{where}: has {len(frame)} usable rows, but {wanted} are asked for")
    if settings.pick == "first" or wanted == len(frame):
        return frame.head(wanted)
    chosen = np.random.default_rng(settings.seed).choice(len(frame), wanted, replace=False)
    return frame.iloc[chosen]


def only(frame: pd.DataFrame, wanted: dict, where: str) -> pd.DataFrame:
    """Those of a source's rows whose fields have the values that are wanted; the others may be of
    any kind.
    """
    for name, value in wanted.items():
        frame = frame[texts(frame, name, where) == str(value)]
    return frame


def training_rows(frame: pd.DataFrame, settings: SimpleNamespace, where: str) -> pd.DataFrame:
    """Columns problem, solution; messages, reward, behaviour_logp and answer where the study says
    how rows have them. A conversation gives a row for each answer that is trained on.

    Rows without a problem or a solution are left out; none may be without a reward, or a
    log-probability. Raises StepError for those that are left out if the study refuses unfit rows.
    """
    if settings.messages:
        rows, unfit = conversation_rows(frame, settings, where)
        named = "; ".join([f"row {row + 1}: {why}" for row, why in unfit.items()][:NAMED])
        said = f"rows whose '{settings.messages}' cannot be trained on"
    else:
        rows, unfit = problem_rows(frame, settings, where)
        named = f"row {', '.join(str(row + 1) for row in unfit[:NAMED])}"
        said = "rows without a problem or a solution"
    for column, read in (("reward", numbers), ("behaviour_logp", number_lists)):
        if name := getattr(settings, column):
            rows[column] = read(frame, name, where).loc[rows.index].to_numpy()
    if settings.answer_after:
        rows["answer"] = rows["solution"].map(gold_reader(settings)[0])
    if unfit:
        more = ("; ..." if settings.messages else ", ...") if len(unfit) > NAMED else ""
        said = f"{where}: {len(unfit)} {said} ({named}{more})"
        if settings.unfit == "refuse":
            raise StepError(f"{said}; mend them, or say training.unfit: drop")
        note(dropped={"rows": len(unfit), "first": [str(row + 1) for row in [*unfit][:NAMED]]})
        print(f"dropped: {said}")
    return rows


def problem_rows(
    frame: pd.DataFrame, settings: SimpleNamespace, where: str
) -> tuple[pd.DataFrame, list[int]]:
    """Columns problem, solution of the rows that have both; and which rows have not."""
    drop = settings.unfit == "drop"
    rows = pd.DataFrame(
        {
            "problem": texts(frame, settings.problem, where, drop),
            "solution": texts(frame, settings.solution, where, drop),
        }
    )
    blank = (rows["problem"].str.strip() == "") | (rows["solution"].str.strip() == "")
    return rows[~blank].copy(), rows.index[blank].tolist()


def benchmark_rows(frame: pd.DataFrame, settings: SimpleNamespace, where: str) -> pd.DataFrame:
    """Columns problem_id (the row in the source), problem, answer.

    Raises StepError for a row without a problem or an answer: a benchmark loses none silently.
    Column instruction where the study gives one; row, JSON, where a grader reads it.
    """
    read_gold, missing = gold_reader(settings)
    rows = pd.DataFrame(
        {
            "problem_id": frame.index,
            "problem": texts(frame, settings.problem, where),
            "answer": texts(frame, settings.answer, where).map(read_gold),
        }
    )
    for column, said in (("problem", "nothing in "), ("answer", missing or "nothing in ")):
        blank = rows.index[rows[column].str.strip() == ""]
        if len(blank):
            name = getattr(settings, column)
            raise StepError(f"{where}: row {blank[0] + 1} has no {column}: {said}'{name}'")
    if settings.instruction is not None:
        rows["instruction"] = settings.instruction
    if settings.rows_for:  # choice, or function
        rows["row"] = whole_rows(frame, rows["answer"], settings.rows_for, where)
    return rows


def whole_rows(frame: pd.DataFrame, golds: pd.Series, reader: str, where: str) -> list[str]:
    """The source's rows as JSON, for a grader that reads them.

    Raises StepError, naming the row, where `choice` finds no options or a gold that is none of
    them.
    """
    kept = []
    records = frame.to_dict("records")
    for number, row, gold in zip(frame.index + 1, records, golds, strict=True):
        said = {key: None if value != value else value for key, value in row.items()}  # NaN: none
        line = json.dumps(said, ensure_ascii=False, default=as_plain)
        if reader == "choice":
            try:
                options = options_of(json.loads(line))
            except ValueError as error:
                raise StepError(f"{where}: row {number} {error}; list them in the file") from error
            if letter_of(gold, options) is None:
                raise StepError(
                    f"{where}: row {number}: its answer '{gold}' is no letter of an option"
                    f"{', nor the text of one' if options else ''}; repair the row"
                )
        kept.append(line)
    return kept


def as_plain(value: Any) -> Any:
    """What JSON has for a value of a table that it has no word for."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.tolist() if hasattr(value, "tolist") else str(value)  # numpy's; dates


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = source_settings(arguments.settings)
    frame, where = read_source(settings, arguments.data_dir)
    make = benchmark_rows if is_benchmark(settings) else training_rows
    wanted = only(frame, settings.only or {}, where)
    if wanted.empty and len(frame):
        raise StepError(f"{where}: no row of {settings.only} in it; see `only`")
    usable = make(wanted, settings, where)
    if usable.empty:
        raise StepError(f"{where}: no usable row in it")
    chosen = pick(usable, settings, where).reset_index(drop=True)
    mixed = {}
    if settings.mix:
        others = {Path(file).stem: read_rows(file) for file in arguments.mixed}
        chosen, mixed = mix(chosen, others, settings.mix, settings.seed)
    write_parquet(arguments.out, chosen)
    counts = {
        "source": where,
        "rows": len(frame),
        "dropped_unusable": len(wanted) - usable.index.nunique(),
        "taken": len(chosen) - sum(mixed.values()),
    }
    if settings.messages:
        counts["answers"] = len(usable)
    if settings.only:
        counts["left_out"] = len(frame) - len(wanted)
    if mixed:
        counts["mixed_in"] = mixed
    if "solution" in chosen and "answer" in chosen:
        counts["without_answer"] = int((chosen["answer"] == "").sum())
    elif "solution" in chosen:
        counts["without_boxed_answer"] = int(sum(not boxed_answer(t) for t in chosen["solution"]))
    write_json(arguments.counts, counts)
    print(", ".join(f"{key} {value}" for key, value in counts.items()))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("sample_rows", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--data-dir", default=".", help="folder that file names start from")
    options.add_argument("--mixed", nargs="*", default=[], help="rows to mix in, NAME.parquet each")
    options.add_argument("--out", required=True, help="Parquet file to write")
    options.add_argument("--counts", required=True, help="JSON file of counts to write")
    return options
