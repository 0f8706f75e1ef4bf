"""Prompt styles: how a problem becomes the text a model is given, in training and in decoding.

The paper's training and evaluation prompts differ; a study names one style for each.
`chat` and `chat-boxed` go through the tokenizer's own chat template, the others are the released
evaluation harness's texts, byte for byte (github.com/yongliang-wu/DFT at e153181).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rectify.step.errors import StepError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

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


def render(
    style: str,
    tokenizer: PreTrainedTokenizerFast,
    problem: str,
    instruction: str | None = None,
) -> str:
    """The prompt for one problem, as text; the instruction is the style's own unless given.

    Raises StepError if the style needs a chat template and the tokenizer has none, RefusedError if
    it fails.
    """
    if style in TEXT_STYLES:
        return asked(style, problem, instruction)
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
    turn = {"role": "user", "content": asked(style, problem, instruction)}
    try:
        return tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True)
    except Exception as error:  # jinja2's, and whatever a template's expressions raise
        raise RefusedError(
            f"{tokenizer.name_or_path}: the chat template fails on prompt style '{style}', one "
            f"user turn: {' '.join(str(error).split())}"
        ) from error
