"""The blocks of a study's YAML file: every key, its type, its default and its meaning.

rectify.study puts them together; config/README.md and the JSON schema are made from them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rectify.objectives import OBJECTIVES
from rectify.prompts import STYLES


def distinct(values: list[int]) -> list[int]:
    """The values; raises ValueError if one is there twice."""
    if len(set(values)) < len(values):
        raise ValueError(f"{values} names a value twice")
    return values


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+_]*(-[a-z0-9.+_]+)*$")]
Objective = Annotated[str, Field(json_schema_extra={"enum": list(OBJECTIVES)})]
Style = Annotated[str, Field(json_schema_extra={"enum": list(STYLES)})]
Positive = Annotated[int, Field(gt=0)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(distinct)]
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

    @model_validator(mode="after")
    def _ordered(self) -> World:
        if self.steps[0] > self.steps[1]:
            raise ValueError(f"steps go from {self.steps[0]} down to {self.steps[1]}")
        return self


class Source(Block):
    """Where rows come from: exactly one of `world`, `file`, `hub`."""

    world: World | None = None
    """rows of the synthetic world"""
    file: str | None = None
    """a JSONL or Parquet file: local, from `data_dir`, or remote, a URL with its `sha256`"""
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
    """a seeded random sample (the paper's words), or the first rows (its released code)"""

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
                f"micro_batch_size {self.micro_batch_size} does not divide "
                f"batch_size {self.batch_size}"
            )
        return self


class Shape(Block):
    """Size of a miniature base model: fields of its transformers config."""

    hidden_size: Positive
    """width"""
    num_hidden_layers: Positive
    """depth"""
    num_attention_heads: Positive
    """query heads; hidden_size / heads is 32 or 64 for vLLM on a CPU"""
    num_key_value_heads: Positive
    """key and value heads"""
    intermediate_size: Positive
    """width of the feed-forward layers"""
    max_position_embeddings: Positive
    """context, in tokens"""
    tie_word_embeddings: bool = False
    """one matrix for input and output embeddings"""


class Pretraining(Block):
    """A miniature base model, pretrained inside the DAG from random weights."""

    architecture: Literal["qwen2", "llama"]
    """model type in transformers"""
    shape: Shape
    """its size"""
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
    problems: Positive | None = None
    """problems of each benchmark that are answered, the first ones; all if not given"""
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
    methods: list[str] = Field(min_length=1)
    """rows for each model: `base` or names under `methods`"""
    models: list[str] | None = None
    """models shown; all if not given"""


class LearningCurve(Block):
    """Figure 1: accuracy over training."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared"""
    checkpoints: list[Positive]
    """steps at which the model is decoded; the base (0) and the last step come in addition"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""


class Histogram(Block):
    """Figure 2: distribution of training-set token probabilities."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared; `base` is the model before training"""
    rows: Positive | None = None
    """training rows measured, the first ones; all if not given"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""


class Sweep(Block):
    """Figure 3: accuracy over learning rates and over batch sizes."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared"""
    learning_rates: list[float] = []
    """at the default batch size"""
    batch_sizes: list[Positive] = []
    """at the default learning rate"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""

    def points(self) -> list[tuple[str, float]]:
        """(training key, value) of every point."""
        return [("learning_rate", value) for value in self.learning_rates] + [
            ("batch_size", value) for value in self.batch_sizes
        ]


class Figures(Block):
    """The paper's figures; one that is left out is not made."""

    figure1: LearningCurve | None = None
    """accuracy over training"""
    figure2: Histogram | None = None
    """token probabilities on the training set"""
    figure3: Sweep | None = None
    """learning rates and batch sizes"""
