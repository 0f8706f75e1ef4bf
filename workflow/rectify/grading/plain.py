"""Texts that are the same but for spelling: Unicode's forms, case, and punctuation around them."""

from __future__ import annotations

import re
import unicodedata

from rectify.grading.boxed import boxed_answer

ANSWER = re.compile(r"(?i:\banswer\b\s*(?:is\b|:|=)[\s*:]*)(.*)")


def plain(text: str) -> str:
    """A text in Unicode's compatible form, without case, its spaces single, no punctuation around
    it.
    """
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    start, end = 0, len(words)
    while start < end and aside(words[start]):
        start += 1
    while end > start and aside(words[end - 1]):
        end -= 1
    return unicodedata.normalize("NFKC", words[start:end])


def aside(character: str) -> bool:
    """Whether a character is punctuation or a space; signs and brackets of numbers are not."""
    return unicodedata.category(character)[0] in "PZ" and character not in "-%"


def answer_in(response: str) -> str | None:
    """What a response answers: its last box, else what follows its last "Answer:" on that line,
    else all of it; None for an empty one.
    """
    box = boxed_answer(response)
    if box is not None:
        return box
    stated = [match[1].strip() for match in ANSWER.finditer(response)]
    return (stated[-1] if stated and stated[-1] else response.strip()) or None
