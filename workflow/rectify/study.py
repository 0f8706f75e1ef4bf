"""A study: everything that is run and shown, described by one YAML file under config/.

    python -m rectify.study config/mini.yaml                        # check it, print it resolved
    python -m rectify.study config/mini.yaml --run qwen2-mini dft-seed0    # one run's settings
    python -m rectify.study --schema                                # the JSON schema for editors
    python -m rectify.study --keys                                  # every key, as Markdown

This module and its blocks (rectify.blocks) are the one place that knows a study's keys.
`rectify.runs` derives from it what has to be trained.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from rectify.blocks import (
    Benchmark,
    Block,
    Decoding,
    Figures,
    Histogram,
    LearningCurve,
    Method,
    Model,
    Name,
    Pretraining,
    Seeds,
    Shape,
    Sweep,
    Table,
    Training,
    TrainingData,
    World,
)
from rectify.io import StepError, run_step, step_parser
from rectify.study_docs import describe, json_schema, keys_markdown


class Study(Block):
    """A whole study."""

    study: Name
    """its name; results go to results/<name>/"""
    extends: str | None = None
    """a study file that this one overrides, key by key (null removes an entry)"""
    seed: Annotated[int, Field(ge=0)] = 0
    """seed of data sampling, pretraining and decoding"""
    seeds: Seeds = [0]
    """training seeds; every trained method is run once with each"""
    data_dir: str = "."
    """folder that local data files are named from"""
    models: dict[Name, Model] = Field(min_length=1)
    """base models by name"""
    data: TrainingData
    """what the methods train on"""
    benchmarks: dict[Name, Benchmark] = Field(min_length=1)
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
        titles = [benchmark.title for benchmark in self.benchmarks.values()]
        if len(set(titles)) < len(titles):
            raise ValueError(f"benchmarks: two have the same title among {', '.join(titles)}")
        for model in self.models:
            for method in self.methods:
                self.training_of(model, method)
        if sweep := self.figures.figure3:
            for key, value in sweep.points():
                for method in sweep.methods:
                    self.training_of(sweep.model, method, **{key: value})
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
    Study, Model, Pretraining, Shape, TrainingData, Benchmark, World, Method, Training, Decoding,
    Table, LearningCurve, Histogram, Sweep,
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
    """A YAML mapping; raises StepError naming the file (and line) if it is none."""
    try:
        value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise StepError(f"{path}: {error.strerror.lower()}; name a study file") from error
    except yaml.YAMLError as error:
        raise StepError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise StepError(f"{path}: not a study; a mapping of keys is expected")
    return value


def load_study(config: dict | str | Path) -> Study:
    """A study from a file or Snakemake's config; raises StepError, one line naming the key."""
    name = str(config) if not isinstance(config, dict) else f"study '{config.get('study', '?')}'"
    chain = [config if isinstance(config, dict) else read_yaml(config)]
    files: list[str] = []
    while parent := chain[-1].get("extends"):
        if parent in files:
            raise StepError(f"{name}: extends: {parent} extends itself")
        files.append(parent)
        chain.append(read_yaml(parent))
    values: dict = {}
    for layer in reversed(chain):  # from the root down, so that every null still meets its entry
        values = merge(values, {key: value for key, value in layer.items() if key != "extends"})
    try:
        return Study(**values)
    except ValidationError as error:
        raise StepError(f"{name}: {describe(Study, error)}") from error


def show(settings: dict[str, Any]) -> None:
    """Print a step's settings as JSON."""
    print(json.dumps(settings, indent=2))


def main(arguments: argparse.Namespace) -> None:
    """Print what was asked for."""
    from rectify import runs

    if arguments.schema:
        print(json_schema(Study), end="")
    elif arguments.keys:
        print(keys_markdown(BLOCKS), end="")
    elif arguments.study is None:
        raise StepError("name a study file, such as config/mini.yaml")
    elif arguments.name:
        print(load_study(arguments.study).study)
    elif arguments.run:
        show(runs.run_settings(load_study(arguments.study), *arguments.run))
    elif arguments.pretrain:
        show(runs.pretrain_settings(load_study(arguments.study), arguments.pretrain))
    elif arguments.decoding:
        show(runs.decoding_settings(load_study(arguments.study), arguments.decoding))
    else:
        print(yaml.safe_dump(load_study(arguments.study).model_dump(mode="json"), sort_keys=False))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("study", __doc__)
    options.add_argument("study", nargs="?", help="a study file")
    options.add_argument("--run", nargs=2, metavar=("MODEL", "RUN"), help="print a run's settings")
    options.add_argument("--pretrain", metavar="MODEL", help="print a model's pretraining settings")
    options.add_argument("--decoding", metavar="MODEL", help="print a model's decoding settings")
    options.add_argument("--name", action="store_true", help="print the study's name")
    options.add_argument("--schema", action="store_true", help="print the JSON schema")
    options.add_argument("--keys", action="store_true", help="print every key, as Markdown")
    return options


if __name__ == "__main__":
    run_step(main, parser())
