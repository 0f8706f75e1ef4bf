"""What each step is given: all that decides its result, from the study, as plain JSON.

Snakemake hands these to the steps; a change of one reruns what it decides, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rectify.grading.graders import CHOICE, MATH, grader_file, needs_row
from rectify.jobs.runs import (
    BASE,
    Run,
    all_runs,
    base_names,
    checkpoints_of,
    kept_base,
    seed_of,
    trained_runs,
)
from rectify.step.errors import StepError
from rectify.study.methods import place_of
from rectify.study.rows import Source
from rectify.study.schema import Study

PRECHECK_ROWS = 500  # at most: one short forward pass


def train_settings(study: Study, model: str, name: str) -> dict[str, Any]:
    """All that decides a run's training, for `rectify train --settings`.

    Raises StepError for a run that the study does not have.
    """
    runs = trained_runs(study)
    if (model, name) not in runs:
        have = ", ".join(f"{model} {name}" for model, name in runs)
        raise StepError(f"study '{study.study}' has no run '{model} {name}'; it has {have}")
    return run_settings(study, runs[model, name])


def run_settings(study: Study, run: Run) -> dict[str, Any]:
    """The same for a run that is at hand: a study of many need not derive them all for each."""
    method = study.methods[run.method]
    kept = {"objective", "parameters"} if method.objective else {method.step}
    own = study.models[run.model]
    # what is drawn, or compared with what was drawn, answers the prompt that asks for a box
    prompt = own.train_prompt if method.objective else own.eval_prompt
    return {
        **method.model_dump(mode="json", include=kept),
        "seed": run.training_seed,
        "prompt": prompt,
        "checkpoints": checkpoints_of(study, run),
        **study.training_of(run.model, run.method, **dict(run.overrides)).model_dump(mode="json"),
    }


def initialise_settings(study: Study, model: str, base: str) -> dict[str, Any]:
    """All that decides a miniature's first weights, for `rectify initialise_model --settings`."""
    pretraining = study.models[model].pretrain
    if pretraining is None:
        raise StepError(f"models.{model} is not pretrained; it comes from a path")
    return {
        "seed": seed_of(base),
        **pretraining.model_dump(mode="json", include={"architecture", "shape", "vocabulary"}),
    }


def pretrain_settings(study: Study, model: str, base: str) -> dict[str, Any]:
    """All that decides a miniature's pretraining, for `rectify train --settings`."""
    pretraining = study.models[model].pretrain
    if pretraining is None:
        raise StepError(f"models.{model} is not pretrained; it comes from a path")
    return {
        "objective": "sft",
        "parameters": {},
        "seed": seed_of(base),
        "prompt": study.models[model].train_prompt,
        "checkpoints": [],
        **pretraining.training.model_dump(mode="json"),
    }


def decode_settings(study: Study, model: str) -> dict[str, Any]:
    """All that decides a model's decoding, for `rectify decode --settings`."""
    return {
        "seed": study.seed,
        "prompt": study.models[model].eval_prompt,
        **study.decoding.model_dump(mode="json", exclude={"shards"}),
    }


def question_settings(study: Study, model: str) -> dict[str, Any]:
    """The same for a model's own answers to the training questions."""
    own = {"problems": None, "samples": study.self_sampling.samples}
    return {**decode_settings(study, model), **own}


def answer_settings(study: Study) -> dict[str, Any]:
    """How many of those answers are kept, for `rectify keep_answers --settings`."""
    kept = study.self_sampling.model_dump(mode="json", include={"correct", "pairs"})
    return {"seed": study.seed, **kept}


def fetch_settings(study: Study, model: str, base: str = BASE) -> dict[str, Any]:
    """Where a base model (or, by a run's name, a ready checkpoint) comes from, for
    `rectify fetch_model --settings`.
    """
    if kept := kept_base(study, model, base):
        return {"path": str(kept), "revision": None}
    if run := None if base in base_names(study, model) else all_runs(study).get((model, base)):
        path, revision = place_of((study.methods[run.method].checkpoint or {})[model])
        return {"path": path, "revision": revision}
    return study.models[model].model_dump(mode="json", include={"path", "revision"})


def gguf_settings(study: Study, model: str, base: str = BASE) -> dict[str, Any]:
    """What a base model is dequantised from, for `rectify convert_gguf --settings`."""
    return study.models[model].model_dump(mode="json", include={"gguf", "sha256", "dtype"})


def check_settings(study: Study, model: str, ready: str | None = None) -> dict[str, Any]:
    """What a base model, or a `ready` checkpoint (by its run's name), has to bear, for
    `rectify check_model --settings`: nothing is trained from the latter.
    """
    own = study.models[model]
    trainings = [
        study.training_of(model, run.method, **dict(run.overrides))
        for run in trained_runs(study).values()
        if run.model == model and not ready
    ]
    return {
        "train_prompt": own.train_prompt,
        "eval_prompt": own.eval_prompt,
        "max_length": max(
            (training.max_length for training in trainings), default=study.training.max_length
        ),
        "unfit": max(
            (training.unfit for training in trainings),
            default=study.training.unfit,
            key=(None, "drop", "refuse").index,
        ),
        "batch_size": max((training.batch_size for training in trainings), default=1),
        "engine": study.decoding.engine,
        "reference": any(
            study.methods[run.method].dpo or study.methods[run.method].grpo
            for run in trained_runs(study).values()
            if run.model == model and not ready
        ),
    }


