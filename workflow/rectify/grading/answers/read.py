"""Read a normalised answer as one of the types of values.py, and say what cannot be read."""

import re
from collections.abc import Iterator
from dataclasses import replace

from rectify.grading.answers.asides import without_asides
from rectify.grading.answers.measures import duration, measure
from rectify.grading.answers.numbers import Number, read_number, ungroup
from rectify.grading.answers.phrases import (
    REFUSING,
    foreign,
    lead,
    ordinal,
    quotient,
    reckoned,
    spelled,
)
from rectify.grading.answers.real_sets import is_empty_set, spelled_set
from rectify.grading.answers.statements import residue
from rectify.grading.answers.texts import based, undressed, words
from rectify.grading.answers.units import split_unit
from rectify.grading.answers.values import (
    Difference,
    Formula,
    Items,
    Matrix,
    Relation,
    Scalar,
    Union,
    Value,
    letters,
)
from rectify.grading.notation.brackets import cut, enclosed, split
from rectify.grading.notation.limits import MAX_CHARS, MAX_DEPTH, UnreadableError, depth
from rectify.grading.notation.normalise import whole_group

_SIGNS = {"=", "<", ">", r"\le", r"\ge", r"\ne", r"\in", r"\approx"}
_TURNED = {"<": ">", ">": "<", r"\le": r"\ge", r"\ge": r"\le"}
_BOTH = re.compile(r"\\text\s*\{\s*and\s*\}|(?<![A-Za-z\\])and(?![A-Za-z])|\\(?:land|wedge)\b")
_AND_OR = re.compile(
    r"\s*(?:,\s*)?(?:\\text\s*\{\s*,?\s*(?:(?:and|or)(?:,?\s*equivalently)?|equivalently|i\.e\.)\s*,?\s*\}|(?P<text>\\text\s*\{[^{}]*\})"
    r"|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])|\\lor\b|\\vee\b)\s*"
)
_UNIT_OR = re.compile(r"\\text\s*\{\s*([A-Za-z][A-Za-z ]*?),?\s+or\s*\}")
_PROSE = re.compile(
    r"[,\s]*(?:(?:\\text\s*\{\s*)?(?<![A-Za-z])"
    r"(?:where|for all|for every|for any)(?![A-Za-z])|\\forall).*$",
    re.DOTALL,
)
_BUILDER = re.compile(
    r"[a-zA-Z]\s*(?:\\in\s*\\mathbb\{R\}\s*)?(?:\\mid(?![a-z])|\||:)(.*)", re.DOTALL
)
_MATRIX = re.compile(
    r"\\begin\{([pbB]?matrix|smallmatrix|array)\}(?:\{[lcr| ]*\})?(.*?)\\end\{\1\}", re.DOTALL
)
_EUROPEAN = re.compile(r"([\[\]])([^\[\]()]+,[^\[\]()]+)([\[\]])")  # ]2, 5[
_SIGNED = re.compile(r"\\(?:pm|mp)(?![a-z])")
_GROUPED = re.compile(r"-?\d{1,3}(?: \d{3})+")
_PLAIN_WORDS = re.compile(r"[A-Za-z][A-Za-z' -]+")


def read(text: str, like: Value | None = None) -> Value:
    """The value that `text` (normalised) spells; `like` is the gold's value, which settles what a
    lone text cannot: whether `1,234` is a list, `12 m` a length, `C` a choice.

    Raises UnreadableError.
    """
    if len(text) > MAX_CHARS:
        raise UnreadableError(f"{len(text)} characters")
    if depth(text) > MAX_DEPTH:
        raise UnreadableError("brackets too deep")
    text = spelled_set(text) or _PROSE.sub("", text)
    if like is not None:
        text = _as_asked(text, like)
    if not text:
        raise UnreadableError("empty")
    if european := _EUROPEAN.fullmatch(text):
        left, ends, right = european.groups()
        text = ("[" if left == "[" else "(") + ends + ("]" if right == "]" else ")")
    if not any(c.isalpha() or c == "_" for c in text):
        return _sequence(text, like)
    if found := words(text, like) or based(text, like):
        return found
    if is_empty_set(text):
        return Items("{}", ())
    text = spelled(text) or text
    if "matrix}" in text or r"\begin{array}" in text:
        return _matrix(text)
    return _sequence(text, like)


