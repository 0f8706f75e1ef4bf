"""Model folders: read with errors in one line, written with the tokenizer's files as they were."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from rectify.io import StepError
from rectify.tokenizer import first_line

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)


def load_model(folder: str | Path, precision: str) -> nn.Module:
    """A causal LM from a folder, in fp32 or (precision `bf16`) in bf16.

    Raises StepError if it does not load or its head has a bias, which no supported model has.
    """
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    try:
        model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype)
    except Exception as error:  # transformers raises OSError, ValueError, KeyError, ...
        raise StepError(f"{folder}: the model does not load: {first_line(error)}") from error
    if getattr(model.get_output_embeddings(), "bias", None) is not None:
        raise StepError(f"{folder}: models whose LM head has a bias are not supported")
    return model


def write_folder(model: nn.Module, tokenizer_folder: Path, folder: Path) -> None:
    """Write weights and config, and the tokenizer's files as they are (saving may change them)."""
    model.save_pretrained(folder)
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).is_file():
            shutil.copy2(tokenizer_folder / name, folder / name)
