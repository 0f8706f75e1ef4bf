r"""Side conditions behind an answer: `\pi + 2k\pi, k \in \mathbb{Z}`, in signs or words."""

import re
from typing import NamedTuple

from rectify.grading.answers.real_sets import spelled_set

_NAME = r"(?:[A-Za-z](?:_\{?\w\}?)?)"
_NAMES = rf"(?P<names>{_NAME}(?:\s*,\s*{_NAME})*)"
_INTRO = (
    r"(?:(?:[,;:.(]|\b(?:where|for|with|and|such that|when|any|all|every|each|some)\b"
    r"|\\forall(?![a-z]))\s*)*"
)
_SET = (
    r"(?:\\mathbb\s*\{?\s*(?P<set>[ZNRQC])\s*\}?|(?P<bare>[ZN])(?![A-Za-z]))"
    r"\s*(?:[_^]\s*\{?\s*(?P<part>\+|\*|-|\\ast|0|>\s*0|\\ge\s*0|\\ge\s*1)\s*\}?){0,2}"
)
_ADJECTIVE = r"(?P<sort>positive|negative|non-?\s?negative|natural|whole|real|arbitrary)?\s*"
_NOUN = r"(?P<noun>integers?|numbers?|reals?|constants?)"
_ARTICLE = r"(?:(?:an?|any|some|all|every|each|arbitrary|the)\s+)*"
_END = r"[\s).,\]]*"
_MEMBER = re.compile(rf"{_INTRO}{_NAMES}\s*\\in\s*{_SET}{_END}")
_SPOKEN = re.compile(
    rf"{_INTRO}{_NAMES}\s*(?:is|are|being|be|can be|may be)?\s*{_ARTICLE}{_ADJECTIVE}{_NOUN}{_END}"
)
_BEFORE = re.compile(
    rf"{_INTRO}{_ARTICLE}{_ADJECTIVE}{_NOUN}\s+(?:values?\s+(?:of\s+)?)?{_NAMES}{_END}"
)
_BOUND = re.compile(
    rf"{_INTRO}(?P<names>{_NAME})\s*(?P<bound>(?:\\ge|\\le|\\ne|>|<)\s*-?[\d.]+){_END}"
)
_LISTED = re.compile(
    rf"{_INTRO}(?P<names>{_NAME})\s*=\s*(?P<values>(?:\.\.\.|[\d\s,-]|\\pm)*\.\.\.){_END}"
)
_VALUES = (
    (re.compile(r"0,\\pm1,(?:\\pm2,)?(?:\\pm3,)?\.\.\.|\.\.\.,(?:-2,)?-1,0,1,(?:2,)?\.\.\."), "Z"),
    (re.compile(r"0,1,(?:2,)?(?:3,)?\.\.\."), "N0"),
    (re.compile(r"1,2,(?:3,)?(?:4,)?\.\.\."), "N"),
)
_START = re.compile(
    r"[,;(]|\\text|\\forall|\\quad|\b(?:for|where|with|when)\b|\s(?=[A-Za-z]\s*\\in)"
)
_SETS = {
    "natural": "N",
    "positive": "N",
    "whole": "N0",
    "nonnegative": "N0",
    "negative": "-N",
    "real": "R",
}
_GIVEN = re.compile(r"\\in(?![a-z])|\\[gln]e(?![a-z])|[<>]|integer|number|real|constant|\.\.\.")
MAX_CHARS = 600  # longer texts have no side condition that a gold has


class Given(NamedTuple):
    """An answer's `core` and the conditions on its letters: (letter, condition)."""

    core: str
    conditions: tuple[tuple[str, str], ...]


def given(text: str) -> Given:
    """A normalised text cut before its side conditions; letters that are not in the rest bind
    nothing and are no conditions.
    """
    conditions: list[tuple[str, str]] = []
    while len(text) <= MAX_CHARS and (found := _last(text)):
        text = found[0]
        conditions = [*found[1], *conditions]
    return Given(text, tuple(conditions))


def _last(text: str) -> tuple[str, list[tuple[str, str]]] | None:
    """(what stands before the last condition, its letters and what it says of them)."""
    if not _GIVEN.search(text):
        return None
    for start in _START.finditer(text):
        core = text[: start.start()].strip(" ,;:")
        tail = re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text[start.start() :])
        if not core or (found := said(re.sub(r"\s+", " ", tail).strip())) is None:
            continue
        names, condition = found
        if all(_has(core, name) for name in names) and not _bounds(core, names, condition):
            return core, [(name, condition) for name in names]
    return None


def said(tail: str) -> tuple[list[str], str] | None:
    """(the letters, the condition in one spelling) that the whole of `tail` is, else None."""
    if match := _MEMBER.fullmatch(tail):
        return _names(match), _set(match["set"] or match["bare"], match["part"])
    if match := _SPOKEN.fullmatch(tail) or _BEFORE.fullmatch(tail):
        sort = re.sub(r"[\s-]", "", match["sort"] or "")
        if match["noun"].startswith("integer"):
            return _names(match), _SETS.get(sort, "Z")
        if sort in ("natural", "whole"):
            return _names(match), _SETS[sort]
        return _names(match), "R"
    if match := _LISTED.fullmatch(tail):
        values = re.sub(r"\s", "", match["values"])
        found = [name for form, name in _VALUES if form.fullmatch(values)]
        return (_names(match), found[0]) if found else None
    if match := _BOUND.fullmatch(tail):
        return _names(match), re.sub(r"\s", "", match["bound"])
    return None


def _names(match: re.Match[str]) -> list[str]:
    return re.split(r"\s*,\s*", match["names"])


def _set(letter: str, part: str | None) -> str:
    part = re.sub(r"\s", "", part or "")
    if letter == "N":
        return "N0" if part in ("0", r"\ge0") else "N"
    if letter == "Z" and part:
        return {"0": "N0", r"\ge0": "N0", "-": "-N"}.get(part, "N")
    return letter + part


def _has(core: str, name: str) -> bool:
    return bool(
        re.search(
            rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])|[\d}}]{re.escape(name)}(?![a-z])|{re.escape(name)}(?=\\)",
            re.sub(r"\\text\s*\{[^{}]*\}", "", core),
        )
    )


def _bounds(core: str, names: list[str], condition: str) -> bool:
    r"""Whether the condition is one more bound on what the core is about: x > 3, x \ne 4."""
    if len(names) > 1:
        return False
    if spelled_set(core):
        return True
    about = rf"\s*{re.escape(names[0])}\s*(?:<|>|\\[gln]e(?![a-z])|\\in(?![a-z]))"
    back = rf".*(?:<|>|\\[gl]e(?![a-z]))\s*{re.escape(names[0])}\s*"
    return bool(re.match(about, core) or re.fullmatch(back, core))


def compatible(gold: Given, answer: Given) -> bool:
    """Whether the conditions agree, letters being renamed already. One that only says that a letter
    is a number of some set may be left out, and one more may be given.
    """
    given_too = dict(answer.conditions)
    return all(
        given_too[name] == condition if name in given_too else condition[0] in "ZNRQC"
        for name, condition in gold.conditions
    )
