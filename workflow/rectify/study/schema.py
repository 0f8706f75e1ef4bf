"""A study: everything that is run and shown, described by one YAML file under config/.

This folder is the one place that knows a study's keys: `rectify study --keys` lists them.
`rectify.jobs.runs` derives from a study what has to be trained.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from rectify.paper.figure import figures
from rectify.step.blocks import Block, Name, Seeds, describe
from rectify.study.methods import LearningRates, Method, place_of
from rectify.study.outputs import Decoding, Figures, Scoring, SelfSampling, Table
from rectify.study.rl import DPO, GRPO, PPO
from rectify.study.rows import Benchmark, Data, Mixed, Retention, Text, TrainingData, World
from rectify.study.training import LoRA, Model, Pretraining, Shape, Training


class Study(Block):
    """A whole study."""

    study: Name
    """its name; results go to results/<name>/"""
    extends: str | None = None
    """a study file that this one overrides, key by key (null removes an entry)"""
    seed: Annotated[int, Field(ge=0)] = 0
    """seed of data sampling and decoding"""
    seeds: Seeds = [0]
    """training seeds; every trained method is run with each, and a model that is
    pretrained in the study is pretrained with each"""
    pinned: bool = False
    """refuse what can change under its name: hub revisions that are not full commit hashes, files
    without a checksum"""
    data_dir: str = "."
    """folder that local data files are named from"""
    models: dict[Name, Model] = Field(min_length=1)
    """base models by name"""
    data: Data
    """what the methods train on"""
    benchmarks: dict[Name, Benchmark] = Field(min_length=1)
    """benchmarks by name, in the order of the tables' columns"""
    methods: dict[Name, Method]
    """fine-tuning methods by name"""
    training: Training = Training()
    """optimisation of every method, unless a model or a method differs"""
    decoding: Decoding = Decoding()
    """sampling of answers"""
    self_sampling: SelfSampling = SelfSampling()
    """the models' own answers to the training questions, for methods that learn from them"""
    scoring: Scoring = Scoring()
    """how verdicts become numbers"""
    retention: Retention = Retention()
    """what training should not hurt"""
    tables: dict[Name, Table] = {}
    """tables by name"""
    figures: Figures = Figures()
    """figures"""
    claims: str | None = None
    """YAML file of the paper's claims, in terms of this study, that the report gives verdicts on"""

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        known = {
            "model": list(self.models),
            "method": ["base", *self.methods],
            "benchmark": list(self.benchmarks_of("test")),
        }
        if "base" in self.methods:
            raise ValueError("methods.base: `base` is the model before training; use another name")
        for path, kind, names in mentions(self):
            for name in names:
                if name not in known[kind]:
                    raise ValueError(
                        f"{path}: no {kind} '{name}'; there are {', '.join(known[kind])}"
                    )
        if self.pinned:
            check_pins(self)
        if not self.benchmarks_of("test"):
            raise ValueError("benchmarks: none has role: test; the tables need a column")
        titles = [benchmark.title for benchmark in self.benchmarks.values()]
        if len(set(titles)) < len(titles):
            raise ValueError(f"benchmarks: two have the same title among {', '.join(titles)}")
        for model in self.models:
            for method in self.methods:
                if not self.methods[method].trained:
                    continue
                training = self.training_of(model, method)
                if training.lora and not self.methods[method].objective:
                    raise ValueError(
                        f"methods.{method}: training.lora is for objectives only; leave the method "
                        "out (null), or set lora in the training of the methods that have one"
                    )
                own = self.methods[method].ppo or self.methods[method].grpo
                if own and own.max_new_tokens >= training.max_length:
                    raise ValueError(
                        f"methods.{method}: max_new_tokens {own.max_new_tokens} leaves no room for "
                        f"a prompt in training.max_length {training.max_length}"
                    )
                ppo = self.methods[method].ppo
                if ppo and training.batch_size % ppo.mini_batches:
                    raise ValueError(
                        f"methods.{method}.ppo.mini_batches: {ppo.mini_batches} does not divide "
                        f"training.batch_size {training.batch_size}"
                    )
        for name, figure in self.figures.shown.items():
            figure.check(self, f"figures.{name}")
        check_sources(self)
        check_seeds(self)
        check_tables(self)
        return self

    def benchmarks_of(self, role: str) -> dict[str, Benchmark]:
        """The benchmarks of a role: test, the tables' columns; validation; retention."""
        return {name: own for name, own in self.benchmarks.items() if own.role == role}

    @property
    def retains(self) -> bool:
        """Whether it has a table of what training should not hurt."""
        return bool(self.tables and (self.benchmarks_of("retention") or self.retention.rows))

    def methods_of(self, model: str, methods: list[str]) -> list[str]:
        """Those of the methods (`base` among them) that are applied to a model."""
        own = {name: method.models or method.checkpoint for name, method in self.methods.items()}
        return [name for name in methods if not own.get(name) or model in own[name]]

    def training_of(self, model: str, method: str, **overrides: Any) -> Training:
        """Training settings of a model and a method: the study's, the model's, the method's.

        Raises ValueError naming the override if the result is not valid.
        """
        changed = {**self.models[model].training, **self.methods[method].training, **overrides}
        try:
            return Training(**{**self.training.model_dump(), **changed})
        except ValidationError as error:
            where = f"training of models.{model} with methods.{method}"
            raise ValueError(f"{where}: {describe(Training, error)}") from error


