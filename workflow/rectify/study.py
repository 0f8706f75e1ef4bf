"""A study: everything that is run and shown, described by one YAML file under config/.

    python -m rectify.study config/mini.yaml                        # check it, print it resolved
    python -m rectify.study config/mini.yaml --run qwen2-mini dft-seed0    # one run's settings
    python -m rectify.study --schema                                # the JSON schema for editors
    python -m rectify.study --keys                                  # every key, as Markdown

This module is the one place that knows a study's keys. `rectify.runs` derives from it what has to
be trained.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rectify.io import InputError, run_step, step_parser
from rectify.objectives import OBJECTIVES
from rectify.prompts import STYLES
from rectify.study_docs import describe, json_schema, keys_markdown

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+]*(-[a-z0-9.+]+)*$")]
Objective = Annotated[str, Field(json_schema_extra={"enum": list(OBJECTIVES)})]
Style = Annotated[str, Field(json_schema_extra={"enum": list(STYLES)})]
Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Block(BaseModel):
    """A block of keys; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class World(Block):
    """Rows of the synthetic world (rectify.world)."""

    voice: Literal["crowd", "expert"] = "expert"
    """who writes the solutions: the crowd of the pretraining text, or the expert"""
    steps: tuple[Positive, Positive]
    """difficulty: operations per problem, from and to (both included)"""
    wrong: Share = 0.0
    """probability that a step of a solution is wrong"""


class Source(Block):
    """Where rows come from: exactly one of `world`, `file`, `hub`."""

    world: World | None = None
    """rows of the synthetic world"""
    file: str | None = None
    """a JSONL or Parquet file, local (relative to `data_dir`) or remote (a URL, with `sha256`)"""
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    """checksum of `file`; another content is refused"""
    hub: str | None = None
    """a data set on the Hugging Face hub, or a local folder of one"""
    revision: str | None = None
    """commit of the `hub` data set"""
    split: str = "train"
    """split of the `hub` data set"""
    problem: str = "problem"
    """field that holds the question"""
    rows: Positive | None = None
    """how many rows to take; all if not given (the synthetic world needs a number)"""
    pick: Literal["random", "first"] = "random"
    """a seeded random sample of `rows` rows (the paper's words), or the first (its released code)"""

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        given = [key for key in ("world", "file", "hub") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of world, file, hub; has {given or 'none'}")
        if self.world and not self.rows:
            raise ValueError("a world needs `rows`")
        if self.file and "://" in self.file and not self.sha256:
            raise ValueError("a remote file needs `sha256`")
        if self.hub and not Path(self.hub).is_dir() and not self.revision:
            raise ValueError("a hub data set needs `revision`")
        return self


class TrainingData(Source):
    """Rows to fine-tune on."""

    solution: str = "solution"
    """field that holds the worked solution"""


class Benchmark(Source):
    """Problems to be answered."""

    title: str
    """column heading in the tables"""
    answer: str = "answer"
    """field that holds the gold answer (a list of one is unwrapped)"""
    boxed: bool = False
    """the gold answer is the last \\boxed{} of the answer field, not the field itself"""
    published: str | None = None
    """benchmark of config/published.csv that it is, or stands for"""


class Training(Block):
    """Optimisation; the defaults are the paper's."""

    epochs: Annotated[float, Field(gt=0)] = 1.0
    """passes over the rows; a remainder smaller than a batch is dropped"""
    steps: Positive | None = None
    """optimiser steps, instead of `epochs`"""
    batch_size: Positive = 256
    """rows per optimiser step, over all processes"""
    micro_batch_size: Positive = 4
    """rows per forward pass and process; a divisor of batch_size"""
    max_length: Positive = 2048
    """tokens of prompt and response; longer rows are cut on the right, and counted"""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 5e-5
    """peak learning rate of AdamW"""
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    """learning-rate schedule after warm-up; cosine and linear end at 0"""
    warmup_ratio: Share = 0.1
    """share of the steps over which the learning rate rises from 0"""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """AdamW's decoupled weight decay"""
    betas: tuple[Share, Share] = (0.9, 0.95)
    """AdamW's moment decays"""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """the gradient is clipped to this norm"""
    accumulation: Literal["token_mean", "sum_of_means"] = "token_mean"
    """the loss's denominator: response tokens of the whole batch, or (as the released code) of each
    micro-batch, the gradients then adding up"""
    precision: Literal["fp32", "bf16-mixed", "bf16"] = "fp32"
    """fp32; bf16 compute on fp32 weights and optimiser state; or all of it bf16 (as released)"""
    gradient_checkpointing: bool = False
    """compute activations again in the backward pass, to save memory"""
    save_every: Positive = 50
    """steps between checkpoints from which an interrupted run resumes"""
    log_every: Positive = 1
    """steps between rows of the training log"""

    @model_validator(mode="after")
    def _whole_micro_batches(self) -> Training:
        if self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"micro_batch_size {self.micro_batch_size} does not divide batch_size {self.batch_size}"
            )
        return self


