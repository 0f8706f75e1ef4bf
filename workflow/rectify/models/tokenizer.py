"""Tokenizers, loaded as their files say, and rows of text made into token ids.

transformers' AutoTokenizer rebuilds a class chosen from config.json and can silently replace the
pre-tokenizer of tokenizer.json (transformers issues 45488, 48206; deepseek-math-7b-base is such a
case). Here tokenizer.json is kept as it is, and checked against the `tokenizers` library.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from rectify.models.prompts import TEXT_STYLES, render
from rectify.step.files import StepError, first_line, sha256
from rectify.step.manifest import note

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

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


@dataclass(frozen=True)
class Example:
    """One training row as token ids: the prompt carries no loss, the response (EOS incl.) does.

    ref_logp: log-probability of each response token under the reference, where one is needed;
    reward: the row's, where rows have rewards.
    """

    prompt: list[int]
    response: list[int]
    ref_logp: Tensor | None = None
    reward: float | None = None

    def __len__(self) -> int:
        return len(self.prompt) + len(self.response)


def opening(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The BOS that a model's tokenizer puts before a text, where it puts one: [id] or [].

    Llama 3's post-processor adds it; DeepSeekMath's tokenizer_config.json asks for it.
    """
    bos = tokenizer.bos_token_id
    if bos is None:
        return []
    return [bos] if bos in tokenizer("")["input_ids"] else []


def encode_prompts(
    tokenizer: PreTrainedTokenizerFast, style: str, problems: list[str]
) -> list[list[int]]:
    """Token ids of each problem's prompt.

    A chat template writes its own special tokens; before a style that is a whole text the
    tokenizer's BOS goes, as the engine puts it there in the released evaluation.
    """
    if not problems:
        return []
    texts = [render(style, tokenizer, problem) for problem in problems]
    note(prompt_style=style, prompts_sha256=hashlib.sha256("\0".join(texts).encode()).hexdigest())
    start = opening(tokenizer) if style in TEXT_STYLES else []
    return [start + ids for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def encode_rows(
    tokenizer: PreTrainedTokenizerFast,
    style: str,
    rows: pd.DataFrame,
    max_length: int,
) -> tuple[list[Example], dict[str, int]]:
    """Rows (columns problem, solution) as token ids, cut on the right at `max_length` tokens.

    Prompt and response are tokenised apart and EOS is appended as text, as the released training
    code does; a column `reward` stays with its row. Returns the examples and counts: rows,
    truncated, dropped (no room for a response).
    """
    prompts = encode_prompts(tokenizer, style, rows["problem"].tolist())
    texts = (rows["solution"] + tokenizer.eos_token).tolist()
    responses = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
    rewards = rows["reward"].astype(float) if "reward" in rows else [None] * len(rows)
    examples, truncated = [], 0
    for prompt, response, reward in zip(prompts, responses, rewards, strict=True):
        room = max_length - len(prompt)
        truncated += len(response) > room
        if room > 0:
            examples.append(Example(prompt, response[:room], reward=reward))
    counts = {
        "rows": len(prompts),
        "truncated": truncated,
        "dropped": len(prompts) - len(examples),
        "tokens": sum(map(len, examples)),
        "response_tokens": sum(len(example.response) for example in examples),
    }
    return examples, counts
