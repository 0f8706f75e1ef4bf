"""What is too much for a text to be an answer, and the error that says so."""

from __future__ import annotations

MAX_CHARS = 4_000  # no gold has more than 300; what is longer is not an answer
MAX_DEPTH = 60


class UnreadableError(ValueError):
    """The text cannot be read as an answer: too long, too deep, or outside the grammar."""


def depth(text: str) -> int:
    """How deep the brackets of `text` nest."""
    level = deepest = 0
    for char in text:
        level += (char in "([{") - (char in ")]}")
        deepest = max(deepest, level)
    return deepest
