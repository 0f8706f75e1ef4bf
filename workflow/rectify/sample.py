r"""Take rows from a source: pretraining text, training data or a benchmark's problems.

    python -m rectify.sample --settings SETTINGS --data-dir . \
        --out rows.parquet --counts rows.json

SETTINGS is JSON, or a file of it: a `data` or `benchmarks` block of a study, with the study's
`seed` and `rows_of` (`training`, `pretraining/MODEL` or `benchmarks/NAME`). Sources are the
synthetic world, a local or remote file (rectify.row_files), and a data set on the hub. Rows without
a text are dropped and counted; those with something else in its place are refused. Benchmark rows
come out as problem_id, problem, answer; the others as problem, solution, reward where the study
names a field for it, and answer where it says how a solution states it (`answer_after`).
"""

from __future__ import annotations

import argparse
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from rectify.boxed import boxed_answer
from rectify.cli import Settings, json_or_file, run_step, step_parser
from rectify.fields import gold_reader, numbers, texts
from rectify.io import StepError, write_json, write_parquet
from rectify.manifest import note_input
from rectify.row_files import exact_frame, read_file
from rectify.world import make_rows


def is_benchmark(settings: SimpleNamespace) -> bool:
    """Whether the rows are problems to be answered, not text to be trained on."""
    return settings.rows_of.startswith("benchmarks/")


def fields(settings: SimpleNamespace) -> set[str]:
    """The source's fields that the study names."""
    keys = ("problem", "solution", "reward", "answer")
    return {getattr(settings, key) for key in keys if getattr(settings, key, None)}


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
        return read_file(path, getattr(settings, "sha256", None), fields(settings)), path
    return read_hub(settings), settings.hub


def read_hub(settings: SimpleNamespace) -> pd.DataFrame:
    """Rows of a hub data set at its revision (or of a local folder of one).

    Raises StepError if it does not load, with its configurations where one has to be named.
    """
    import datasets

    if Path(settings.hub).is_dir():
        note_input(settings.hub)
    name, revision = (getattr(settings, key, None) for key in ("name", "revision"))
    try:
        data = datasets.load_dataset(
            settings.hub, name, revision=revision, split=settings.split
        ).with_format("arrow")
    except Exception as error:  # datasets and huggingface_hub raise dozens of classes
        if len(known := configurations(settings.hub, revision)) > 1 and name not in known:
            raise StepError(
                f"{settings.hub}: name one of its configurations in `name`: {', '.join(known)}"
            ) from error
        reason = " ".join(str(error).split())
        raise StepError(f"{settings.hub}: the data set does not load: {reason}") from error
    frame = exact_frame(data[:], fields(settings))
    if data.builder_name in ("json", "csv"):
        check_digits(frame, fields(settings) - {getattr(settings, "reward", None)}, settings.hub)
    return frame


def check_digits(frame: pd.DataFrame, names: set[str], where: str) -> None:
    """Raise StepError for a number that the datasets library may have rounded: it makes floats of
    a text file's numbers, and these hold 15 digits of any.
    """
    for name in sorted(names & set(frame)):
        for number, value in enumerate(frame[name], start=1):
            if isinstance(value, float) and len(Decimal(str(value)).as_tuple().digits) > 15:
                raise StepError(
                    f"{where}: row {number}: '{name}' is read as {value!r}, which may have lost "
                    "digits; name the data set's file in `file`, which is read to the last digit"
                )


def configurations(hub: str, revision: str | None) -> list[str]:
    """Names of a hub data set's configurations; none if it cannot be reached."""
    import datasets

    try:
        return datasets.get_dataset_config_names(hub, revision=revision)
    except Exception:  # as above; what went wrong before is said instead
        return []


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
    """Columns problem, solution; reward and answer where the study says how rows have them.

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
    if getattr(settings, "answer_after", None):
        rows["answer"] = rows["solution"].map(gold_reader(settings)[0])
    return rows[(rows["problem"].str.strip() != "") & (rows["solution"].str.strip() != "")]


def benchmark_rows(frame: pd.DataFrame, settings: SimpleNamespace, where: str) -> pd.DataFrame:
    """Columns problem_id (the row in the source), problem, answer.

    Raises StepError for a row without a problem or an answer: a benchmark loses none silently.
    """
    read_gold, missing = gold_reader(settings)
    rows = pd.DataFrame(
        {
            "problem_id": range(len(frame)),
            "problem": texts(frame, settings.problem, where),
            "answer": texts(frame, settings.answer, where).map(read_gold),
        }
    )
    for column, said in (("problem", "nothing in "), ("answer", missing or "nothing in ")):
        blank = rows.index[rows[column].str.strip() == ""]
        if len(blank):
            name = getattr(settings, column)
            raise StepError(f"{where}: row {blank[0] + 1} has no {column}: {said}'{name}'")
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
    if "solution" in chosen and "answer" in chosen:
        counts["without_answer"] = int((chosen["answer"] == "").sum())
    elif "solution" in chosen:
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
