"""The types of answers. read.py makes them from text, equality/equal.py compares them."""

import re
from dataclasses import dataclass

from rectify.grading.answers.measures import Clock, Ratio
from rectify.grading.answers.numbers import Number


@dataclass(frozen=True)
class Words:
    """A text answer or a choice, as lower-case words: east, c. `behind`: a choice's text, `12` of
    (B) 12; of another answer, its words as they were written.
    """

    text: str
    behind: str = ""


@dataclass(frozen=True)
class Based:
    """Digits in a stated base: 52_8. `alone`: whether the digits are right without the base."""

    digits: str
    base: int
    alone: bool = True


@dataclass(frozen=True)
class Formula:
    """A scalar that is no plain number; parsed when it is compared."""

    latex: str
    percent: bool = False
    unit: str | None = None


@dataclass(frozen=True)
class Items:
    """A list, set, tuple, point or interval. `brackets`: "" (bare), "{}", "()", "[]", "(]",
    "[)".
    """

    brackets: str
    items: tuple["Value", ...]


@dataclass(frozen=True)
class Union:
    """Intervals and sets joined by cup."""

    parts: tuple["Value", ...]


@dataclass(frozen=True)
class Difference:
    r"""A set without others' elements: \mathbb{R} \setminus \{1, 2\}."""

    whole: "Value"
    removed: "Value"


@dataclass(frozen=True)
class Relation:
    r"""A chain: sides[0] signs[0] sides[1] signs[1] ... ; signs are = < > \le \ge \ne \in
    \approx.
    """

    sides: tuple["Value", ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Matrix:
    """Rows of scalars."""

    rows: tuple[tuple["Value", ...], ...]


Value = (
    Number
    | Words
    | Based
    | Formula
    | Items
    | Union
    | Difference
    | Relation
    | Matrix
    | Clock
    | Ratio
)
Scalar = Number | Formula


def letters(latex: str) -> bool:
    """Whether a formula has letters that are no commands, i.e. variables."""
    return bool(re.search(r"(?<![A-Za-z\\])[A-DF-Za-df-z]", re.sub(r"\\[A-Za-z]+", " ", latex)))
