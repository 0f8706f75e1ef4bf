r"""Answers that are statements: equal where their signs are, whatever the spacing and braces.

`k \in \mathbb{Z}`, `n \equiv 2 \pmod 5`, `\sum_{k=1}^{n} k` and `\nabla f` have no value that could
be compared, so they are compared as signs, with bound letters under one name.
"""

import re

from rectify.grading.answers.conditions import given, said
from rectify.grading.notation.limits import MAX_CHARS

_TOKEN = re.compile(
    r"\\text\s*\{([^{}]*)\}|\\[A-Za-z]+|\\.|\.\.\.|\d+(?:\.\d+)?|[A-Za-z]{3,}|[A-Za-z]|\S",
    re.DOTALL,
)
_PLAIN = {
    r"\mid": "|",
    r"\colon": ":",
    r"\pmod": "mod",
    r"\bmod": "mod",
    r"\mod": "mod",
    r"\top": "T",
    r"\vert": "|",
}
_LINKS = {"for", "where", "with", "when", "if", "such", "that", "all", "any", "every", "and", "is"}
_CONGRUENCE = re.compile(
    r"(?:([A-Za-z])\s*=\s*)?(-?\d+(?:\s*,\s*-?\d+)*)\s*\(?\s*(?:\\[pb]?mod|\\text\s*\{\s*mod\s*\}|mod)(?![a-z])"
    r"\s*\{?\s*(\d+)\s*\}?\s*\)?"
)
_PROGRESSION = re.compile(
    r"(?:[A-Za-z]=)?(?:(?P<first>-?\d+)\+)?(?P<step>\d+)\*?[A-Za-z](?P<last>[+-]\d+)?"
)
_ARGUMENTS = {r"\frac": 2, r"\binom": 2, r"\sqrt": 1, "_": 1, "^": 1}
_NUMBERS = re.compile(
    r"(?:(?:the )?set of )?(?:all |any |every )?(?:the )?"
    r"(positive|negative|non-?\s?negative|natural|whole|rational|complex)? ?(integers?|numbers?)"
)
_SORTS = {
    **{"natural": "N", "positive": "N", "whole": "N0", "nonnegative": "N0", "negative": "-N"},
    **{"rational": "Q", "complex": "C"},
}
_NOUNS = {"natural", "whole", "rational", "complex"}
MAX_TOKENS = 400


def same_statement(gold: str, answer: str) -> bool:
    """Whether two normalised texts have the same signs, or state the same residues."""
    if (one := _residues(gold)) and (other := _residues(answer) or _progression(answer)):
        return one == other
    if (domain := _domain(gold)) and (answered := _domain(answer)):
        return domain == answered
    first, second = signs(gold), signs(answer)
    return bool(first) and (first == second or _membership(first) == _membership(second))


def residue(text: str) -> str | None:
    r"""The residue that a congruence gives, `12 \pmod{17}` -> "12"; None for another text."""
    match = _CONGRUENCE.fullmatch(text)
    return match[2] if match and match[2].isdigit() and int(match[2]) < int(match[3]) else None


def _residues(text: str) -> tuple[int, frozenset[int]] | None:
    match = _CONGRUENCE.fullmatch(text)
    if not match or not int(match[3]):
        return None
    modulus = int(match[3])
    return modulus, frozenset(int(part) % modulus for part in match[2].split(","))


def _progression(text: str) -> tuple[int, frozenset[int]] | None:
    r"""The residue that `n = 7k + 3, k \in \mathbb{Z}` gives, as _residues."""
    core, conditions = given(text)
    match = _PROGRESSION.fullmatch(re.sub(r"\s", "", core))
    if not match or any(condition != "Z" for _, condition in conditions):
        return None
    first, step, last = match["first"] or 0, int(match["step"]), match["last"] or 0
    return (step, frozenset([(int(first) + int(last)) % step])) if step else None


def _domain(text: str) -> str | None:
    r"""The set that k \in \mathbb{Z}, "k is an integer" and "all integers" name."""
    plain = re.sub(r"\s+", " ", re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text)).strip(" .").lower()
    if match := _NUMBERS.fullmatch(plain):
        sort = re.sub(r"[\s-]", "", match[1] or "")
        whole = match[2].startswith("integer")
        return _SORTS.get(sort, "Z") if whole else _SORTS.get(sort) if sort in _NOUNS else None
    if match := re.fullmatch(r"\\mathbb\{([ZNQC])\}", text):
        return match[1]
    if not re.search(r"\\in(?![a-z])|integer|number", text):
        return None
    found = said(re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text).strip())
    return found[1] if found else None


