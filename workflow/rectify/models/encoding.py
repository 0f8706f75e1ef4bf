"""Rows and prompts of text as token ids."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transformers import PreTrainedTokenizerFast

from rectify.models.prompts import TEXT_STYLES, RefusedError, check_written, render
from rectify.step.errors import StepError
from rectify.step.manifest import note

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from rectify.data.conversations import Turns


TOO_LONG, NO_ROOM, EMPTY, REFUSED = "too_long", "no_room", "empty", "refused"
UNFIT = {  # and how a message says it
    TOO_LONG: "longer than max_length, so that their EOS is cut off",
    NO_ROOM: "whose prompt fills max_length",
    EMPTY: "whose response is EOS alone",
    REFUSED: "whose prompt the chat template refuses",
}
NAMED = 3  # rows of a kind in a message


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
    problems: list[str] | list[Turns],
    instructions: list[str | None] | None = None,
    names: list[str] | None = None,
) -> list[list[int]]:
    """Token ids of each problem's prompt, or of the turns' before an answer; `instructions` where
    they are not the style's own.

    Raises StepError as `render` does, RefusedError with the problem's name: by `names`, or its row;
    and StepError for one that begins with two BOS.

    A chat template writes its own special tokens; before a style that is a whole text the
    tokenizer's BOS goes, as the engine puts it there in the released evaluation.
    """
    if not problems:
        return []
    own = instructions or [None] * len(problems)
    names = names or [f"row {number}" for number in range(1, len(problems) + 1)]
    texts = []
    for name, problem, instruction in zip(names, problems, own, strict=True):
        try:
            texts.append(render(style, tokenizer, problem, instruction))
        except RefusedError as error:
            raise RefusedError(f"{name}: {error}") from error
    note(prompt_style=style, prompts_sha256=hashlib.sha256("\0".join(texts).encode()).hexdigest())
    start = opening(tokenizer) if style in TEXT_STYLES else []
    prompts = [start + ids for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    for name, prompt in zip(names, prompts, strict=True):
        if prompt[:2] == [tokenizer.bos_token_id] * 2:
            raise StepError(
                f"{name}: {tokenizer.name_or_path}: its prompt begins with the BOS "
                f"'{tokenizer.bos_token}' twice; take one out of the chat template"
            )
    return prompts


def encode_problems(
    tokenizer: PreTrainedTokenizerFast, style: str, problems: pd.DataFrame
) -> list[list[int]]:
    """Token ids of the prompts of `read_benchmarks`' problems, with their own instructions."""
    own = problems["instruction"].tolist() if "instruction" in problems else None
    places = zip(problems["benchmark"], problems["problem_id"], strict=True)
    names = [f"benchmark '{benchmark}' problem {number}" for benchmark, number in places]
    return encode_prompts(tokenizer, style, problems["problem"].tolist(), own, names)


def encode_each(
    tokenizer: PreTrainedTokenizerFast,
    style: str,
    rows: pd.DataFrame,
    max_length: int,
    unfit: str | None = None,
) -> tuple[list[Example | None], list[str | None]]:
    """Rows (columns problem, solution) as token ids, and what is unfit about each: one of UNFIT.

    The prompt asks the problem or, where rows have `messages`, is the turns before the solution.
    Prompt and response are tokenised apart and EOS is appended as text, as the released training
    code does; columns `reward` and `behaviour_logp`, the log-probability of each response token
    under whoever wrote it, stay with their row: StepError, naming it, unless there is one for each
    token. An unfit row is None, but if `unfit` is None one that is too long alone is cut on the
    right at `max_length` tokens. Raises StepError for a tokenizer whose EOS is no token of a text.
    """
    chats = [json.loads(own) for own in rows["messages"]] if "messages" in rows else None
    problems = [turns[:-1] for turns in chats] if chats else rows["problem"].tolist()
    prompts = encode_taken(tokenizer, style, problems)
    texts = (rows["solution"] + tokenizer.eos_token).tolist()
    responses = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
    if chats:
        check_chats(tokenizer, style, chats, prompts, responses)
    rewards = rows["reward"].astype(float) if "reward" in rows else [None] * len(rows)
    values = behaviour(rows, responses)
    examples: list[Example | None] = []
    kinds: list[str | None] = []
    for prompt, response, reward, own in zip(prompts, responses, rewards, values, strict=True):
        if response[-1:] != [tokenizer.eos_token_id]:
            raise StepError(
                f"row {len(kinds) + 1}: {tokenizer.name_or_path}: the tokenizer reads its EOS "
                f"'{tokenizer.eos_token}' behind the solution as other tokens, so that no model "
                "would learn to stop there; make it a special token like others"
            )
        room = max_length - len(prompt or ())
        kind = unfit_for(prompt, response, room)
        kinds.append(kind)
        if kind and not (kind == TOO_LONG and unfit is None):
            examples.append(None)
            continue
        own = {name: each[:room] for name, each in own.items()}
        examples.append(Example(prompt, response[:room], reward, own, len(response) <= room))
    return examples, kinds