class Pretraining(Block):
    """A miniature base model, pretrained inside the DAG from random weights."""

    architecture: Literal["qwen2", "llama"]
    """model type in transformers"""
    shape: dict[str, Any]
    """fields of its transformers config: hidden_size, num_hidden_layers, ..."""
    vocabulary: Annotated[int, Field(ge=300)] = 512
    """tokens of its byte-level BPE tokenizer"""
    data: TrainingData
    """the text it is pretrained on"""
    training: Training
    """optimisation of the pretraining"""


class Model(Block):
    """A base model: pretrained in miniature, or a folder, or one on the hub."""

    title: str
    """row heading in the tables"""
    published: str | None = None
    """model of config/published.csv that it is, or stands for"""
    pretrain: Pretraining | None = None
    """pretrain it in the DAG"""
    path: str | None = None
    """a local folder, or a model on the Hugging Face hub"""
    revision: str | None = None
    """commit of the hub's model"""
    train_prompt: Style = "chat"
    """prompt style in training (rectify.prompts)"""
    eval_prompt: Style = "chat"
    """prompt style in decoding"""
    training: dict[str, Any] = {}
    """keys of `training` that differ for this model"""

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        if (self.pretrain is None) == (self.path is None):
            raise ValueError("needs exactly one of pretrain, path")
        for style in (self.train_prompt, self.eval_prompt):
            if style not in STYLES:
                raise ValueError(f"no prompt style '{style}'; there are {', '.join(STYLES)}")
        return self


class Method(Block):
    """A way to fine-tune."""

    title: str
    """row heading in the tables"""
    objective: Objective
    """name of a function in rectify/objectives.py"""
    setting: Literal["sft", "offline", "online"] = "sft"
    """the paper's grouping of methods, as in config/published.csv"""
    training: dict[str, Any] = {}
    """keys of `training` that differ for this method"""

    @model_validator(mode="after")
    def _known(self) -> Method:
        if self.objective not in OBJECTIVES:
            raise ValueError(f"no objective '{self.objective}'; there are {', '.join(OBJECTIVES)}")
        return self


class Decoding(Block):
    """Sampling of answers; the defaults are the paper's."""

    engine: Literal["vllm", "transformers"] = "vllm"
    """vllm, or transformers where vLLM has no build"""
    samples: Positive = 16
    """answers per problem"""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """sampling temperature"""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """nucleus sampling; 1 is none"""
    max_new_tokens: Positive = 4096
    """longest answer; the model's context may end it earlier"""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """dtype of weights and activations"""


class Table(Block):
    """A table of average@n: models x methods x benchmarks."""

    caption: str
    """printed above the table"""
    methods: list[str]
    """rows for each model: `base` or names under `methods`"""
    models: list[str] | None = None
    """models shown; all if not given"""


class LearningCurve(Block):
    """Figure 1: accuracy over training."""

    model: str
    """the model shown"""
    methods: list[str]
    """the methods compared"""
    checkpoints: list[Positive]
    """steps at which the model is decoded; the base (0) and the last step come in addition"""
    seeds: list[int] | None = None
    """training seeds; all of the study's if not given"""


class Histogram(Block):
    """Figure 2: distribution of training-set token probabilities."""

    model: str
    """the model shown"""
    methods: list[str]
    """the methods compared; `base` is the model before training"""
    rows: Positive | None = None
    """training rows measured, the first ones; all if not given"""
    seeds: list[int] | None = None
    """training seeds; all of the study's if not given"""


class Sweep(Block):
    """Figure 3: accuracy over learning rates and over batch sizes."""

    model: str
    """the model shown"""
    methods: list[str]
    """the methods compared"""
    learning_rates: list[float] = []
    """at the default batch size"""
    batch_sizes: list[Positive] = []
    """at the default learning rate"""
    seeds: list[int] | None = None
    """training seeds; all of the study's if not given"""