def signs(text: str) -> tuple[str, ...]:
    """The signs of a text in one spelling; () for a text too long to be a statement."""
    if len(text) > MAX_CHARS:
        return ()
    tokens: list[str] = []
    for token in _TOKEN.finditer(text):
        if token[1] is not None:
            tokens += re.findall(r"[A-Za-z']+|\d+|[^\sA-Za-z]", token[1].lower())
        else:
            plain = token[0].lower() if token[0].isalpha() and len(token[0]) > 1 else token[0]
            tokens.append(_PLAIN.get(plain, plain))
    if len(tokens) > MAX_TOKENS:
        return ()
    return tuple(_bound(_links(_ungrouped(tokens))))


def _ungrouped(tokens: list[str]) -> list[str]:
    r"""Without braces and brackets around single signs: x^{2}, \det(A), \partial{f}."""
    changed = True
    while changed:
        changed, kept, k = False, [], 0
        while k < len(tokens):
            alone = tokens[k : k + 3]
            brace = len(alone) == 3 and (alone[0], alone[2]) == ("{", "}")
            bracket = len(alone) == 3 and (alone[0], alone[2]) == ("(", ")")
            named = (
                kept
                and (kept[-1].startswith("\\") or kept[-1] == "mod")
                and kept[-1] not in _ARGUMENTS
            )
            if brace or (bracket and named and kept[-1] not in (r"\cdot", r"\times")):
                kept.append(alone[1])
                k, changed = k + 3, True
            elif alone[:2] == ["(", "mod"] and ")" in tokens[k:]:
                close = tokens.index(")", k)
                kept += tokens[k + 1 : close]
                k, changed = close + 1, True
            else:
                kept.append(tokens[k])
                k += 1
        tokens = kept
    return tokens


def _links(tokens: list[str]) -> list[str]:
    """Link words and commas before a side condition, and brackets around it, as one comma."""
    kept: list[str] = []
    for token, behind in zip(tokens, [*tokens[1:], ""], strict=True):
        if token == "," and behind in ("&", r"\\", "."):  # at the end of a column or row
            continue
        link = token in _LINKS or (token in (";", r"\forall", ".") and kept)
        such_that = token in (":", "|") and r"\{" in kept
        sign = "," if link or such_that else token
        if sign == "," and (not kept or kept[-1] == ","):
            continue
        kept.append(sign)
    while kept and kept[-1] in ",.":
        kept.pop()
    return kept


def _bound(tokens: list[str]) -> list[str]:
    """Bound letters under names of their own, in the order in which they are bound."""
    names: dict[str, str] = {}
    for k, token in enumerate(tokens):
        before = tokens[k - 1] if k else ""
        behind = tokens[k + 1] if k + 1 < len(tokens) else ""
        binds = (
            before in (r"\forall", r"\exists")
            or (behind == r"\in")
            or (behind == "=" and before == "{" and tokens[k - 2] == "_")
        )
        opened = before == r"\{" and behind in (",", r"\in")
        if len(token) == 1 and token.isalpha() and (binds or opened):
            names.setdefault(token, f"#{len(names)}")
    return [names.get(token, token) for token in tokens]


def _membership(tokens: tuple[str, ...]) -> tuple[str, ...]:
    r"""The set of `x \in S`."""
    if len(tokens) > 2 and tokens[1] == r"\in" and tokens[0].startswith("#"):
        return tokens[2:]
    return tokens


def readable(text: str) -> bool:
    """Whether a person could read the text: its groups close, and no operation lacks an operand."""
    if len(text) > MAX_CHARS or re.search(
        r"[^\x20-\x7e\u00a1-\u9fff\uac00-\ud7a3\uff00-\uffef]", text
    ):
        return False
    level = 0
    for brace in re.findall(r"\\.|[{}]", text):
        level += {"{": 1, "}": -1}.get(brace, 0)
        if level < 0:
            return False
    if level or re.search(
        r"(?:[-+*/=<>^_]|\\(?:frac|sqrt|cdot|times|le|ge|in))\s*$|\\frac\s*\{\s*\}|[\^_]\s*[\^_]",
        text,
    ):
        return False
    return len(re.findall(r"(?<!\\)\\begin", text)) == len(re.findall(r"\\end(?![a-z])", text))
