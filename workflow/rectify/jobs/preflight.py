"""What can be known to fail before anything is run: missing or damaged files, trainings without
rows.
"""

from __future__ import annotations

from pathlib import Path

from rectify.jobs.runs import along, base_names, kept_base, trained_runs
from rectify.jobs.settings import SETTINGS, local_file, row_sources
from rectify.models.prompts import CHAT_STYLES
from rectify.paper.claims_file import read_claims
from rectify.paper.published import COLUMNS, printed_rows
from rectify.provenance.differences import unequal
from rectify.provenance.manifests import COLLECTED, read_collected
from rectify.step.errors import StepError
from rectify.step.manifest import content, find_manifest, output_of
from rectify.study.methods import place_of
from rectify.study.rows import Source
from rectify.study.schema import Study
from rectify.study.training import Pretraining, Training


def check_files(study: Study) -> None:
    """Raise StepError, naming the key, for a local file or model folder that is not there, and for
    claims that cannot be judged.
    """
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
        if model.gguf and "://" not in model.gguf and not Path(model.gguf).is_file():
            raise StepError(f"models.{name}.gguf: no such file: {model.gguf}; name a GGUF file")
    for name, method in study.methods.items():
        for model, checkpoint in (method.checkpoint or {}).items():
            path, revision = place_of(checkpoint)
            if not revision and not Path(path).is_dir():
                raise StepError(
                    f"methods.{name}.checkpoint.{model}: no such folder: {path}; "
                    "a model on the hub is ORG/NAME@COMMIT"
                )
    check_kept_bases(study)
    if study.claims and not Path(study.claims).is_file():
        raise StepError(f"claims: no such file: {study.claims}; name one, or null for no verdicts")
    if study.claims:
        read_claims(Path(study.claims))


def check_kept_bases(study: Study) -> None:
    """Raise StepError, naming the key, for kept base models that the study does not describe."""
    for name, model in study.models.items():
        for base in base_names(study, name):
            if not (folder := kept_base(study, name, base)):
                continue
            kept, key = Path(model.pretrain.kept), f"models.{name}.pretrain"
            manifests = read_collected(kept / COLLECTED)
            stated = find_manifest(folder)
            if not stated or output_of(stated[1], folder)["sha256"] != content(folder).sha256:
                raise StepError(
                    f"{key}.kept: {folder} is not what its manifest says; check it out again, or "
                    f"set {key}.kept to null to pretrain anew"
                )
            for made, rule, names in (
                (f"models/{name}/{base}", "pretrain_model", (name, base)),
                (f"initial/{name}/{base}", "initialise_model", (name, base)),
                (f"data/pretraining/{name}", "sample_rows", (f"pretraining/{name}",)),
            ):
                own = manifests.get(f"{made}.manifest.json", {}).get("settings")
                if others := list(unequal(own, SETTINGS[rule](study, *names), made)):
                    raise StepError(
                        f"{key}.kept: {folder} was not made with this study's settings: "
                        f"{others[0]}; set {key}.kept to null to pretrain anew"
                    )


def check_runs(study: Study, published: Path) -> None:
    """Raise StepError, naming the key, for what can be known to fail before anything is run.

    `published` is the CSV of the paper's numbers, which names models and benchmarks may refer to.
    """
    check_prompts(study)
    for model, block in study.models.items():
        if block.pretrain:
            key = f"models.{model}.pretrain"
            own = block.pretrain
            check_training(own.training, f"{key}.training", f"'{model}'", f"{key}.data", own.data)
            check_context(own.training, f"{key}.training", model, own)
    for name, method in study.methods.items():
        if method.weighs_rewards and method.setting == "sft" and not study.data.reward:
            raise StepError(
                f"methods.{name}: objective '{method.objective}' needs rewards; name the field "
                "that holds them in data.reward, or learn from the model's own graded answers "
                "(setting: offline)"
            )
        if method.takes_behaviour and not (method.setting == "sft" and study.data.behaviour_logp):
            raise StepError(
                f"methods.{name}: objective '{method.objective}' needs behaviour_logp; name the "
                "field that holds them in data.behaviour_logp (setting: sft)"
            )
    for (model, name), run in trained_runs(study).items():
        training = study.training_of(model, run.method, **dict(run.overrides))
        setting = study.methods[run.method].setting
        if setting == "sft":  # how many answers of its own a model has to learn from is not known
            check_training(training, "training", f"'{model} {name}'", "data", study.data)
        if own := study.models[model].pretrain:
            check_context(training, "training", model, own)
        known = study.data.all_rows if setting == "sft" else None
        steps = training.steps or int(training.epochs * (known or 0)) // training.batch_size
        for figure, checkpoints in along(study, run).items() if steps else ():
            if late := [step for step in checkpoints if step >= steps]:
                raise StepError(
                    f"figures.{figure}.checkpoints: {late[0]} is not before the last step, {steps}"
                )
    check_published(study, published)


def check_prompts(study: Study) -> None:
    """Raise StepError, naming the key, for conversations that a prompt style does not take."""
    for name, model in study.models.items():
        read = {"data": study.data, "retention.rows": study.retention.rows}
        if model.pretrain:
            read[f"models.{name}.pretrain.data"] = model.pretrain.data
        for key, data in read.items():
            if data and data.messages and model.train_prompt not in CHAT_STYLES:
                raise StepError(
                    f"models.{name}.train_prompt: '{model.train_prompt}' is a text around one "
                    f"problem, but {key}.messages are conversations; name one of "
                    f"{', '.join(CHAT_STYLES)}"
                )


def check_training(training: Training, key: str, what: str, data_key: str, data: Source) -> None:
    """Raise StepError if a training has not the rows for one batch."""
    if data.rows and getattr(data, "all_rows", data.rows) < training.batch_size:
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
    """Raise StepError for numbers of the paper that are none, and for a model or benchmark that
    they do not have.
    """
    rows = printed_rows(published, COLUMNS, "accuracy")
    for kind, entries in (("model", study.models), ("benchmark", study.benchmarks)):
        known = sorted({row[kind] for row in rows})
        for name, entry in entries.items():
            if entry.published and entry.published not in known:
                raise StepError(
                    f"{kind}s.{name}.published: no {kind} '{entry.published}' in {published}; "
                    f"there are {', '.join(known)}"
                )
