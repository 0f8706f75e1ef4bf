"""Whether vLLM takes a model, and how it is told to read text alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rectify.models.config import reads_more_than_text
from rectify.step.errors import StepError

if TYPE_CHECKING:
    pass


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