def encode_taken(
    tokenizer: PreTrainedTokenizerFast, style: str, problems: list[str] | list[Turns]
) -> list[list[int] | None]:
    """Token ids of each problem's prompt, as `encode_prompts` gives them; None for those that the
    chat template refuses. Raises StepError if it refuses all.
    """
    try:
        return encode_prompts(tokenizer, style, problems)
    except RefusedError as error:
        taken = [is_taken(tokenizer, style, problem) for problem in problems]
        if not any(taken):
            raise error
    prompts = iter(encode_prompts(tokenizer, style, list(itertools.compress(problems, taken))))
    return [next(prompts) if own else None for own in taken]


def is_taken(tokenizer: PreTrainedTokenizerFast, style: str, problem: str | Turns) -> bool:
    """Whether the chat template takes a problem."""
    try:
        render(style, tokenizer, problem)
    except RefusedError:
        return False
    return True


def check_chats(
    tokenizer: PreTrainedTokenizerFast,
    style: str,
    chats: list[Turns],
    prompts: list[list[int] | None],
    responses: list[list[int]],
) -> None:
    """Raise StepError, naming the row, for a conversation that the chat template does not write as
    it is trained on (`check_written`).

    Where the text is the same, but prompt and response in one piece are other tokens than apart, as
    where a response begins with a blank, the first rows are named: it is apart that the model
    answers, too.
    """
    taken = [row for row, prompt in enumerate(prompts) if prompt is not None]
    texts = []
    for row in taken:
        try:
            texts.append(check_written(style, tokenizer, chats[row]))
        except StepError as error:
            raise type(error)(f"row {row + 1}: {error}") from error
    whole = tokenizer(texts, add_special_tokens=False)["input_ids"]
    others = [
        str(row + 1)
        for row, ids in zip(taken, whole, strict=True)
        if ids != prompts[row] + responses[row][:-1]
    ]
    note(other_tokens={"rows": len(taken), "other": len(others), "first": others[:NAMED]})
    if others:
        more = ", ..." if len(others) > NAMED else ""
        print(
            f"tokens: of {len(taken)} conversations {len(others)} are other tokens in one piece "
            f"than prompt and answer apart (row {', '.join(others[:NAMED])}{more})",
            flush=True,
        )


def unfit_for(prompt: list[int] | None, response: list[int], room: int) -> str | None:
    """What is unfit about a row with so much room for its response; None if nothing is."""
    if prompt is None:
        return REFUSED
    if len(response) == 1:  # EOS
        return EMPTY
    if room <= 0:
        return NO_ROOM
    return TOO_LONG if len(response) > room else None


def state_unfit(kinds: list[str | None], unfit: str | None, where: str) -> None:
    """Say, in the manifest too, how many rows of a file are unfit, of each kind the first ones.

    Raises StepError if there are some and `unfit` is `refuse`.
    """
    counts = {kind: kinds.count(kind) for kind in UNFIT}
    note(unfit={"rows": len(kinds), **counts})
    said = []
    for kind, count in counts.items():
        if count:
            rows = [str(number) for number, own in enumerate(kinds, start=1) if own == kind]
            more = ", ..." if count > NAMED else ""
            said.append(f"{count} {UNFIT[kind]} (row {', '.join(rows[:NAMED])}{more})")
    if not said:
        return
    text = f"{where}: of {len(kinds)} rows {'; '.join(said)}"
    if unfit == "refuse":
        raise StepError(f"{text}; mend them, or say training.unfit: drop")
    kept = counts[TOO_LONG] if unfit is None else 0
    dropped = sum(counts.values()) - kept
    print(f"unfit: {text}; {kept} are cut, {dropped} dropped", flush=True)


def encode_rows(
    tokenizer: PreTrainedTokenizerFast,
    style: str,
    rows: pd.DataFrame,
    max_length: int,
    unfit: str | None = None,
    where: str = "training rows",
) -> tuple[list[Example], dict[str, int]]:
    """Rows as token ids, without those that are unfit, as `encode_each` has it; `where` they are.

    Returns the examples and counts: rows, truncated, dropped. Raises StepError as `encode_each` and
    `state_unfit` do.
    """
    each, kinds = encode_each(tokenizer, style, rows, max_length, unfit)
    state_unfit(kinds, unfit, where)
    examples = [example for example in each if example is not None]
    counts = {
        "rows": len(each),
        "truncated": sum(not example.ended for example in examples),
        "dropped": len(each) - len(examples),
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
