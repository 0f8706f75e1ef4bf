"""What a study has to train and decode, derived from its tables and figures.

A run is one model trained one way with one seed. Its name is a file name in results/<study>/:
`dft-seed0`, `sft-lr0.0002-seed0`, `dft-batch32-seed1`; the untrained model's is `base`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rectify.io import StepError
from rectify.study import Study
from rectify.study.rows import Source
from rectify.study.training import Pretraining, Training

BASE = "base"


@dataclass(frozen=True)
class Run:
    """One model, one method, one seed, and what differs from the study's training settings."""

    model: str
    method: str
    seed: int
    overrides: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """The run's file name, `{method}[-lr{x}][-batch{n}]-seed{n}`."""
        labels = {"learning_rate": "lr", "batch_size": "batch"}
        differing = "".join(f"-{labels[key]}{value:g}" for key, value in self.overrides)
        return f"{self.method}{differing}-seed{self.seed}"


def runs_of(
    study: Study, model: str, methods: list[str], seeds: list[int] | None = None, **overrides: Any
) -> list[Run]:
    """The trained runs of some methods (`base` has none), for each seed.

    An override that equals the study's own setting is none: the run is the study's own.
    """
    found = []
    for method in methods:
        if method == BASE:
            continue
        default = study.training_of(model, method)
        differing = tuple((k, v) for k, v in overrides.items() if getattr(default, k) != v)
        found += [Run(model, method, seed, differing) for seed in seeds or study.seeds]
    return found


def all_runs(study: Study) -> dict[tuple[str, str], Run]:
    """Every run that a table or a figure needs, by (model, run name)."""
    found: list[Run] = []
    for table in study.tables.values():
        for model in table.models or study.models:
            found += runs_of(study, model, table.methods)
    found += curve_runs(study)
    if figure := study.figures.figure2:
        for model in figure.models or study.models:
            found += runs_of(study, model, figure.methods, figure.seeds)
    if sweep := study.figures.figure3:
        for key, value in sweep.points():
            found += runs_of(study, sweep.model, sweep.methods, sweep.seeds, **{key: value})
    named: dict[tuple[str, str], Run] = {}
    for run in found:
        if named.setdefault((run.model, run.name), run) != run:
            raise StepError(f"two different runs of '{run.model}' would be called '{run.name}'")
    return named


def curve_runs(study: Study) -> list[Run]:
    """The runs whose checkpoints Figure 1 shows."""
    figure = study.figures.figure1
    return runs_of(study, figure.model, figure.methods, figure.seeds) if figure else []


def train_settings(study: Study, model: str, name: str) -> dict[str, Any]:
    """All that decides a run's training, for `rectify.train --settings`.

    Raises StepError for a run that the study does not have.
    """
    runs = all_runs(study)
    if (model, name) not in runs:
        have = ", ".join(f"{model} {name}" for model, name in runs)
        raise StepError(f"study '{study.study}' has no run '{model} {name}'; it has {have}")
    run = runs[model, name]
    in_curve = run in curve_runs(study)
    return {
        "objective": study.methods[run.method].objective,
        "parameters": study.methods[run.method].parameters,
        "seed": run.seed,
        "prompt": study.models[model].train_prompt,
        "checkpoints": study.figures.figure1.checkpoints if in_curve else [],
        **study.training_of(model, run.method, **dict(run.overrides)).model_dump(mode="json"),
    }


def count_rows(study: Study, training: Training) -> int:
    """Rows that a training sees, each as often as it does; 0 if the study names no number."""
    if training.steps:
        return training.steps * training.batch_size
    return int(training.epochs * (study.data.rows or 0))


def initialise_settings(study: Study, model: str) -> dict[str, Any]:
    """All that decides a miniature's first weights, for `rectify.initialise --settings`."""
    pretraining = study.models[model].pretrain
    if pretraining is None:
        raise StepError(f"models.{model} is not pretrained; it comes from a path")
    return {
        "seed": study.seed,
        **pretraining.model_dump(mode="json", include={"architecture", "shape", "vocabulary"}),
    }


def pretrain_settings(study: Study, model: str) -> dict[str, Any]:
    """All that decides a miniature's pretraining, for `rectify.train --settings`."""
    pretraining = study.models[model].pretrain
    if pretraining is None:
        raise StepError(f"models.{model} is not pretrained; it comes from a path")
    return {
        "objective": "sft",
        "parameters": {},
        "seed": study.seed,
        "prompt": study.models[model].train_prompt,
        "checkpoints": [],
        **pretraining.training.model_dump(mode="json"),
    }


def decode_settings(study: Study, model: str) -> dict[str, Any]:
    """All that decides a model's decoding, for `rectify.decode --settings`."""
    return {
        "seed": study.seed,
        "prompt": study.models[model].eval_prompt,
        **study.decoding.model_dump(mode="json", exclude={"shards"}),
    }


def fetch_settings(study: Study, model: str) -> dict[str, Any]:
    """Where a base model comes from, for `rectify.fetch --settings`."""
    return study.models[model].model_dump(mode="json", include={"path", "revision"})


