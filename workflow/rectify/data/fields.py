"""Fields of rows as text, numbers and gold answers; what is none of these is refused by its row.

A frame's index counts its source's rows from 0, though it may hold some of them alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from rectify.grading.boxed import boxed_answer
from rectify.step.errors import StepError

REMEDY = "make it one text in the file, or name another field in the study"


def field(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    """A column; raises StepError if there is none."""
    if name not in frame:
        raise StepError(f"{where}: no field '{name}'; there are {', '.join(map(str, frame))}")
    return frame[name]


def texts(frame: pd.DataFrame, name: str, where: str, drop: bool = False) -> pd.Series:
    """A column as text, "" where it is missing.

    A list of one is unwrapped, bytes are UTF-8, numbers keep all digits. Raises StepError, naming
    the row, for what has no plain meaning as one text; it is "", too, if it is to `drop`, unless no
    row has a text.
    """
    found, refusal = [], None
    for number, value in zip(frame.index + 1, field(frame, name, where), strict=True):
        try:
            found.append(text(value))
        except ValueError as error:
            refusal = refusal or StepError(f"{where}: row {number}: '{name}' {error}; {REMEDY}")
            if not drop:
                raise refusal from error
            found.append("")
    if refusal and not any(found):
        raise refusal
    return pd.Series(found, index=frame.index, dtype=object)


def text(value: Any) -> str:
    """One value as text; raises ValueError that says what it is instead."""
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], dict):
        value = value[0]
    if value is None or value == [] or value != value:
        return ""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError("holds bytes that are not UTF-8") from error
    if isinstance(value, str):
        if half := re.search("[\ud800-\udfff]", value):
            raise ValueError(f"holds half of a character, the lone surrogate {half[0]!a}")
        return value
    if isinstance(value, bool | int | np.bool_ | np.integer):
        return str(value)
    if isinstance(value, float | np.floating | Decimal):
        exact = value if isinstance(value, Decimal) else Decimal(str(value))
        return format(exact, "f")  # in digits alone: no exponent
    raise ValueError(f"is {describe(value)}, not one text")


def describe(value: Any) -> str:
    """What a value is that is no text."""
    if isinstance(value, dict):
        return f"a dictionary of {', '.join(map(str, value))}" if value else "an empty dictionary"
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        if all("content" in item or "value" in item for item in value):
            return "a list of chat messages"
        return "a list of dictionaries"
    if isinstance(value, list):
        return f"a list of {len(value)} values" if len(value) > 1 else "a list within a list"
    return f"a {type(value).__name__}"


def numbers(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    """A column as finite numbers; raises StepError naming the first row that has none."""

    def number(value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            return np.nan

    values = field(frame, name, where).map(number).astype(float)
    if not (finite := np.isfinite(values)).all():
        row = finite.idxmin()
        raise StepError(f"{where}: row {row + 1} has no number in '{name}': {frame[name][row]!r}")
    return values


def number_lists(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    """A column as lists of finite numbers; raises StepError naming the first row that has none."""
    found = []
    for number, value in zip(frame.index + 1, field(frame, name, where), strict=True):
        try:
            own = [] if isinstance(value, str) else [float(each) for each in value]
        except (TypeError, ValueError):
            own = []
        if not own or not np.isfinite(own).all():
            raise StepError(
                f"{where}: row {number} has no list of numbers in '{name}': {shortened(value)}"
            )
        found.append(own)
    return pd.Series(found, index=frame.index, dtype=object)


def shortened(value: Any) -> str:
    """A value in a message."""
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:57]}..."


def behind(pattern: str) -> Callable[[str], str]:
    """Reads the text behind a pattern's last match, or what its group holds; "" without a match."""
    compiled = re.compile(pattern)

    def read(value: str) -> str:
        last = None
        for last in compiled.finditer(value):  # noqa: B007 (the last one)
            pass
        if last is None:
            return ""
        return ((last[1] or "") if compiled.groups else value[last.end() :]).strip()

    return read


def gold_reader(settings: SimpleNamespace) -> tuple[Callable[[str], str], str]:
    """How a gold answer is read from its field, and what to say where there is none."""
    if settings.boxed:
        return lambda value: boxed_answer(value) or "", "no \\boxed{} in "
    if pattern := settings.answer_after:
        return behind(pattern), f"nothing behind '{pattern}' in "
    return lambda value: value, ""
