r"""What an answer says beside its value: a second form, a rounding, a reason, a place, how often it
counts.
"""

import re

from rectify.grading.answers.numbers import Number
from rectify.grading.answers.phrases import spelled
from rectify.grading.answers.values import Formula, Items, Value

MAX_CHARS = 600  # longer texts have no aside that leaves a value
_UNIT = re.compile(r"(?<=[\d}])\s*([a-z][a-z ]+)$")
_MARK = r"(?:or|=|i\.e\.,?|that is,?|namely|\\approx)"
_REASON = r"(?:since|because|as)"
_BEHIND = r"(?:(?<=[\d}])\s+|(?<=%)\s*|(?<=degrees|radians)\s*)\("
_FORM = r"\s*([-\d.\\][^()]*?)\s*\)"
_TWO_FORMS = re.compile(rf"(.+?)\s*(?:\(\s*{_MARK}|{_BEHIND}){_FORM}")
_TWO_FORMULAS = re.compile(  # of \sqrt{3} (2) the bracket is a factor
    rf"(.+?)\s*(?:\(\s*{_MARK}{_FORM}|{_BEHIND}\s*([-\d.\\][^()]*(?:degrees|radians|%))\s*\))"
)
_SPELLED = re.compile(
    r"(.*\S)\s*(?:\(\s*(?:or\s+)?([A-Za-z][A-Za-z -]*?)\s*\)"
    r"|(?<![A-Za-z])or\s+([A-Za-z][A-Za-z -]*))"
    r"|([A-Za-z][A-Za-z -]*?)\s*\(\s*([-\d.,]+)\s*\)"
)
_REASONED = re.compile(
    rf"(.*?[\d}}%)])\s*,?\s*(?:\(\s*{_REASON}\s+([^()=]*=[^()]*)\)|\b{_REASON}\s+([^()=]*=[^()]*))"
)
_PLACE = re.compile(
    r"(.*[\d})])\s*,?\s*(?:\\text\s*\{[^{}]{0,40}?)?(?<![A-Za-z])(?:when|where|at|for)\s*\}?"
    r"\s*\(?\s*[A-Za-z](?:\s*,\s*[A-Za-z])*\s*\)?\s*=[^=.]+(?:\.\d+)?"
)
_ABOUT = r"(?:or\s+)?(?:approximately|about|roughly|\\approx)"
_ROUNDED = re.compile(
    rf"(.*[\d}}])\s*(?:\(\s*{_ABOUT}\s*(-?[\d.]+)[^()\d]*\)|,?\s*{_ABOUT}\s*(-?[\d.]+))"
)
_TIMES = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_MULTIPLICITY = re.compile(
    r"([^,;()]*[\d)}])\s*,?\s*(\()?\s*(?:with\s+|of\s+)?multiplicity\s*(?:of\s+|=\s*|:\s*)?"
    rf"(\d|{'|'.join(_TIMES)})\s*(?(2)\))"
    r"|([^,;()]*[\d)}])\s*\(\s*(?:an?\s+)?(?:double|repeated)\s+root\s*\)"
)


def without_asides(text: str, like: Value) -> str:
    """An answer's text with its value alone where the rest changes nothing: its forms as a list,
    to be compared one by one.
    """
    if len(text) > MAX_CHARS:
        return text
    if "multiplicity" in text or "root" in text:
        text = _repeated(text, like)
    if not isinstance(like, Number | Formula):
        return text
    text = _rounded(text)
    if "=" in text and (place := _PLACE.fullmatch(text)):
        text = place[1]  # 7 \text{ at } x = 1
    if re.search(r"since|because|\bas\b", text) and (reason := _REASONED.fullmatch(_plain(text))):
        return f"{reason[1]} , {reason[2] or reason[3]}"
    return _two_forms(text, like) if "(" in text or "or" in text else text


def _two_forms(text: str, like: Number | Formula) -> str:
    r"""`\frac{1}{4} (25\%)` and `13 \text{ (thirteen)}` as two forms."""
    plain = _plain(text)
    if named := _SPELLED.fullmatch(plain):
        words, figures = named[2] or named[3] or named[4], named[1] or named[5]
        if number := spelled(words):
            return f"{figures} , {number}"
    two = (_TWO_FORMS if isinstance(like, Number) else _TWO_FORMULAS).fullmatch(plain)
    return (
        " , ".join(_UNIT.sub(r"\\text{\1}", form) for form in two.groups() if form) if two else text
    )


def _plain(text: str) -> str:
    """The text with its words outside of font commands."""
    return re.sub(r"\\text\s*\{([^{}]*)\}", r"\1", text).strip()


def _repeated(text: str, like: Value) -> str:
    r"""`-1 \text{ (with multiplicity 2)}` as -1, or as -1, -1 where a gold repeats a value."""
    repeats = isinstance(like, Items) and len(set(like.items)) < len(like.items)

    def listed(match: re.Match[str]) -> str:
        root = match[1] or match[4]
        times = _TIMES.get(match[3] or "two") or int(match[3])
        return " , ".join([root] * times) if repeats else root

    plain = _plain(text)
    found = _MULTIPLICITY.sub(listed, plain)
    return found if found != plain else text


def _rounded(text: str) -> str:
    r"""`\frac{1}{36} \text{ (or about } 0.0278)` as `\frac{1}{36} \approx 0.0278`."""
    if not re.search("about|roughly|approx", text):
        return text
    match = _ROUNDED.fullmatch(_plain(text))
    return rf"{match[1]} \approx {match[2] or match[3]}" if match else text
