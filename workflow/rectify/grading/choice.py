r"""Multiple choice: the letter that a response commits to.

Read in this order: the last box, the last "Answer: C", the last bold letter, the last letter that
stands alone. Where the row lists options, the text of one counts as its letter, and only as many
letters count as there are options.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Any

from rectify.grading.boxed import boxed_answer
from rectify.grading.plain import plain

LETTER = r"\(?([A-Za-z])\)?"
STATED = re.compile(rf"(?i:\banswer\b\s*(?:is|:|=)*\s*:?)\s*[*_$]*{LETTER}(?![A-Za-z'])")
BOLD = re.compile(rf"\*\*\s*{LETTER}\s*[.:)]?\s*\*\*")
# alone, and neither the article "A thing" nor the pronoun "I do"
STANDING = re.compile(r"(?<![A-Za-z'\\])\(?(?![AI]\s+[a-z])([A-Z])\)?(?![A-Za-z'])")
LABELLED = re.compile(r"\s*(?:\\text\w*\{)?\s*\(?([A-Za-z])\)?\s*(?:[.:)}]\s*.*)?\s*", re.DOTALL)


OPTIONS = "options"  # the field of a row that lists the texts to choose from


def options_of(row: dict[str, Any]) -> list[str]:
    """The texts that a row lists to choose from, by letter or in their order; none if none.

    Raises ValueError for a field of that name that lists none.
    """
    if OPTIONS not in row:
        return []
    given = row[OPTIONS]
    if isinstance(given, dict):
        given = [given[key] for key in sorted(given)]
    if not isinstance(given, list) or not given:
        raise ValueError(f"has no list of texts in '{OPTIONS}'")
    return [str(option) for option in given]


def chosen(response: str, options: Sequence[str] = ()) -> str | None:
    """The letter that a response gives, in capitals; None if it gives none.

    A box that names neither a letter nor an option's text is no answer.
    """
    box = boxed_answer(response)
    if box is not None:
        return letter_of(box, options)
    for pattern in (STATED, BOLD, STANDING):
        found = [match[1].upper() for match in pattern.finditer(response)]
        if known := [letter for letter in found if letter in letters(options)]:
            return known[-1]
    return named(response, options)


def letters(options: Sequence[str]) -> str:
    """The letters that count."""
    return string.ascii_uppercase[: len(options) or None]


def letter_of(text: str, options: Sequence[str] = ()) -> str | None:
    """The letter that a short text is: "C", "(c)", "C. Paris", or an option's text, "Paris"."""
    if by_text := named(text, options):
        return by_text
    found = LABELLED.fullmatch(text)
    return found[1].upper() if found and found[1].upper() in letters(options) else None


def named(text: str, options: Sequence[str]) -> str | None:
    """The letter of the option whose text this is, but for spelling."""
    same = [i for i, option in enumerate(options) if plain(option) and plain(option) == plain(text)]
    return string.ascii_uppercase[same[0]] if len(same) == 1 else None
