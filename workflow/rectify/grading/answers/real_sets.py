r"""Sets of real numbers in words and as `\mathbb{R}`, spelled as intervals and conditions."""

import re

_REAL = re.compile(
    r"(?:[a-zA-Z]\s*(?:\\in|is|can be|may be|could be|=|:|\\text)?\s*)?"
    r"(?:the\s+)?(?:entire\s+)?(?:set\s+of\s+)?"
    r"(?:(?:any|all|every|for)\s+)*(?:of\s+)?(?:the\s+)?(?P<sort>positive|negative|non-?\s?negative|non-?\s?zero)?\s*"
    r"(?:REAL|real)(?:s|\s+numbers?|\s+values?)?(?:\s+of)?(?:\s+(?P<name>[a-z])(?![a-z]))?"
    r"(?:\s+(?:numbers?|line))?\s*(?P<rest>.*)",
    re.DOTALL | re.IGNORECASE,
)
_EXCEPT = re.compile(
    r"[,\s]*(?:but\s+not|except|excluding|other\s+than|without|besides|not\s+equal\s+to|different\s+from"
    r"|not\s+including|\\setminus|\\backslash|-(?=\s*\\\{)|/(?=\s*\\\{))"
    r"(?:\s*(?:for|when|where|that|at|the\s+points?)(?![a-z])\s*)*"
    r"\s*(?:[a-z]\s*(?:=|\\ne|is)\s*)?(?P<points>.+)",
    re.DOTALL,
)
_SUCH = re.compile(
    r"[,;:|\s]*(?:\\mid\s*)?(?:such\s+that|with|where|satisfying|and|for\s+which)?\s*"
    r"(?P<relation>(?:[a-z]\s*)?(?:<|>|\\[gln]e(?![a-z])|-?[\d.]+\s*(?:<|\\le)).*)",
    re.DOTALL,
)
_COMPARED = [
    (re.compile(rf"(?:(?:is|are|be|that)\s+)*(?:strictly\s+)?(?:{words})(?![A-Za-z])"), sign)
    for words, sign in (
        (r"(?:greater|larger|more) than or equal to|at least|no less than|not less than", r"\\ge"),
        (r"(?:less|smaller) than or equal to|at most|no more than|not more than", r"\\le"),
        (r"(?:greater|larger|more) than", ">"),
        (r"(?:less|smaller) than", "<"),
    )
]
_NAMED = re.compile(
    r"\s*(?:(?:all|any|every)\s+)?([a-z]\s*(?:<|>|\\[gl]e(?![a-z]))(?:\\[a-z]+|[^A-Za-z])*)"
)
_SORTS = {"positive": r"(0,\infty)", "negative": r"(-\infty,0)", "nonnegative": r"[0,\infty)"}
_SORTS |= {"nonzero": r"x \ne 0"}
_EMPTY = re.compile(
    r"(?:there\s+(?:is|are)\s+)?(?:no|not any)\s+(?:(?:such|real|possible|valid)\s+)*"
    r"(?:solutions?|values?|roots?|[a-z](?= exist))"
    r"(?:\s+exists?)?|(?:the\s+)?(?:empty|null)(?:\s+set)?|none|no\s+real\s+numbers?"
)


_LINE = re.compile(
    r"\\mathbb\s*\{?\s*R\s*\}?(?:\s*[_^]\s*(?:\{\s*(\+|-|\*|1|\\ge ?0|> ?0|< ?0)\s*\}|([-+*1])))?"
    r"|\(\s*-\s*\\infty\s*,\s*\+?\s*\\infty\s*\)(?=.*(?:except|exclud))"
)
_MARKS = {"+": "positive", ">0": "positive", "-": "negative", "<0": "negative"}
_MARKS |= {r"\ge0": "nonnegative", "*": "nonzero"}


def _mark(match: re.Match[str]) -> str:
    return (match[1] or match[2] or "").replace(" ", "")


def spelled_set(text: str) -> str | None:
    r"""`\mathbb{R} \setminus \{-6\}`, `\text{all real numbers except } -6` and the like in signs
    that read.py reads; None for any other text.
    """
    compared = re.search(r"(?<![a-z])than(?![a-z])|at (?:least|most)(?![a-z])", text)
    if not compared and not re.search("mathbb|exc|real", text, re.IGNORECASE):
        return None
    plain = re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text)
    if compared:
        for words, sign in _COMPARED:
            plain = words.sub(sign, plain)
        if named := _NAMED.fullmatch(plain.rstrip(" .")):
            return named[1]
    plain = _LINE.sub(lambda match: f" {_MARKS.get(_mark(match), '')} REAL ", plain)
    plain = re.sub(r"\s+", " ", plain).strip(" .")
    match = _REAL.fullmatch(plain)
    if not match:
        return None
    whole = _SORTS.get(re.sub(r"[\s-]", "", match["sort"] or ""), r"(-\infty,\infty)")
    rest = match["rest"].strip()
    if not rest:
        return whole
    if except_ := _EXCEPT.fullmatch(rest):
        points = except_["points"].strip()
        points = {"zero": "0"}.get(points, points)
        if re.fullmatch(r"[(\[][^()\[\]]*,[^()\[\]]*[)\]]", points):
            return rf"{whole}\setminus {points}"
        inner = re.fullmatch(r"\\\{(.*)\\\}", points, re.DOTALL)
        return rf"{whole}\setminus\{{{inner[1] if inner else points}\}}"
    such = _SUCH.fullmatch(rest)
    if such and whole == r"(-\infty,\infty)":
        relation = such["relation"].strip()
        return relation if relation[0] not in "<>\\" else f"{match['name'] or 'x'} {relation}"
    return None


def is_empty_set(text: str) -> bool:
    r"""Whether a text says in words or signs that nothing is a solution."""
    if text == r"\emptyset":
        return True
    plain = re.sub(r"\\text\s*\{([^{}]*)\}", r"\1", text).strip(" .").lower()
    return bool(_EMPTY.fullmatch(re.sub(r"\s+", " ", plain)))
