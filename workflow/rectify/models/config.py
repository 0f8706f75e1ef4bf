"""What a model folder's config files say: the text model's sizes, context, stop tokens; and whether
vLLM takes such a model, and how it is told to read text alone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
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


@contextlib.contextmanager
def vllm_named(folder: str | Path) -> Iterator[None]:
    """Say in one line that vLLM does not start with a model: it lacks a build for many."""
    try:
        yield
    except ValueError as error:  # pydantic's too, whose first line names a class of vLLM's
        words = str(error).split("[type=")[0].split("Value error,")[-1].split()
        raise StepError(
            f"{folder}: vLLM does not start with this model: {' '.join(words)}; set "
            "decoding.engine: transformers"
        ) from error


def text_alone(folder: str | Path) -> dict[str, Any]:
    """The option of vLLM that leaves out what a model sees and hears with."""
    return {"language_model_only": True} if reads_more_than_text(folder) else {}


def check_vllm(folder: str | Path) -> None:
    """Raise StepError if vLLM has no build for a model that also sees or hears.

    Its code for those imports more than that for text: seconds, so other models are not asked.
    """
    if not reads_more_than_text(folder):
        return
    with vllm_named(folder):
        from vllm.engine.arg_utils import EngineArgs

        EngineArgs(
            str(folder), skip_tokenizer_init=True, **text_alone(folder)
        ).create_model_config()
