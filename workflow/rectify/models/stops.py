"""Where a response ends: stop tokens, and words that a model may spell out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rectify.models.config import stated_stops
from rectify.step.manifest import note

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# What ends a response, in any style (the released harness's list).
STOP_WORDS = (
    "</s>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<｜end▁of▁sentence｜>",
)


def stop_token_ids(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Ids that end a response, for every engine and rollout; the manifest states them.

    The tokenizer's EOS, every stop word that is one token, and what config.json and
    generation_config.json of the tokenizer's folder call EOS: many a model's end of turn is named
    in the last alone.
    """
    vocabulary = tokenizer.get_vocab()
    words = {tokenizer.eos_token, *STOP_WORDS}
    stops = {vocabulary[word] for word in words if word in vocabulary}
    stops |= stated_stops(tokenizer.name_or_path) & set(vocabulary.values())
    note(stop_tokens={tokenizer.convert_ids_to_tokens(stop): stop for stop in sorted(stops)})
    return sorted(stops)


def cut_at_stop(text: str) -> str:
    """The text before the first stop word (a model may spell one out in ordinary tokens)."""
    ends = [text.find(word) for word in STOP_WORDS if word in text]
    return text[: min(ends)] if ends else text


@dataclass(frozen=True)
class Completion:
    """Token ids after the prompt, without the stop token; `stop` or `length` (ran out of room)."""

    tokens: list[int]
    finish_reason: str


def finish(tokens: list[int], stop_ids: list[int]) -> Completion:
    """A completion from the tokens generated, the stop token (if any) taken off."""
    if tokens and tokens[-1] in stop_ids:
        return Completion(tokens[:-1], "stop")
    return Completion(tokens, "length")


def cut_after_stop(tokens: list[int], stop_ids: list[int]) -> list[int]:
    """The tokens up to and including the first stop token."""
    ends = [index for index, token in enumerate(tokens) if token in stop_ids]
    return tokens[: ends[0] + 1] if ends else tokens