class Figures(Block):
    """The paper's figures; one that is left out is not made."""

    figure1: LearningCurve | None = None
    """accuracy over training"""
    figure2: Histogram | None = None
    """token probabilities on the training set"""
    figure3: Sweep | None = None
    """learning rates and batch sizes"""


class Study(Block):
    """A whole study."""

    study: Name
    """its name; results go to results/<name>/"""
    extends: str | None = None
    """a study file that this one overrides, key by key (null removes an entry)"""
    seed: Annotated[int, Field(ge=0)] = 0
    """seed of data sampling, pretraining and decoding"""
    seeds: list[Annotated[int, Field(ge=0)]] = [0]
    """training seeds; every trained method is run once with each"""
    data_dir: str = "."
    """folder that local data files are named from"""
    models: dict[Name, Model]
    """base models by name"""
    data: TrainingData
    """what the methods train on"""
    benchmarks: dict[Name, Benchmark]
    """benchmarks by name, in the order of the tables' columns"""
    methods: dict[Name, Method]
    """fine-tuning methods by name"""
    training: Training = Training()
    """optimisation of every method, unless a model or a method differs"""
    decoding: Decoding = Decoding()
    """sampling of answers"""
    tables: dict[Name, Table] = {}
    """tables by name"""
    figures: Figures = Figures()
    """figures"""

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        known = {"model": list(self.models), "method": ["base", *self.methods]}
        if "base" in self.methods:
            raise ValueError("methods.base: `base` is the model before training; use another name")
        for path, kind, names in mentions(self):
            for name in names:
                if name not in known[kind]:
                    raise ValueError(
                        f"{path}: no {kind} '{name}'; there are {', '.join(known[kind])}"
                    )
        for model in self.models:
            for method in self.methods:
                self.training_of(model, method)
        return self

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
    Study, Model, Pretraining, TrainingData, Benchmark, World, Method, Training, Decoding, Table,
    LearningCurve, Histogram, Sweep,
]  # fmt: skip


def mentions(study: Study) -> list[tuple[str, str, list[str]]]:
    """Where a study names its own models and methods: (path of the key, kind, names)."""
    found = []
    for name, table in study.tables.items():
        found.append((f"tables.{name}.methods", "method", table.methods))
        found.append((f"tables.{name}.models", "model", table.models or []))
    for name, figure in study.figures:
        if figure is not None:
            found.append((f"figures.{name}.methods", "method", figure.methods))
            found.append((f"figures.{name}.model", "model", [figure.model]))
    return found


def merge(base: dict, override: dict) -> dict:
    """`override` on top of `base`, key by key; null removes an entry."""
    merged = dict(base)
    for key, value in override.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def read_yaml(path: str | Path) -> dict:
    """A YAML mapping; raises InputError naming the file (and line) if it is none."""
    try:
        value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror.lower()}; name a study file") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: not a study; a mapping of keys is expected")
    return value


def load_study(config: dict | str | Path) -> Study:
    """A study from a file or from Snakemake's config; raises InputError, one line naming the key."""
    name = str(config) if not isinstance(config, dict) else f"study '{config.get('study', '?')}'"
    values = config if isinstance(config, dict) else read_yaml(config)
    while values.get("extends"):
        parent = read_yaml(values["extends"])
        inherited = parent.pop("extends", None)
        values = merge(parent, {key: v for key, v in values.items() if key != "extends"})
        values["extends"] = inherited
    try:
        return Study(**values)
    except ValidationError as error:
        raise InputError(f"{name}: {describe(Study, error)}") from error


def main(arguments: argparse.Namespace) -> None:
    """Print what was asked for."""
    from rectify.runs import run_settings

    if arguments.schema:
        print(json_schema(Study), end="")
    elif arguments.keys:
        print(keys_markdown(BLOCKS), end="")
    elif arguments.study is None:
        raise InputError("name a study file, such as config/mini.yaml")
    elif arguments.run:
        print(json.dumps(run_settings(load_study(arguments.study), *arguments.run), indent=2))
    else:
        print(yaml.safe_dump(load_study(arguments.study).model_dump(mode="json"), sort_keys=False))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("study", __doc__)
    options.add_argument("study", nargs="?", help="a study file")
    options.add_argument("--run", nargs=2, metavar=("MODEL", "RUN"), help="print a run's settings")
    options.add_argument("--schema", action="store_true", help="print the JSON schema")
    options.add_argument("--keys", action="store_true", help="print every key, as Markdown")
    return options


if __name__ == "__main__":
    run_step(main, parser())
