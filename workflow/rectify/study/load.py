"""A study from its file and those that it extends."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from rectify.step.blocks import describe
from rectify.step.errors import StepError
from rectify.study.schema import Study


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
