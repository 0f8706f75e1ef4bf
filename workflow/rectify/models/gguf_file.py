"""GGUF files, a quantised model in one file as llama.cpp has it, read into what transformers has.

transformers reads the config and dequantises the weights. What it silently leaves out is refused
here, and what it makes otherwise than the file says is set right: how the tokenizer splits text,
and whether it begins one with BOS.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from gguf import GGMLQuantizationType, GGUFReader
from tokenizers import Tokenizer, pre_tokenizers, processors
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers.integrations.gguf import convert_gguf_tokenizer, get_gguf_tokenizer
from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS
from transformers.modeling_gguf_pytorch_utils import (
    TENSOR_PROCESSORS,
    TensorProcessor,
    get_gguf_hf_weights_map,
    load_gguf_checkpoint,
)

from rectify.step.errors import StepError, first_line

# How a byte-level vocabulary splits text, by the file's `tokenizer.ggml.pre`: transformers knows
# some, and splits by GPT-2's pattern where it does not, which is right for the first of these.
GPT2 = ("gpt-2", "phi-2")
DIGITS = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")
# which begin a text with BOS where the file does not say whether to
LLAMA3 = ("llama3", "llama-v3", "llama-bpe")


@dataclass(frozen=True)
class Header:
    """What a file says about itself; `quantisation`: how many of its tensors have which type."""

    architecture: str
    tensors: tuple[str, ...]
    quantisation: dict[str, int]
    settings: dict[str, Any]  # of the tokenizer, by their names after `tokenizer.ggml.`


def read_header(file: Path) -> Header:
    """A file's header; raises StepError if it is no GGUF file, or only a part of one."""
    try:
        with file.open("rb") as opened:
            magic = opened.read(4)
        if magic != b"GGUF":
            raise StepError(f"{file}: not a GGUF file: it begins with {magic!r}, not b'GGUF'")
        reader = GGUFReader(file)
        fields = {name: field.contents() for name, field in reader.fields.items() if scalar(field)}
    except StepError:
        raise
    except Exception as error:  # numpy's, where the file ends early: ValueError, IndexError
        raise StepError(
            f"{file}: the GGUF file is damaged or cut short: {first_line(error)}; fetch it again"
        ) from error
    prefix = "tokenizer.ggml."
    return Header(
        architecture=str(fields.get("general.architecture")),
        tensors=tuple(tensor.name for tensor in reader.tensors),
        quantisation=dict(
            Counter(GGMLQuantizationType(tensor.tensor_type).name for tensor in reader.tensors)
        ),
        settings={k.removeprefix(prefix): v for k, v in fields.items() if k.startswith(prefix)},
    )


def scalar(field: Any) -> bool:
    """Whether a field is one value: the arrays are of a vocabulary's length."""
    return len(field.data) == 1


def read_model(file: Path, header: Header, dtype: torch.dtype) -> nn.Module:
    """The file's model, dequantised to `dtype`, an ordinary one of its class.

    Raises StepError for an architecture that transformers does not read, and unless each of the
    file's tensors has gone into the model and each of the model's weights has come from the file.
    """
    try:
        config = AutoConfig.from_pretrained(str(file.parent), gguf_file=file.name)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, dtype=dtype)
        processor = TENSOR_PROCESSORS.get(header.architecture, TensorProcessor)(config.to_dict())
        read = get_gguf_hf_weights_map(model, processor)
        if unread := [name for name in header.tensors if name not in read]:
            raise StepError(
                f"{file}: transformers does not read {len(unread)} of its tensors, such as "
                f"{unread[0]}: the model would be another; take its own folder (`path`)"
            )
        found = load_gguf_checkpoint(
            str(file), return_tensors=True, model_to_load=model, torch_dtype=dtype
        )
        model.load_state_dict(found["tensors"], strict=False, assign=True)
    except StepError:
        raise
    except Exception as error:  # transformers': ValueError, NotImplementedError, KeyError, ...
        raise StepError(
            f"{file}: transformers does not read this '{header.architecture}' model: "
            f"{first_line(error)}; take the model's own folder (`path`)"
        ) from error
    model.tie_weights()
    if lost := [name for name, weight in model.named_parameters() if weight.is_meta]:
        raise StepError(
            f"{file}: {len(lost)} of the model's weights are not in it, such as {lost[0]}; they "
            "would be random"
        )
    vars(model.config).pop("_model_name_or_path", None)  # the name in the file, which is no path
    return model


def read_tokenizer(file: Path, header: Header) -> PreTrainedTokenizerFast:
    """The file's tokenizer, which splits text and begins it as the file says.

    Raises StepError for a way of splitting that is not known, and if a token has another id than
    in the file.
    """
    try:
        architecture, described, names = get_gguf_tokenizer(str(file))
        raw, _ = convert_gguf_tokenizer(architecture, described)
    except Exception as error:  # KeyError, ValueError, ...
        raise StepError(
            f"{file}: transformers does not read its tokenizer: {first_line(error)}"
        ) from error
    split_as_stated(raw, header, file)
    ids = range(len(described["tokens"]))
    if raw.get_vocab_size() != len(ids) or None in map(raw.id_to_token, ids):
        raise StepError(
            f"{file}: its {len(ids)} tokens make a tokenizer of {raw.get_vocab_size()}; ids would "
            "be other than the model's"
        )
    added = {"bos": begins_with(header), "eos": bool(header.settings.get("add_eos_token"))}
    surround(raw, {key: names[f"{key}_token"] for key, wanted in added.items() if wanted}, file)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        clean_up_tokenization_spaces=False,
        **{f"add_{key}_token": value for key, value in added.items()},
        **{key: value for key, value in names.items() if value is not None},
    )


def split_as_stated(raw: Tokenizer, header: Header, file: Path) -> None:
    """Have a byte-level tokenizer split text as the file says, where transformers does not."""
    kind, stated = header.settings.get("model"), header.settings.get("pre")
    if kind != "gpt2" or stated in (*GGUF_PRE_TOKENIZER_SPLITS, *GPT2):
        return
    if stated not in DIGITS:
        raise StepError(
            f"{file}: how its tokenizer splits text, '{stated}', is not known here, and other "
            "pieces would be other tokens; take the model's own folder (`path`)"
        )
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )


def begins_with(header: Header) -> bool:
    """Whether a text begins with BOS: as the file says, else as llama.cpp takes it."""
    default = header.settings.get("model") == "llama" or header.settings.get("pre") in LLAMA3
    return bool(header.settings.get("add_bos_token", default))


def surround(raw: Tokenizer, tokens: dict[str, str | None], file: Path) -> None:
    """Have a tokenizer put the special tokens `bos` and `eos`, those that are given, around a text.

    Raises StepError if one of them is not named in the file.
    """
    for key, token in tokens.items():
        if token is None:
            raise StepError(f"{file}: it asks for {key.upper()} around a text and names none")
    before = [tokens["bos"]] if "bos" in tokens else []
    after = [tokens["eos"]] if "eos" in tokens else []
    raw.post_processor = processors.TemplateProcessing(
        single=[*before, "$A", *after],
        special_tokens=[(token, raw.token_to_id(token)) for token in tokens.values()],
    )
