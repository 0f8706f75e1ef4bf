"""Conversations as training rows: an answer, and the turns before it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pandas as pd

from rectify.data.fields import describe, field, text
from rectify.step.errors import StepError

ROLES = ("system", "user", "assistant")
COLUMNS = ["problem", "solution", "messages"]

Turns = list[dict[str, str]]  # role and content of each


def read_turns(value: Any) -> Turns:
    """A field's turns, their role and content alone; raises ValueError that says what is wrong."""
    if value is None or value == [] or value != value:
        raise ValueError("it holds no turns")
    if not isinstance(value, list):
        raise ValueError(f"it is {describe(value)}, not a list of turns")
    turns = []
    for number, turn in enumerate(value, start=1):
        if not isinstance(turn, dict) or not {"role", "content"} <= turn.keys():
            has = ", ".join(map(str, turn)) if isinstance(turn, dict) else describe(turn)
            raise ValueError(f"turn {number} is {has or 'empty'}, not role and content")
        if turn["role"] not in ROLES:
            raise ValueError(
                f"turn {number} has the role {turn['role']!r}, which is none of {', '.join(ROLES)}"
            )
        try:
            content = text(turn["content"])
        except ValueError as error:
            raise ValueError(f"the content of turn {number} {error}") from error
        if not content.strip():
            raise ValueError(f"turn {number} is empty")
        turns.append({"role": turn["role"], "content": content})
    return turns


def answers(turns: Turns, loss_on: str | None) -> list[int]:
    """Places of the turns that are trained on: the last, or the assistant's behind a user's.

    Raises ValueError if the last turn is not the assistant's, or none is behind a user's.
    """
    if turns[-1]["role"] != "assistant":
        raise ValueError(f"its last turn is the {turns[-1]['role']}'s, not the assistant's")
    roles = [turn["role"] for turn in turns]
    if "user" not in roles:
        raise ValueError("it has no turn of the user's")
    if loss_on != "assistant":
        return [len(turns) - 1]
    asked = roles.index("user")
    return [place for place, role in enumerate(roles) if role == "assistant" and place > asked]


def row_of(turns: Turns) -> tuple[str, str, str]:
    """An answer's row: the user's last turn, the answer, and, as JSON, all turns up to it."""
    problem = next(turn["content"] for turn in reversed(turns) if turn["role"] == "user")
    return problem, turns[-1]["content"], json.dumps(turns, ensure_ascii=False)


def conversation_rows(
    frame: pd.DataFrame, settings: SimpleNamespace, where: str
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Columns problem, solution, messages, a row for each answer that is trained on, by the
    frame's index; and by it what is wrong with the conversations that have none.

    Raises StepError if all have none.
    """
    index, rows, unfit = [], [], {}
    for place, value in field(frame, settings.messages, where).items():
        try:
            turns = read_turns(value)
            found = [row_of(turns[: end + 1]) for end in answers(turns, settings.loss_on)]
        except ValueError as error:
            unfit[place] = str(error)
            continue
        rows += found
        index += [place] * len(found)
    if unfit and not rows:
        place, reason = next(iter(unfit.items()))
        raise StepError(
            f"{where}: no row has a conversation to train on in '{settings.messages}'; row "
            f"{place + 1}: {reason}"
        )
    return pd.DataFrame(rows, columns=COLUMNS, index=pd.Index(index, dtype=int)), unfit