BLOCKS = [
    Study, Model, Pretraining, Shape, Data, TrainingData, Mixed, Benchmark, World, Method,
    LearningRates, DPO, GRPO, PPO, Training, LoRA, Decoding, SelfSampling, Scoring, Retention, Text,
    Table,
    *(figure.BLOCK for figure in figures().values()),
]  # fmt: skip


def mentions(study: Study) -> list[tuple[str, str, list[str]]]:
    """Where a study names its own models, methods, benchmarks: (path of the key, kind, names)."""
    found = []
    for name, method in study.methods.items():
        found.append((f"methods.{name}.models", "model", method.models or []))
        found += [(f"methods.{name}.{key}", "method", [other])
                  for key, other in sources_of(method).items()]  # fmt: skip
        found.append((f"methods.{name}.checkpoint", "model", list(method.checkpoint or ())))
    for name, table in study.tables.items():
        found.append((f"tables.{name}.methods", "method", table.methods))
        found.append((f"tables.{name}.models", "model", table.models or []))
    for name, figure in study.figures.shown.items():
        found += [(f"figures.{name}.{key}", kind, own) for key, kind, own in figure.mentions()]
    return found


def check_sources(study: Study) -> None:
    """Raise ValueError, naming the key, for a method that a method needs models of, for its start,
    its reference or its sweep, where these are not there when they are needed.
    """
    for name, method in study.methods.items():
        for part, other in sources_of(method).items():
            key = f"methods.{name}.{part}"
            if method.sweep:
                check_sweep(study, name, method, key)
            elif part == "reference" and other == (method.start or "base"):
                raise ValueError(f"{key}: the training starts from that anyway; leave it out")
            elif other == "base" and part == "reference":
                continue
            elif other == "base":
                raise ValueError(f"{key}: that is the base model anyway; leave it out")
            check_chain(study, key, [name, other])
            of = study.methods[other]
            lost = set(method.models or study.models) - set(of.models or study.models)
            fewer = len(study.seeds[: of.seeds]) < len(study.seeds[: method.seeds])
            if of.checkpoint or lost or fewer:
                raise ValueError(
                    f"{key}: '{other}' is not trained with all models and seeds that '{name}' is; "
                    f"set methods.{name}.models and seeds to those that it has"
                )


def sources_of(method: Method) -> dict[str, str]:
    """The methods whose models a method needs before its own can be made, by the keys."""
    of = method.sweep.of if method.sweep else None
    named = {"from": method.start, "reference": method.reference, "sweep.of": of}
    return {key: other for key, other in named.items() if other is not None}


def check_chain(study: Study, key: str, followed: list[str]) -> None:
    """Raise ValueError, naming the key, where what a method needs comes back to one before it."""
    if followed[-1] in followed[:-1]:
        raise ValueError(f"{key}: {' -> '.join(followed)} goes round in a circle")
    for other in sources_of(study.methods[followed[-1]]).values():
        if other != "base":
            check_chain(study, key, [*followed, other])


