"""What stands left of an equals sign: a name, several names, a value, or an unknown to be found."""

import re
from functools import lru_cache

from rectify.grading.answers.numbers import Number
from rectify.grading.answers.values import Formula, Items, Relation, Value, letters
from rectify.grading.equality.exact import exact
from rectify.grading.equality.relations import names
from rectify.grading.equality.scalars import close, scalars_equal
from rectify.grading.formulas.formula import UndecidedError
from rectify.grading.formulas.formula import value as formula_value
from rectify.grading.notation.limits import UnreadableError
from rectify.grading.notation.normalise import normalise

_LETTER = r"(?:\\(?:theta|alpha|beta|phi|lambda|varphi|gamma)(?![a-z])|[A-Za-z])(?:_\{?\w+\}?)?"
_POLYNOMIAL = re.compile(rf"(?:{_LETTER}|\\frac|\\cdot|\\times|[-+*/\d\s.(){{}}^])+")
_COMMAND = re.compile(r"\\(?!(?:theta|alpha|beta|phi|lambda|varphi|gamma)(?![a-z]))[A-Za-z]+")
_FUNCTION = re.compile(
    r"\\(?!(?:frac|sqrt|cdot|times|pi|left|right|binom|l?floor|r?floor|log(?=\s*_)|ln)(?![a-z]))[A-Za-z]+"
)
_UNDONE = re.compile(r"\||!|\\(?:sqrt|log|ln|binom)(?![a-z])")
_RATIO = re.compile(
    r"\\frac\s*\{[^{}]*\}\s*\{[^{}]*[A-Za-z][^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[\w})]*\s*/\s*\(?\s*[A-Za-z](?:\^\{?\d\}?)?"
)
_CONDITION = re.compile(
    r"(?:\\text\s*\{\s*)?(?:when|whenever|if|iff|where|for|at|as|while|given|suppose|let|provided|assum\w+"
    r"|unless|since|because)[\s},:]|.*\b(?:when|whenever|if|provided|unless)(?![A-Za-z])",
    re.IGNORECASE | re.DOTALL,
)
ROUGHLY = 0.02
_UNKNOWNS = set("xyztnmkuvw")
_COORDINATES = set("xyz")
_MATH = re.compile(r"\$\$?(.+?)\$\$?|\\\[(.+?)\\\]|\\\((.+?)\\\)", re.DOTALL)
_IN_WORDS = (
    (re.compile(r"\b(?:sum|total|altogether|combined)\b"), re.compile(r"[xyz](?:\+[xyz])+")),
    (re.compile(r"\bdifference\b"), re.compile(r"[xyz]-[xyz]")),
    (re.compile(r"\bproduct\b"), re.compile(r"[xyz]{2,3}")),
)


def tells(side: Value, value: Value, reckoned: bool = False) -> bool:
    """Whether `side = value` states the value: a name (x, Area), a number or expression that is
    equal to it, or a quantity (m + n, AB, sin x), but no equation in an unknown (2x = 4, |x - 3| =
    7) or in coordinates (xy = 12), unless it is `reckoned` (x + y = 4 + 6 = 10), and no condition
    (when x = 1). Where the question asks for the left side, see asked.
    """
    if isinstance(side, Number):
        return isinstance(value, Number | Formula) and scalars_equal(side, value)
    if not isinstance(side, Formula) or _CONDITION.match(side.latex):
        return False
    found = {
        re.sub(r"[{}]", "", name) for name in re.findall(_LETTER, _COMMAND.sub(" ", side.latex))
    }
    product = len(found) > 1 and found <= _COORDINATES
    if "..." in side.latex or (names(side) and not product):
        return True
    if not found and not _FUNCTION.search(side.latex):
        return _is(side, value)
    if len(found) > 1 and (reckoned or not product):
        return True
    if isinstance(value, Formula) and letters(value.latex) and _is(side, value):
        return True  # (x + 1)(x + 2) = x^2 + 3x + 2
    if not _POLYNOMIAL.fullmatch(side.latex):
        undone = _UNDONE.search(side.latex) and not _FUNCTION.search(side.latex)
        modulus = re.fullmatch(r"\|\s*[uvwz]\s*\|", side.latex)
        return bool(modulus) or not (undone and found <= _UNKNOWNS)
    inverse = _RATIO.search(side.latex)
    if inverse and (
        product or not found <= _UNKNOWNS or re.search("[A-Za-z]", _without_ratios(side.latex))
    ):
        return True  # x + 1/x = 3 answers a question for that sum
    power = re.fullmatch(rf"\(?\s*({_LETTER})\s*\)?\s*\^\s*\{{?\d+\}}?", side.latex.strip())
    return bool(power) and power[1] not in _UNKNOWNS