def histogram_settings(study: Study, model: str) -> dict[str, Any]:
    """How figures of probabilities read the training set, for `rectify measure_probabilities`."""
    return {**read_settings(study, model), "rows": study.figures.measured_rows}


def precheck_settings(study: Study, model: str) -> dict[str, Any]:
    """How a base model reads it before its training, for `rectify precheck --settings`."""
    return {**read_settings(study, model), "rows": PRECHECK_ROWS}


def read_settings(study: Study, model: str) -> dict[str, Any]:
    """How a model reads the training set, whatever it is trained with."""
    training = study.training.model_copy(update=study.models[model].training).model_dump(
        mode="json"
    )
    keys = ("max_length", "unfit", "micro_batch_size", "precision")
    return {"prompt": study.models[model].train_prompt, **{key: training[key] for key in keys}}


def row_sources(study: Study) -> dict[str, tuple[str, Source]]:
    """Every file of rows, by its path below results/<study>/data: (path of its key, source).

    Each after those that it is made from.
    """
    found: dict[str, tuple[str, Source]] = {}
    for name, block in (study.data.mix or {}).items():
        found[f"mixed/{name}"] = (f"data.mix.{name}", block)
    found["training"] = ("data", study.data)
    for name, model in study.models.items():
        if model.pretrain:
            found[f"pretraining/{name}"] = (f"models.{name}.pretrain.data", model.pretrain.data)
    if study.retention.rows:
        found["retention"] = ("retention.rows", study.retention.rows)
    for name, benchmark in study.benchmarks.items():
        found[f"benchmarks/{name}"] = (f"benchmarks.{name}", benchmark)
    return found


def unfit_rows(study: Study, rows: str) -> dict[str, str]:
    """What becomes of unfit rows, if not what does by default."""
    kind, _, name = rows.partition("/")
    pretrained = study.models[name].pretrain if kind == "pretraining" else None
    unfit = (pretrained or study).training.unfit
    return {} if unfit is None else {"unfit": unfit}


def sample_settings(study: Study, rows: str) -> dict[str, Any]:
    """All that decides a file of rows, for `rectify sample_rows --settings`."""
    _, source = row_sources(study)[rows]
    left_out = {"title", "published", "grader", "role", "mix", "share"}
    kept = source.model_dump(mode="json", exclude=left_out, exclude_none=True)
    if rows == "training" and study.data.mix:
        kept["mix"] = study.data.shares
    if not rows.startswith("benchmarks/"):
        kept |= unfit_rows(study, rows)
    # not which function: with another one the problems and the answers to them stay as they are
    if needs_row(grader := getattr(source, "grader", MATH)):
        kept["rows_for"] = CHOICE if grader == CHOICE else "function"
    return {"rows_of": rows, "seed": study.seed, **kept}


def graders(study: Study, role: str = "test") -> list[str]:
    """The graders other than `math` of a role's benchmarks, for `rectify score --graders`."""
    named = {name: benchmark.grader for name, benchmark in study.benchmarks_of(role).items()}
    return [f"{name}={grader}" for name, grader in named.items() if grader != MATH]


def grader_files(study: Study, role: str = "test") -> list[str]:
    """The users' files that their graders are in."""
    files = (grader_file(benchmark.grader) for benchmark in study.benchmarks_of(role).values())
    return sorted({str(file) for file in files if file})


# by rule; each takes the study and the names of what the step makes
SETTINGS: dict[str, Callable[..., dict[str, Any]]] = {
    "sample_rows": sample_settings,
    "initialise_model": initialise_settings,
    "pretrain_model": pretrain_settings,
    "fetch_model": fetch_settings,
    "convert_gguf": gguf_settings,
    "check_model": check_settings,
    "train_model": train_settings,
    "decode_benchmarks": decode_settings,
    "decode_questions": question_settings,
    "keep_answers": answer_settings,
    "measure_probabilities": histogram_settings,
    "measure_divergence": read_settings,
    "precheck": precheck_settings,
}


def local_file(study: Study, rows: str) -> str | None:
    """The local file behind a file of rows, or None if it comes from elsewhere."""
    _, source = row_sources(study)[rows]
    if source.file is None or "://" in source.file:
        return None
    return str(Path(study.data_dir) / source.file)


def local_source(study: Study, rows: str) -> str | None:
    """The same, or the local folder of a data set."""
    hub = row_sources(study)[rows][1].hub
    return hub if hub and Path(hub).is_dir() else local_file(study, rows)
