"""Find the answer a response commits to: its last balanced box, joined with its neighbours."""

import re

_TOKEN = re.compile(r"\\{1,2}(?:boxed|fbox)(?![A-Za-z])\s*(?P<brace>\{)?|\\.|[{}]", re.DOTALL)
_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
_BARE = re.compile(  # what TeX boxes without braces, but a whole number at once
    rf"[-+]?(?:\d+(?:\.\d+)?|\.\d+|\\\\?[A-Za-z]+(?:\s*{_GROUP})+|\\\\?[dt]?frac\s*\d\s*\d"
    r"|\\\\?[A-Za-z]+|[A-Za-z](?![A-Za-z]))"
)
_WORD = r"(?:and|or|\\text\s*\{\s*,?\s*(?:and|or)\s*\})"
_FILLER = r"(?:\s|\$|\\[()\[\],;: ]|\\q?quad|~|[A-Za-z](?:_\{?\w\}?)?\s*=)"
_NEIGHBOUR = re.compile(rf"{_FILLER}*(?:[,;]\s*{_FILLER}*{_WORD}?|{_WORD}){_FILLER}*")
_NEIGHBOUR_CHARS = 60  # longer text between two boxes is prose, and the boxes separate results


def boxes(response: str) -> list[tuple[int, int, str]]:
    r"""(start, end, content) of every balanced outermost box, in order: `\boxed{...}`,
    `\fbox{...}`, `\boxed 5`, and `\\boxed{...}` of an escaped string.

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
        elif token["brace"]:
            opened.append((token.start(), token.end()))
        elif len(text) > 2 and (bare := _BARE.match(response, token.end())):
            found.append((token.start(), bare.end(), bare[0]))
    return found


def boxed_parts(response: str) -> list[str]:
    r"""The contents of the last balanced box and of those before it from which only a comma, "and"
    or "or" parts it: `\boxed{1} and \boxed{2}` -> ["1", "2"]; none where the box is empty.
    """
    found = boxes(response)
    if not found:
        return []
    start, _, content = found[-1]
    parts = [content]
    for before in reversed(found[:-1]):
        between = response[before[1] : start]
        if len(between) > _NEIGHBOUR_CHARS or not _NEIGHBOUR.fullmatch(between):
            break
        parts.insert(0, before[2])
        start = before[0]
    return [part.strip() for part in parts] if any(part.strip() for part in parts) else []


def boxed_answer(response: str) -> str | None:
    r"""The parts of the last box as one answer, `\boxed{1} and \boxed{2}` -> "1, 2"; None without
    one (an empty box is none).
    """
    return ", ".join(boxed_parts(response)) or None