def check_settings(study: Study, model: str) -> dict[str, Any]:
    """What a base model has to bear, for `rectify.check --settings`."""
    own = study.models[model]
    trainings = [
        study.training_of(model, run.method, **dict(run.overrides))
        for run in all_runs(study).values()
        if run.model == model
    ]
    return {
        "train_prompt": own.train_prompt,
        "eval_prompt": own.eval_prompt,
        "max_length": max((training.max_length for training in trainings), default=1),
        "batch_size": max((training.batch_size for training in trainings), default=1),
    }


def histogram_settings(study: Study, model: str) -> dict[str, Any]:
    """How Figure 2 reads the training set, for `rectify.histogram --settings`."""
    training = study.training.model_copy(update=study.models[model].training).model_dump(
        mode="json"
    )
    kept = {key: training[key] for key in ("max_length", "micro_batch_size", "precision")}
    rows = study.figures.figure2.rows if study.figures.figure2 else None
    return {"prompt": study.models[model].train_prompt, "rows": rows, **kept}


def row_sources(study: Study) -> dict[str, tuple[str, Source]]:
    """Every file of rows, by its path below results/<study>/data: (path of its key, source)."""
    found: dict[str, tuple[str, Source]] = {"training": ("data", study.data)}
    for name, model in study.models.items():
        if model.pretrain:
            found[f"pretraining/{name}"] = (f"models.{name}.pretrain.data", model.pretrain.data)
    for name, benchmark in study.benchmarks.items():
        found[f"benchmarks/{name}"] = (f"benchmarks.{name}", benchmark)
    return found


def sample_settings(study: Study, rows: str) -> dict[str, Any]:
    """All that decides a file of rows, for `rectify.sample --settings`."""
    _, source = row_sources(study)[rows]
    kept = source.model_dump(mode="json", exclude={"title", "published"}, exclude_none=True)
    return {"rows_of": rows, "seed": study.seed, **kept}


# by step; each takes the study and the names of what the step makes
SETTINGS: dict[str, Callable[..., dict[str, Any]]] = {
    "sample": sample_settings,
    "initialise": initialise_settings,
    "pretrain": pretrain_settings,
    "fetch": fetch_settings,
    "check": check_settings,
    "train": train_settings,
    "decode": decode_settings,
    "histogram": histogram_settings,
}


def local_file(study: Study, rows: str) -> str | None:
    """The local file behind a file of rows, or None if it comes from elsewhere."""
    _, source = row_sources(study)[rows]
    if source.file is None or "://" in source.file:
        return None
    return str(Path(study.data_dir) / source.file)


def check_files(study: Study) -> None:
    """Raise StepError, naming the key, for a local file or model folder that is not there."""
    for rows, (key, _) in row_sources(study).items():
        file = local_file(study, rows)
        if file and not Path(file).is_file():
            raise StepError(
                f"{key}.file: no such file: {file}; data_dir is '{study.data_dir}' "
                "(make DATA=FOLDER, or snakemake --config data_dir=FOLDER)"
            )
    for name, model in study.models.items():
        if model.path and not model.revision and not Path(model.path).is_dir():
            raise StepError(
                f"models.{name}.path: no such folder: {model.path}; "
                "a model on the hub needs `revision`"
            )


def check_runs(study: Study, published: Path) -> None:
    """Raise StepError, naming the key, for what can be known to fail before anything is run.

    `published` is the CSV of the paper's numbers, which names models and benchmarks may refer to.
    """
    for model, block in study.models.items():
        if block.pretrain:
            key = f"models.{model}.pretrain"
            own = block.pretrain
            check_training(own.training, f"{key}.training", f"'{model}'", f"{key}.data", own.data)
            check_context(own.training, f"{key}.training", model, own)
    for (model, name), run in all_runs(study).items():
        training = study.training_of(model, run.method, **dict(run.overrides))
        check_training(training, "training", f"'{model} {name}'", "data", study.data)
        if own := study.models[model].pretrain:
            check_context(training, "training", model, own)
        rows = count_rows(study, training)
        if run in curve_runs(study) and rows:
            steps = rows // training.batch_size
            late = [step for step in study.figures.figure1.checkpoints if step >= steps]
            if late:
                raise StepError(
                    f"figures.figure1.checkpoints: {late[0]} is not before the last step, {steps}"
                )
    check_published(study, published)


def check_training(training: Training, key: str, what: str, data_key: str, data: Source) -> None:
    """Raise StepError if a training has not the rows for one batch."""
    if data.rows and data.rows < training.batch_size:
        raise StepError(
            f"{key}.batch_size is {training.batch_size} for {what}, but {data_key}.rows is "
            f"{data.rows}"
        )


def check_context(training: Training, key: str, model: str, own: Pretraining) -> None:
    """Raise StepError if a miniature's rows may be longer than its context."""
    if training.max_length > own.shape.max_position_embeddings:
        raise StepError(
            f"{key}.max_length is {training.max_length}, but models.{model}.pretrain.shape."
            f"max_position_embeddings is {own.shape.max_position_embeddings}"
        )


def check_published(study: Study, published: Path) -> None:
    """Raise StepError for a model or benchmark that the paper's numbers do not have."""
    with published.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for kind, entries in (("model", study.models), ("benchmark", study.benchmarks)):
        known = sorted({row[kind] for row in rows})
        for name, entry in entries.items():
            if entry.published and entry.published not in known:
                raise StepError(
                    f"{kind}s.{name}.published: no {kind} '{entry.published}' in {published}; "
                    f"there are {', '.join(known)}"
                )
