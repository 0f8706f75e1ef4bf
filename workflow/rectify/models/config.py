"""What a model folder's config files say: the text model's sizes, its context, its stop tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rectify.step.errors import StepError, first_line

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


def read_config(folder: str | Path) -> PreTrainedConfig:
    """A model folder's config; raises StepError if transformers does not know it."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(str(folder))
    except Exception as error:  # OSError, ValueError, KeyError, ...
        raise StepError(f"{folder}: its config does not load: {first_line(error)}") from error


def text_config(folder: str | Path) -> PreTrainedConfig:
    """The part of a model folder's config that is about text: of most models, all of it."""
    return read_config(folder).get_text_config()


def reads_more_than_text(folder: str | Path) -> bool:
    """Whether a folder's model also sees or hears: its text model is one part of it."""
    config = read_config(folder)
    return config.get_text_config() is not config


def context_of(folder: str | Path) -> int:
    """Positions that a model takes; raises StepError if its config does not say."""
    context = getattr(text_config(folder), "max_position_embeddings", None)
    if not isinstance(context, int):
        raise StepError(
            f"{Path(folder) / 'config.json'}: it names no max_position_embeddings, and models "
            "without a stated context are not supported"
        )
    return context


def read_object(file: Path) -> dict[str, Any]:
    """A JSON object of a model folder, {} if there is no such file; raises StepError if damaged."""
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StepError(f"{file}: not JSON: {first_line(error)}") from error
    if not isinstance(found, dict):
        raise StepError(f"{file}: not a JSON object")
    return found


def stated_stops(folder: str | Path) -> set[int]:
    """Ids that config.json (its text_config too) and generation_config.json call eos_token_id.

    As the files say: a config class would add a default that means another token here.
    """
    config = read_object(Path(folder) / "config.json")
    generation = read_object(Path(folder) / "generation_config.json")
    found: set[int] = set()
    for block in (config, config.get("text_config") or {}, generation):
        stated = block.get("eos_token_id")
        found.update(stated if isinstance(stated, list) else [] if stated is None else [stated])
    return found