def _without_ratios(latex: str) -> str:
    """A formula without its fractions of a letter and its commands: x + 1/x is x + ."""
    return _COMMAND.sub(" ", _RATIO.sub(" ", latex))


def _is(side: Formula, value: Value) -> bool:
    """Whether a side is equal to the value, or a root or the like to a number near it (3 pi =
    9.42); one that cannot be read is taken at its word.
    """
    if not isinstance(value, Number | Formula):
        return False
    try:
        near = isinstance(value, Number) and exact(side) is None and not letters(side.latex)
        return scalars_equal(side, value) or (
            near and close(formula_value(side, 0), formula_value(value, 0), ROUGHLY)
        )
    except (UnreadableError, UndecidedError):
        return True


def asked(answer: str, problem: str) -> str:
    """A normalised answer without the left side that the question asks for: of `x + y = 12` to
    "Find $x + y$", or for a sum in words, the 12; any other answer as it is.
    """
    left, sign, value = answer.partition("=")
    if not sign or not problem or not re.search(r"[-+*/^\\]|[A-Za-z0-9]\s*[A-Za-z]", left):
        return answer
    left = _compact(left)
    words = any(said.search(problem) and form.fullmatch(left) for said, form in _IN_WORDS)
    return value.strip() if words or left in _terms(problem) else answer


@lru_cache(maxsize=1024)
def _terms(problem: str) -> frozenset[str]:
    """The formulas of a question."""
    found = ("".join(match.groups("")) for match in _MATH.finditer(problem))
    return frozenset(_compact(normalise(term)) for term in found)


def _compact(text: str) -> str:
    return re.sub(r"\\(?:cdot|times)(?![a-z])|[\s{}*]|[.,;:?]+\s*$", "", text)


def stated_name(side: Value) -> bool:
    """Whether a side names a value, or several: x, f(x), (x, y)."""
    if isinstance(side, Items):
        return side.brackets == "()" and all(names(item) for item in side.items)
    return names(side)


def assigned(gold: Value, answer: Value) -> tuple[list[Value], list[Value]] | None:
    """(the gold's values, the answer's), both in the order of the gold's names, where one of them
    at least names each of its values: (x, y) = (2, 3) and y = 3, x = 2. None where neither does, or
    the names are not the same.
    """
    ours, theirs = _values(gold), _values(answer)
    if ours and theirs:
        if sorted(ours) != sorted(theirs):
            return None
        return [ours[name] for name in ours], [theirs[name] for name in ours]
    point = isinstance(gold, Items) and gold.brackets == "()"
    if theirs and point and len(gold.items) == len(theirs):
        alphabet = set(theirs) <= set("xyz")
        order = sorted(theirs) if alphabet else list(theirs)
        return list(gold.items), [theirs[name] for name in order]
    if ours and isinstance(answer, Items) and answer.brackets in ("()", ""):
        plain = not any(isinstance(item, Relation) for item in answer.items)
        return (list(ours.values()), list(answer.items)) if plain else None
    return None


def points(gold: Items, answer: Items) -> Items | None:
    """The points of `x = 2, y = 3 or x = 3, y = 2` for a gold that lists as many; None for another
    answer.
    """
    listed = all(isinstance(item, Items) and item.brackets == "()" for item in gold.items)
    if not listed or len(gold.items) < 2:
        return None
    size = len(gold.items[0].items)
    if size < 2 or len(answer.items) != size * len(gold.items):
        return None
    found = [
        _values(Items("", answer.items[k : k + size])) for k in range(0, len(answer.items), size)
    ]
    if not all(found) or any(set(values) != set(found[0]) for values in found):
        return None
    order = sorted(found[0]) if set(found[0]) <= set("xyz") else list(found[0])
    return Items("", tuple(Items("()", tuple(v[name] for name in order)) for v in found))


def _values(side: Value) -> dict[str, Value] | None:
    """Name -> value of `(x, y) = (2, 3)` or of `x = 2, y = 3`, two names at least."""
    if isinstance(side, Relation) and side.signs == ("=",):
        left, right = side.sides
        tuples = isinstance(left, Items) and isinstance(right, Items) and stated_name(left)
        if tuples and right.brackets == "()" and len(left.items) == len(right.items) > 1:
            return _by_name(left.items, right.items)
        return None
    if not isinstance(side, Items) or side.brackets not in ("", "()", "{}") or len(side.items) < 2:
        return None
    pairs = [
        i for i in side.items if isinstance(i, Relation) and i.signs == ("=",) and names(i.sides[0])
    ]
    if len(pairs) != len(side.items):
        return None
    return _by_name([i.sides[0] for i in pairs], [i.sides[1] for i in pairs])


def _by_name(left: list[Value], right: list[Value]) -> dict[str, Value] | None:
    found = {re.sub(r"\s", "", name.latex): value for name, value in zip(left, right, strict=True)}
    return found if len(found) == len(left) else None
