"""Model folders: read with errors in one line, written with the tokenizer's files as they were."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.tensor import DTensor
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM
from transformers import AutoModelForImageTextToText as AutoModelThatSees

from rectify.models.config import read_config
from rectify.models.lora import merge
from rectify.step.errors import StepError, first_line

# what save_pretrained of a model does not write: the tokenizer's, and what reads images
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "additional_chat_templates/*.jinja",
    "*processor_config.json",
)


def auto_class(folder: str | Path) -> type[AutoModelForCausalLM] | type[AutoModelThatSees]:
    """The class that loads a folder's model with its LM head; some that also see have another."""
    known = type(read_config(folder)) in MODEL_FOR_CAUSAL_LM_MAPPING
    return AutoModelForCausalLM if known else AutoModelThatSees


def load_model(folder: str | Path, precision: str) -> nn.Module:
    """A causal LM from a folder, in fp32 or (precision `bf16`) in bf16.

    Raises StepError if it does not load, lacks weights, or its head has a bias, which no
    supported model has.
    """
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    own = auto_class(folder)
    try:
        model, found = own.from_pretrained(str(folder), dtype=dtype, output_loading_info=True)
    except Exception as error:  # transformers raises OSError, ValueError, KeyError, ...
        raise StepError(f"{folder}: the model does not load: {first_line(error)}") from error
    if wrong := sorted(map(str, (*found["missing_keys"], *found["mismatched_keys"]))):
        raise StepError(
            f"{folder}: {len(wrong)} weights are missing or of another shape, such as {wrong[0]}; "
            "they would be random"
        )
    if model.base_model is model:  # Llama 4's, by a slip in its class
        model.base_model_prefix = "model"
    if getattr(model.get_output_embeddings(), "bias", None) is not None:
        raise StepError(f"{folder}: models whose LM head has a bias are not supported")
    return model


def check_reference(folder: str | Path) -> None:
    """Raise StepError for a model that cannot be the frozen reference of DPO and GRPO.

    TRL makes it itself, of the class that config.json names, and reads its base model's hidden
    states: Llama 4's classes do not say where that is.
    """
    config = read_config(folder)
    named = getattr(transformers, (config.architectures or [""])[0], None)
    make = named._from_config if named else AutoModelForCausalLM.from_config
    with torch.device("meta"):
        model = make(config)
    if model.base_model is model:
        raise StepError(
            f"{folder}: TRL cannot take a {type(model).__name__} as the frozen reference of DPO "
            "and GRPO; leave them out for this model (`models` of the method), or take another"
        )


@contextmanager
def configs_kept(model: nn.Module) -> Iterator[None]:
    """Put a model's configs back at the end: trainers write padding and stops into them."""
    kept = copy.deepcopy(model.config), copy.deepcopy(model.generation_config)
    yield
    model.config, model.generation_config = kept


def whole_weights(model: nn.Module) -> dict[str, Tensor] | None:
    """The weights to write of a sharded model, or of one with adapters; None if they are its own.

    A sharded model's are on the CPU of the first process; adapters are merged. To be called by
    every process.
    """
    sharded = any(isinstance(parameter, DTensor) for parameter in model.parameters())
    adapted = hasattr(model, "peft_config")
    if not sharded and not adapted:
        return None
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    weights = get_model_state_dict(model, options=options) if sharded else model.state_dict()
    return merge(model, weights) if adapted else weights


def write_folder(
    model: nn.Module, weights: dict[str, Tensor] | None, tokenizer_folder: Path, folder: Path
) -> None:
    """Write weights and config, and the tokenizer's files as they are (saving may change them).

    `weights` are the model's own unless given.
    """
    model.save_pretrained(folder, state_dict=weights)
    for source in (file for name in TOKENIZER_FILES for file in tokenizer_folder.glob(name)):
        copy_ = folder / source.relative_to(tokenizer_folder)
        copy_.parent.mkdir(exist_ok=True)
        shutil.copy2(source, copy_)
