"""Tokenizers, loaded as their files say.

transformers' AutoTokenizer rebuilds a class chosen from config.json and can silently replace the
pre-tokenizer of tokenizer.json (transformers issues 45488, 48206; deepseek-math-7b-base is such a
case). Here tokenizer.json is kept as it is, and checked against the `tokenizers` library.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from rectify.step.errors import StepError, first_line
from rectify.step.files import sha256
from rectify.step.manifest import note

if TYPE_CHECKING:
    pass

PROBE = (
    "Let $x_1 = 12.5$; we need to add 3,400 and\n\tf(x)=\\frac{1}{2}x^2. So \\boxed{-7\\pi}  é 数."
)


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a model folder, exactly as tokenizer.json describes it.

    Raises StepError if the files are missing or unreadable, if the ids of a probe text differ
    from those of the raw `tokenizers` library, or if there is no EOS token.
    """
    file = Path(folder) / "tokenizer.json"
    if not file.is_file():
        raise StepError(f"{file}: no such file; a model folder needs a fast tokenizer")
    try:
        raw = Tokenizer.from_file(str(file))
        tokenizer = PreTrainedTokenizerFast.from_pretrained(str(folder))
    except Exception as error:  # the libraries raise bare Exception, ValueError, OSError, ...
        raise StepError(f"{file}: the tokenizer does not load: {first_line(error)}") from error
    expected = raw.encode(PROBE, add_special_tokens=False).ids
    loaded = tokenizer.encode(PROBE, add_special_tokens=False)
    if loaded != expected or tokenizer.decode(loaded) != raw.decode(expected, False):
        raise StepError(
            f"{file}: the loaded tokenizer's ids differ from the file's on a probe text; "
            "training on them would be garbage, check tokenizer_config.json"
        )
    config = Path(folder) / "tokenizer_config.json"
    if config.is_file() and json.loads(config.read_text(encoding="utf-8")).get("add_bos_token"):
        tokenizer.add_bos_token = True  # from_pretrained drops it where a Llama class is named
    if tokenizer.eos_token is None:
        raise StepError(f"{folder}: the tokenizer names no EOS token; set eos_token")
    if isinstance(tokenizer.chat_template, dict):
        note(chat_template=f"default of {', '.join(tokenizer.chat_template)}")
        tokenizer.chat_template = tokenizer.chat_template.get("default", tokenizer.chat_template)
    note(tokenizer_sha256=sha256(file), chat_template_sha256=template_sha256(tokenizer))
    return tokenizer


def template_sha256(tokenizer: PreTrainedTokenizerFast) -> str:
    """The SHA-256 of the chat template that prompts go through."""
    return hashlib.sha256(str(tokenizer.chat_template or "").encode()).hexdigest()
