"""Blocks that say where rows come from: training data and benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from rectify.study.block import Block, Positive, Share


class World(Block):
    """Rows of the synthetic world (rectify.world)."""

    voice: Literal["crowd", "expert"] = "expert"
    """who writes the solutions: the crowd of the pretraining text, or the expert"""
    topic: Literal["arithmetic", "facts", "operator", "facts-and-operator"] = "arithmetic"
    """arithmetic; or what only these rows tell: facts, sums that start from a named number;
    operator, sums that start from a made-up operation, a@b; or the two by turns"""
    steps: tuple[Positive, Positive]
    """difficulty: operations per problem, from and to (both included); recalling a fact is one"""
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
    reward: str | None = None
    """field that holds a row's reward, a number, for the objectives that weigh rows by it"""


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