def check_sweep(study: Study, name: str, method: Method, key: str) -> None:
    """Raise ValueError, naming the key, for a sweep of what has no learning rate of its own, and
    for one without validation problems.
    """
    if method.sweep.of == "base" or not study.methods[method.sweep.of].trained:
        raise ValueError(f"{key}: '{method.sweep.of}' is not trained; name a method that is")
    if (own := study.methods[method.sweep.of].setting) != method.setting:
        raise ValueError(
            f"methods.{name}.setting: {method.setting}, but that of '{method.sweep.of}' is {own}; "
            "set it to that"
        )
    if not study.benchmarks_of("validation"):
        raise ValueError(
            f"methods.{name}.sweep: no benchmark has role: validation, by which a learning rate "
            "could be chosen; add one"
        )


def check_seeds(study: Study) -> None:
    """Raise ValueError, naming the key, for seeds that nothing is trained with."""
    for name, method in study.methods.items():
        if (method.seeds or 0) > len(study.seeds):
            raise ValueError(
                f"methods.{name}.seeds: {method.seeds}, but the study's seeds are {study.seeds}"
            )
    for name, figure in study.figures.shown.items():
        for method in figure.shown_methods(study):
            if method == "base":
                continue
            own = study.seeds[: study.methods[method].seeds]
            if lost := sorted({*(figure.seeds or own)} - {*own}):
                raise ValueError(
                    f"figures.{name}.seeds: '{method}' is not trained with seed {lost[0]}, but "
                    f"with {own}"
                )


# beside the tables that a study names
MADE_ANYWAY = ("contamination", "disagreements", "health", "learning_rates", "retention")


def check_tables(study: Study) -> None:
    """Raise ValueError, naming the table, for two rows that its CSV could not tell apart, and for
    none.
    """
    rows: dict[tuple[str, str, str], str] = {}
    for name, table in study.tables.items():
        if name in MADE_ANYWAY:
            raise ValueError(f"tables.{name}: a table of that name is made anyway; rename it")
        shown = table.models or list(study.models)
        if not any(study.methods_of(model, table.methods) for model in shown):
            raise ValueError(f"tables.{name}: none of its methods is applied to {', '.join(shown)}")
        for model in table.models or study.models:
            own = study.methods_of(model, table.methods)
            for place, method in enumerate(own):
                block = study.methods.get(method)
                row = (block.published or method, block.setting) if block else (method, "-")
                if rows.setdefault((model, *row), method) != method or method in own[:place]:
                    raise ValueError(
                        f"tables.{name}.methods: '{rows[model, *row]}' and '{method}' are both "
                        f"'{row[0]}' ({row[1]}) in the table's CSV; change one's `published`"
                    )


def check_pins(study: Study) -> None:
    """Raise ValueError, naming the key, for a source that may change under its name."""
    pins = [(f"models.{name}", model.path, model.revision) for name, model in study.models.items()]
    for name, model in study.models.items():
        if model.gguf and not model.sha256:
            raise ValueError(
                f"models.{name}.sha256: a pinned study needs the checksum of {model.gguf}"
            )
    for name, method in study.methods.items():
        for model, checkpoint in (method.checkpoint or {}).items():
            path, revision = place_of(checkpoint)
            if not Path(path).is_dir():
                pins.append((f"methods.{name}.checkpoint.{model}", path, revision))
    sources = {"data": study.data}
    sources |= {f"data.mix.{name}": block for name, block in (study.data.mix or {}).items()}
    sources |= {f"benchmarks.{name}": block for name, block in study.benchmarks.items()}
    if study.retention.rows:
        sources["retention.rows"] = study.retention.rows
    for key, source in sources.items():
        pins.append((key, source.hub, source.revision))
        if source.file and not source.sha256:
            raise ValueError(f"{key}.sha256: a pinned study needs the checksum of {source.file}")
    for key, origin, revision in pins:
        if origin and not re.fullmatch("[0-9a-f]{40}", revision or ""):
            key = key if ".checkpoint" in key else f"{key}.revision"
            raise ValueError(
                f"{key}: '{revision}' is not a full commit hash, which a pinned study "
                f"needs for {origin}"
            )