def _as_asked(text: str, like: Value) -> str:
    r"""The part of an answer that answers: behind the last \implies, the residue of a congruence,
    a value without its remainder, its second form or a bracket that was left open.
    """
    text = split(text, r"\implies", r"\therefore", r"\to")[-1] or text
    text = re.sub(r"\s*[(\[]\s*$", "", text) or text
    if isinstance(like, Items) and like.brackets in ("", "()"):
        if text.startswith("(") and text.count("(") == text.count(")") + 1 and "]" not in text:
            text += ")"
        if re.fullmatch(r"-?\d+(?: -?\d+)+", text) and not _GROUPED.fullmatch(text):
            text = text.replace(" ", ",")
        if whole := re.fullmatch(r"\\text\s*\{([^{}]*)\}", text):
            text = whole[1]
    text = without_asides(text, like)
    if isinstance(like, Number):
        text = ordinal(text) or foreign(quotient(residue(text) or text))
    return text


def _matrix(text: str) -> Matrix:
    found = list(_MATRIX.finditer(text))
    if len(found) != 1:
        raise UnreadableError("not one matrix")
    before, after = text[: found[0].start()].strip(), text[found[0].end() :].strip()
    if before + after in ("()", "[]"):
        before = after = ""
    factor = re.sub(r"(?:\\cdot|\\times|\*)\s*$", "", before.split("=")[-1]).strip()
    if after:
        raise UnreadableError("text behind a matrix")
    body = re.sub(
        r"\\\\\s*\[[^\[\]]*\]|\\(?:cr|hline)\b",
        lambda m: "" if "hline" in m[0] else r"\\",
        found[0][2],
    )
    rows = [row.split("&") for row in re.split(r"\\\\", body) if row.strip()]
    cells = tuple(tuple(_cell(cell.strip(), factor) for cell in row) for row in rows)
    if not cells or len({len(row) for row in cells}) != 1:
        raise UnreadableError("ragged matrix")
    return Matrix(cells)


def _cell(text: str, factor: str) -> Value:
    if factor in ("", "-"):
        return _scalar(f"-({text})" if factor else text, None)
    return _scalar(f"({factor})*({text})", None)


def _sequence(text: str, like: Value | None) -> Value:
    """Lists, unions, brackets, relations; what is none of them is a scalar."""
    if r"\setminus" in text and len(parts := split(text, r"\setminus")) == 2 and all(parts):
        head = re.fullmatch(r"\s*[A-Za-z]\s*\\in\s*(.*)", parts[0], re.DOTALL)
        whole = spelled_set(head[1] if head else parts[0]) or (head[1] if head else parts[0])
        return Difference(_sequence(whole, None), _sequence(parts[1], None))
    if text.startswith(r"\{") and (inside := enclosed(text)) and _BUILDER.match(inside[1]):
        return _bracketed(*inside, like)  # before its "and" becomes a comma
    if r"\cup" in text and len(parts := split(text, r"\cup")) > 1:
        head = re.fullmatch(r"\s*[A-Za-z]\s*\\in\s*(.*)", parts[0], re.DOTALL)
        parts[0] = head[1] if head else parts[0]
        return Union(tuple(_sequence(part, None) for part in parts))
    grouped = like is not None and re.fullmatch(r"\(-?\d{1,3}(?:,\d{3})+\)", text)
    if not isinstance(like, Items):  # `12,345` is one number where the gold is no list
        head = 0 if grouped else max(text.rfind(")"), text.rfind("]")) + 1
        text = text[:head] + ungroup(text[head:])
    parts = _listed(_between(text))
    if not parts:
        raise UnreadableError("only separators")
    if len(parts) > 1:
        return Items("", tuple(_expand(parts, like)))
    text = parts[0]
    if _SIGNED.search(text) and enclosed(text) and not text.startswith(r"\{"):
        return Items("", tuple(_expand([text], like)))  # (\pm 3, 2) is two points
    if (inside := enclosed(text)) and (value := _bracketed(*inside, like)):
        return value
    typo = re.fullmatch(r"[a-z]\s*((?:\(.*,.*\]|\[.*,.*\)))", text)  # t(0,4] stands for t in (0,4]
    if typo and enclosed(typo[1]):
        return _sequence(typo[1], like)
    if relation := _relation(text, like):
        return relation
    if found := measure(text):
        return found
    if _SIGNED.search(text):
        return Items("", tuple(_expand([text], like)))
    return _scalar(text, like)


