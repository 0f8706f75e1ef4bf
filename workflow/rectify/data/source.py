"""Where rows come from: the synthetic world, a file, or a data set on the hub."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from rectify.data.row_files import exact_frame, read_file
from rectify.data.world import make_rows
from rectify.step.command import Settings
from rectify.step.errors import StepError
from rectify.step.manifest import note_input

LEFT_OUT = (  # keys that a study may leave out, and whose nulls its settings leave out
    "world", "file", "sha256", "name", "revision", "only", "rows", "solution", "messages",
    "loss_on", "reward", "behaviour_logp", "mix", "unfit", "answer", "boxed", "answer_after",
    "instruction", "rows_for",
)  # fmt: skip


def source_settings(given: dict[str, Any]) -> Settings:
    """A source's settings, with None for what the study leaves out."""
    return Settings(**{**dict.fromkeys(LEFT_OUT), **given})


def is_benchmark(settings: SimpleNamespace) -> bool:
    """Whether the rows are problems to be answered, not text to be trained on."""
    return settings.rows_of.startswith("benchmarks/")


def fields(settings: SimpleNamespace) -> set[str] | None:
    """The source's fields that are read: those that the study names, or, None, all for a grader."""
    return None if settings.rows_for else named(settings)


def named(settings: SimpleNamespace) -> set[str]:
    """The source's fields that the study names."""
    texts = ("messages",) if settings.messages else ("problem", "solution", "answer")
    keys = (*texts, "reward", "behaviour_logp")
    own = {getattr(settings, key) for key in keys if getattr(settings, key)}
    return own | set(settings.only or ())


def read_source(settings: SimpleNamespace, data_dir: str) -> tuple[pd.DataFrame, str]:
    """All rows of the source, and what to call it in messages."""
    if settings.world:
        rows = make_rows(
            f"{settings.seed}/{settings.rows_of}",
            settings.rows,
            settings.world["voice"],
            tuple(settings.world["steps"]),
            settings.world["wrong"],
            held_out=is_benchmark(settings) or settings.rows_of == "retention",
            topic=settings.world["topic"],
        )
        return pd.DataFrame(rows), "the synthetic world"
    if settings.file:
        remote = "://" in settings.file
        path = settings.file if remote else str(Path(data_dir) / settings.file)
        return read_file(path, settings.sha256, fields(settings)), path
    return read_hub(settings), settings.hub


def read_hub(settings: SimpleNamespace) -> pd.DataFrame:
    """Rows of a hub data set at its revision (or of a local folder of one).

    Raises StepError if it does not load, with its configurations where one has to be named.
    """
    import datasets

    if Path(settings.hub).is_dir():
        note_input(settings.hub)
    name, revision = settings.name, settings.revision
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
        check_digits(frame, named(settings) - {settings.reward}, settings.hub)
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
