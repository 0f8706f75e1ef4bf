"""Rows and prompts of text as token ids."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transformers import PreTrainedTokenizerFast

from rectify.models.prompts import TEXT_STYLES, render
from rectify.step.errors import StepError
from rectify.step.manifest import note

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor


@dataclass(frozen=True)
class Example:
    """One training row as token ids: the prompt carries no loss, the response (EOS incl.) does.

    reward: the row's, where rows have rewards; values: of each response token, by name, where an
    objective takes them: behaviour_logp, ref_logp and the like; ended: whether the response has
    its EOS, which a row that was cut has not.
    """

    prompt: list[int]
    response: list[int]
    reward: float | None = None
    values: dict[str, Tensor] = field(default_factory=dict)
    ended: bool = True

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
    tokenizer: PreTrainedTokenizerFast,
    style: str,
    problems: list[str],
    instructions: list[str | None] | None = None,
) -> list[list[int]]:
    """Token ids of each problem's prompt; `instructions` where they are not the style's own.

    A chat template writes its own special tokens; before a style that is a whole text the
    tokenizer's BOS goes, as the engine puts it there in the released evaluation.
    """
    if not problems:
        return []
    own = instructions or [None] * len(problems)
    texts = [
        render(style, tokenizer, problem, instruction)
        for problem, instruction in zip(problems, own, strict=True)
    ]
    note(prompt_style=style, prompts_sha256=hashlib.sha256("\0".join(texts).encode()).hexdigest())
    start = opening(tokenizer) if style in TEXT_STYLES else []
    return [start + ids for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def encode_problems(
    tokenizer: PreTrainedTokenizerFast, style: str, problems: pd.DataFrame
) -> list[list[int]]:
    """Token ids of the prompts of `read_benchmarks`' problems, with their own instructions."""
    own = problems["instruction"].tolist() if "instruction" in problems else None
    return encode_prompts(tokenizer, style, problems["problem"].tolist(), own)


def encode_rows(
    tokenizer: PreTrainedTokenizerFast,
    style: str,
    rows: pd.DataFrame,
    max_length: int,
) -> tuple[list[Example], dict[str, int]]:
    """Rows (columns problem, solution) as token ids, cut on the right at `max_length` tokens.

    Prompt and response are tokenised apart and EOS is appended as text, as the released training
    code does; columns `reward` and `behaviour_logp`, the log-probability of each response token
    under whoever wrote it, stay with their row: StepError, naming it, unless there is one for each
    token. Returns the examples and counts: rows,
    truncated, dropped (no room for a response).
    """
    prompts = encode_prompts(tokenizer, style, rows["problem"].tolist())
    texts = (rows["solution"] + tokenizer.eos_token).tolist()
    responses = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
    rewards = rows["reward"].astype(float) if "reward" in rows else [None] * len(rows)
    values = behaviour(rows, responses)
    examples, truncated = [], 0
    for prompt, response, reward, own in zip(prompts, responses, rewards, values, strict=True):
        room = max_length - len(prompt)
        truncated += len(response) > room
        if room > 0:
            own = {name: each[:room] for name, each in own.items()}
            examples.append(Example(prompt, response[:room], reward, own, len(response) <= room))
    counts = {
        "rows": len(prompts),
        "truncated": truncated,
        "dropped": len(prompts) - len(examples),
        "tokens": sum(map(len, examples)),
        "response_tokens": sum(len(example.response) for example in examples),
    }
    return examples, counts


def behaviour(rows: pd.DataFrame, responses: list[list[int]]) -> list[dict[str, Tensor]]:
    """Each row's behaviour_logp as a tensor of its response's length, where rows have them."""
    if "behaviour_logp" not in rows:
        return [{} for _ in responses]
    found = []
    for number, (own, response) in enumerate(
        zip(rows["behaviour_logp"], responses, strict=True), start=1
    ):
        if len(own) != len(response):
            raise StepError(
                f"row {number}: behaviour_logp has {len(own)} values, but the solution and EOS "
                f"are {len(response)} tokens of this model; it is one for each of these"
            )
        import torch  # here, for prompts are made token ids where it is not needed

        found.append({"behaviour_logp": torch.tensor(own, dtype=torch.float32)})
    return found