def _bracketed(brackets: str, content: str, like: Value | None) -> Value | None:
    """Items in brackets, or None where the brackets only group: `(x+1)`."""
    if brackets == "{}" and (condition := _BUILDER.match(content)):
        return _sequence(condition[1].strip(), like)
    parts = _listed(content)
    if brackets == "{}" or len(parts) > 1:
        return Items(brackets, tuple(_expand(parts, None)))
    return _sequence(content, like) if brackets == "()" and enclosed(content) else None


def _between(text: str) -> str:
    r"""`x > 3 and x \le 4` as the chain 3 < x \le 4; any other text as it is."""
    bounds = [cut(part, _TURNED) for part in _BOTH.split(text)]
    if len(bounds) != 2 or any(len(signs) != 1 for _, signs in bounds):
        return text
    ends = {}
    for (left, right), (sign,) in bounds:
        name, sign, end = (left, sign, right) if left.isalpha() else (right, _TURNED[sign], left)
        ends[sign in ("<", r"\le")] = name, sign, end
    if len(ends) != 2 or ends[False][0] != ends[True][0]:
        return text
    (name, low_sign, low), (_, high_sign, high) = ends[False], ends[True]
    return f"{low} {_TURNED[low_sign]} {name} {high_sign} {high}"


def _listed(text: str) -> list[str]:
    """The items between commas, semicolons, "and" and "or"."""
    text = _AND_OR.sub(_comma, text)
    return [part for part in split(text, ",", ";") if part]


def _comma(match: re.Match[str]) -> str:
    """A comma for "and" or "or", also behind a unit: 45 degrees or ..."""
    if not match["text"]:
        return " , "
    unit = _UNIT_OR.fullmatch(match["text"])
    return rf"\text{{{unit[1]}}} , " if unit and not REFUSING.search(unit[1]) else match[0]


def _expand(parts: list[str], like: Value | None) -> Iterator[Value]:
    """Each part's value; a part with a plus-minus sign gives one value for each choice of signs."""
    inner = like.items[0] if isinstance(like, Items) and like.items else None
    for part in parts:
        for signed in _signs(part):
            yield _sequence(signed, inner)


def _signs(text: str) -> list[str]:
    count = len(re.findall(r"\\pm(?![a-z])", text))
    if not _SIGNED.search(text):
        return [text]
    if count > 4:
        raise UnreadableError("too many signs")
    if re.search(r"\\mp(?![a-z])", text):  # upper signs together, lower signs together
        flip = {r"\pm": "+-", r"\mp": "-+"}
        return [re.sub(r"\\(?:pm|mp)(?![a-z])", lambda m, k=k: flip[m[0]][k], text) for k in (0, 1)]
    head, tail = re.split(r"\\pm(?![a-z])", text, maxsplit=1)
    return [variant for sign in "+-" for variant in _signs(head + sign + tail)]


def _relation(text: str, like: Value | None) -> Relation | None:
    texts, signs = cut(text, _SIGNS)
    if not signs:
        return None
    if len(texts) > 20 or not all(texts):
        raise UnreadableError("relation with an empty side")
    inner = None if isinstance(like, Relation) else like
    return Relation(tuple(_side(side, inner) for side in texts), tuple(signs))


def _side(text: str, like: Value | None) -> Value:
    if _PLAIN_WORDS.fullmatch(text) or (r"\text" in text and not re.search(r"\d", text)):
        return Formula(text)
    return based(text, like) or _sequence(spelled_set(text) or text, like)


def _scalar(text: str, like: Value | None) -> Scalar:
    """A number or a formula, without its unit and percent sign."""
    numeric = isinstance(like, Number) or (isinstance(like, Formula) and not letters(like.latex))
    text = re.sub(r"^\+\s*", "", text.strip())
    if any(c.isalpha() for c in text):
        text = duration(reckoned(text))
        if numeric:
            text = reckoned(lead(undressed(text)))
    text, unit = split_unit(_ungrouped(text), bare=numeric)
    percent = text.endswith("%")
    text = _ungrouped(text.rstrip("% "))
    number = read_number(ungroup(text))
    if number:
        return replace(number, percent=percent, unit=unit)
    if not text:
        raise UnreadableError("empty item")
    return Formula(ungroup(text), percent, unit)


def _ungrouped(text: str) -> str:
    """`text` without brackets that hold all of it: (5), [5], {5}."""
    text = whole_group(text.strip())
    while (
        (inside := enclosed(text)) and inside[0] in ("()", "[]") and len(split(inside[1], ",")) == 1
    ):
        text = whole_group(inside[1])
    return text
