"""Prompt styles: how a problem becomes the text a model is given, in training and in decoding.

The paper's training and evaluation prompts differ; a study names one style for each.
`chat` and `chat-boxed` go through the tokenizer's own chat template, the others are the released
evaluation harness's texts, byte for byte (github.com/yongliang-wu/DFT at e153181).
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from rectify.step.errors import StepError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from rectify.data.conversations import Turns

INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."

# Styles rendered by the tokenizer's chat template: the text of the only user turn.
CHAT_STYLES = {"chat": "{problem}", "chat-boxed": "{problem}\n" + INSTRUCTION}

# Styles that are whole texts.
TEXT_STYLES = {
    "qwen-boxed": (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\n{problem}\n" + INSTRUCTION + "<|im_end|>\n"
        "<|im_start|>assistant\n"
    ),
    "llama-base-boxed": (
        "<|start_header_id|>system<|end_header_id|>\n\nYou are a helpful assistant.<|end_of_text|>"
        "<|start_header_id|>user<|end_header_id|>\n\n{problem}\n" + INSTRUCTION + "<|end_of_text|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "deepseek-math": "User: {problem}\n" + INSTRUCTION + "\n\nAssistant:",
}

STYLES = (*CHAT_STYLES, *TEXT_STYLES)

EXCERPT = 24  # characters of a text in a message, before and behind a place in it


class RefusedError(StepError):
    """A chat template does not take a problem."""


def asked(style: str, problem: str, instruction: str | None) -> str:
    """A style's text (a chat's only turn) with the problem in it, and behind the problem the
    style's own instruction, or the one that is given ("" for none).
    """
    text = {**CHAT_STYLES, **TEXT_STYLES}[style]
    if instruction is not None:
        text = text.replace("{problem}\n" + INSTRUCTION, "{problem}")
        problem = f"{problem}\n{instruction}" if instruction else problem
    return text.replace("{problem}", problem)  # not str.format: problems are full of braces


def as_asked(style: str, turns: Turns, instruction: str | None = None) -> Turns:
    """Turns whose last one of the user's is a chat style's text with it in it."""
    last = max(place for place, turn in enumerate(turns) if turn["role"] == "user")
    text = asked(style, turns[last]["content"], instruction)
    return [*turns[:last], {**turns[last], "content": text}, *turns[last + 1 :]]


def render(
    style: str,
    tokenizer: PreTrainedTokenizerFast,
    problem: str | Turns,
    instruction: str | None = None,
) -> str:
    """The prompt for one problem, or for the turns before an answer, as text; the instruction is
    the style's own unless given.

    Raises StepError if the style needs a chat template and the tokenizer has none, or if it is a
    whole text and turns are given, RefusedError if the template fails.
    """
    if style in TEXT_STYLES:
        if not isinstance(problem, str):
            raise StepError(
                f"prompt style '{style}' is a text around one problem, which takes no turns of a "
                f"conversation; name another style (of {', '.join(CHAT_STYLES)}) in the study"
            )
        return asked(style, problem, instruction)
    turns = [{"role": "user", "content": problem}] if isinstance(problem, str) else problem
    return through_template(style, tokenizer, as_asked(style, turns, instruction), prompt=True)


def through_template(
    style: str, tokenizer: PreTrainedTokenizerFast, turns: Turns, prompt: bool
) -> str:
    """Turns as the chat template writes them, as a prompt for the next one or as they are.

    Raises StepError if there is no template, RefusedError if it fails.
    """
    if not tokenizer.chat_template:
        raise StepError(
            f"{tokenizer.name_or_path}: the tokenizer has no chat template, which prompt style "
            f"'{style}' needs; name another style (of {', '.join(TEXT_STYLES)}) in the study"
        )
    if isinstance(tokenizer.chat_template, dict):  # load_tokenizer has looked for `default`
        raise StepError(
            f"{tokenizer.name_or_path}: the tokenizer has chat templates "
            f"{', '.join(tokenizer.chat_template)}, but none called default, which prompt style "
            f"'{style}' needs; name one so, or another style in the study"
        )
    try:
        return tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=prompt)
    except Exception as error:  # jinja2's, and whatever a template's expressions raise
        roles = [turn["role"] for turn in turns]
        said = "one user turn" if roles == ["user"] else f"turns {', '.join(roles)}"
        raise RefusedError(
            f"{tokenizer.name_or_path}: the chat template fails on prompt style '{style}', "
            f"{said}: {' '.join(str(error).split())}"
        ) from error


def check_written(style: str, tokenizer: PreTrainedTokenizerFast, turns: Turns) -> str:
    """A conversation that ends in an answer, as text: the prompt for it, and the answer.

    Raises StepError, saying what differs, unless the chat template writes the same: each turn's
    content in the prompt, and of the whole conversation the prompt, then the answer, blanks around
    a content aside. Thinking marks, lost reasoning or a BOS on one side alone are such differences.
    """
    *before, answer = turns
    prompt = render(style, tokenizer, before)
    start = f"{tokenizer.name_or_path}: the chat template"
    remedy = "write the rows as the template writes turns, or give the model's folder another one"
    for number, turn in enumerate(before, start=1):  # in any order: some write a system turn last
        if (content := turn["content"].strip()) not in prompt:
            raise StepError(
                f"{start} leaves out of turn {number}, the {turn['role']}'s, at least some of "
                f"{content[: 2 * EXCERPT]!r}; {remedy}"
            )
    whole = through_template(style, tokenizer, [*as_asked(style, before), answer], prompt=False)
    content = answer["content"]
    trained = prompt + content
    if not whole.startswith((prompt + content.rstrip(), prompt + content.strip())):
        same = takewhile(lambda pair: pair[0] == pair[1], zip(whole, trained, strict=False))
        at = sum(1 for _ in same)
        behind = slice(max(at - EXCERPT, 0), at)
        raise StepError(
            f"{start} writes {whole[at : at + EXCERPT]!r} behind {whole[behind]!r}, where "
            f"{trained[at : at + EXCERPT]!r} is trained on; {remedy}"
        )
    return trained
