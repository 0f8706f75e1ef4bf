"""Cut a text at separators outside brackets, and look into brackets that hold all of it."""

import re
from collections.abc import Container

_TOKEN = re.compile(r"\\[{}]|\\[A-Za-z]+|\\.|.", re.DOTALL)
_OPEN = {"(", "[", "{", r"\{", r"\langle"}
_CLOSE = {")", "]", "}", r"\}", r"\rangle"}


def split(text: str, *separators: str) -> list[str]:
    """`text` cut at the separators (characters or commands) that stand outside all brackets."""
    return cut(text, separators)[0]


def cut(text: str, separators: Container[str]) -> tuple[list[str], list[str]]:
    """(parts, the separators between them), both stripped of spaces."""
    parts, marks, level, start = [], [], 0, 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in _OPEN:
            level += 1
        elif mark in _CLOSE:
            level = max(level - 1, 0)
        elif not level and mark in separators:
            parts.append(text[start : token.start()].strip())
            marks.append(mark)
            start = token.end()
    return [*parts, text[start:].strip()], marks


def enclosed(text: str) -> tuple[str, str] | None:
    """(brackets, content) where one pair of brackets encloses the whole text, else None.
    The pair may differ, as an interval's does: ("(]", "3,4").
    """
    head = next((o for o in (r"\{", r"\langle", "(", "[") if text.startswith(o)), None)
    if not head:
        return None
    tail = next((c for c in (r"\}", r"\rangle", ")", "]") if text.endswith(c)), None)
    if not tail or len(text) < len(head) + len(tail):
        return None
    level, stop = 0, len(text) - len(tail)
    for token in _TOKEN.finditer(text, len(head), stop):
        level += (token[0] in _OPEN) - (token[0] in _CLOSE)
        if level < 0:
            return None
    pairs = {r"\{\}": "{}", r"\langle\rangle": "()", "()": "()", "[]": "[]", "(]": "(]", "[)": "[)"}
    brackets = pairs.get(head + tail)
    return (brackets, text[len(head) : stop].strip()) if brackets and level == 0 else None
