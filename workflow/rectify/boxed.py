"""Find the answer a response commits to: its last balanced box, joined with its neighbours."""

import re

_TOKEN = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)
_WORD = r"(?:and|or|\\text\s*\{\s*,?\s*(?:and|or)\s*\})"
_FILLER = r"(?:\s|\$|\\[()\[\],;: ]|\\q?quad|~|[A-Za-z](?:_\{?\w\}?)?\s*=)"
_NEIGHBOUR = re.compile(rf"{_FILLER}*(?:[,;]\s*{_FILLER}*{_WORD}?|{_WORD}){_FILLER}*")
_NEIGHBOUR_CHARS = 60  # longer text between two boxes is prose, and the boxes separate results


def boxes(response: str) -> list[tuple[int, int, str]]:
    r"""(start, end, content) of every balanced outermost `\boxed{...}` or `\fbox{...}`, in order.

    One pass, linear in the length: unclosed braces, which truncated responses have, do not matter.
    """
    opened: list[tuple[int, int] | None] = []
    found: list[tuple[int, int, str]] = []
    for token in _TOKEN.finditer(response):
        text = token.group()
        if text == "{":
            opened.append(None)
        elif text == "}":
            box = opened.pop() if opened else None
            if box:
                while found and found[-1][0] > box[0]:  # an inner box is part of this one
                    found.pop()
                found.append((box[0], token.end(), response[box[1] : token.start()]))
        elif text.endswith("{") and len(text) > 2:
            opened.append((token.start(), token.end()))
    return found


def boxed_answer(response: str) -> str | None:
    r"""The content of the last balanced box, or None without one (an empty box is none).

    Boxes parted only by a comma, "and" or "or" are one answer: `\boxed{1} and \boxed{2}` -> "1, 2".
    """
    found = boxes(response)
    if not found:
        return None
    start, _, content = found[-1]
    parts = [content]
    for before in reversed(found[:-1]):
        between = response[before[1] : start]
        if len(between) > _NEIGHBOUR_CHARS or not _NEIGHBOUR.fullmatch(between):
            break
        parts.insert(0, before[2])
        start = before[0]
    return ", ".join(part.strip() for part in parts).strip() or None
