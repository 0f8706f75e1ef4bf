"""Sets of real numbers, however written: intervals, unions, differences, inequalities."""

import re

from rectify.grading.answers.numbers import Number
from rectify.grading.answers.values import (
    Difference,
    Formula,
    Items,
    Relation,
    Union,
    Value,
    letters,
)
from rectify.grading.equality.relations import names
from rectify.grading.equality.rules import rule
from rectify.grading.equality.scalars import scalars_equal
from rectify.grading.formulas.formula import value
from rectify.grading.notation.limits import UnreadableError

Range = tuple[Value, Value, tuple[bool, bool]]
"""(low, high, (low closed, high closed))"""

_INFINITY = Formula(r"\infty")
_MINUS_INFINITY = Formula(r"-\infty")
_LINE = (_MINUS_INFINITY, _INFINITY, (False, False))


@rule
def intervals(gold: Value, answer: Value) -> bool:
    """Intervals and their unions agree in ends and brackets; inequalities are intervals, and so is
    the line without a point.
    """
    expected, given = ranges(gold), ranges(answer)
    if not expected or not given or len(expected) != len(given):
        return False
    rest = list(given)
    for low, high, closed in expected:
        match = next(
            (r for r in rest if r[2] == closed and _same_end(low, r[0]) and _same_end(high, r[1])),
            None,
        )
        if match is None:
            return False
        rest.remove(match)
    return True


def _same_end(gold: Value, answer: Value) -> bool:
    scalar = Number | Formula
    if not isinstance(gold, scalar) or not isinstance(answer, scalar):
        return False
    infinite = [_infinite(end) for end in (gold, answer)]
    return infinite[0] == infinite[1] if any(infinite) else scalars_equal(gold, answer)


def _infinite(end: Value) -> str:
    latex = end.latex.replace(" ", "") if isinstance(end, Formula) else ""
    return {r"\infty": "+", r"+\infty": "+", r"-\infty": "-"}.get(latex, "")


def ranges(side: Value) -> list[Range] | None:
    """Intervals as (low, high, (low closed, high closed)), a point as a closed one; None if `side`
    is no set of them.
    """
    if isinstance(side, Union):
        return _all(side.parts)
    if isinstance(side, Difference):
        whole, points = ranges(side.whole), ranges(side.removed)
        return None if whole is None or points is None else _without(whole, points)
    if isinstance(side, Relation):
        return _inequality(side)
    if not isinstance(side, Items):
        return None
    if side.brackets == "{}":
        return [(item, item, (True, True)) for item in side.items]
    if side.brackets == "":
        return _listed(side)
    if len(side.items) != 2:
        return None
    return [(*side.items, (side.brackets[0] == "[", side.brackets[1] == "]"))]


def _all(parts: tuple[Value, ...]) -> list[Range] | None:
    found = [ranges(part) for part in parts]
    return None if None in found else [one for part in found for one in part]


def _listed(side: Items) -> list[Range] | None:
    r"""Conditions in a list: what they allow, together, without what a \ne forbids."""
    forbidden = [
        part for part in side.items if isinstance(part, Relation) and part.signs == (r"\ne",)
    ]
    if not forbidden:
        return _all(side.items)
    others = [part for part in side.items if part not in forbidden]
    points = [part.sides[1] for part in forbidden]
    scalars = [part for part in others if isinstance(part, Number | Formula)]
    if not all(names(part.sides[0]) for part in forbidden) or scalars not in ([], others):
        return None
    if scalars:  # x \ne 1, 2
        points, others = [*points, *scalars], []
    whole = _all(tuple(others)) if others else [_LINE]
    return None if whole is None else _without(whole, [(p, p, (True, True)) for p in points])


def _without(whole: list[Range], removed: list[Range]) -> list[Range] | None:
    """Ranges without points and ranges, cut where one lies inside, opened where it is an end."""
    for hole in removed:
        if not all(isinstance(end, Number | Formula) for end in hole[:2]):
            return None
        whole = [part for old in whole for part in _cut(old, hole)]
    return whole


def _cut(part: Range, hole: Range) -> list[Range]:
    low, high, (left, right) = part
    start, stop, (first, last) = hole
    if start is stop and _same_end(low, start):
        return [(low, high, (False, right))]
    if start is stop and _same_end(high, stop):
        return [(low, high, (left, False))]
    whole_line = _infinite(low) == "-" and _infinite(high) == "+"
    inside = whole_line or (
        (_infinite(low) == "-" or _place(low) < _place(start))
        and (_infinite(high) == "+" or _place(stop) < _place(high))
    )
    if not inside:
        return [part]
    return [
        *([] if _infinite(start) else [(low, start, (left, not first))]),
        *([] if _infinite(stop) else [(stop, high, (not last, right))]),
    ]


def _place(end: Value) -> float:
    """Where a number lies. Raises UnreadableError for one that has letters."""
    if isinstance(end, Formula) and letters(end.latex):
        raise UnreadableError("a set without a point that has letters")
    return value(end, 0).real


def _inequality(side: Relation) -> list[Range] | None:
    sides, signs = side.sides, side.signs
    if signs == (r"\ne",) and names(sides[0]):
        points = sides[1].items if isinstance(sides[1], Items) else (sides[1],)
        return _without([_LINE], [(point, point, (True, True)) for point in points])
    if signs[-1] in ("=", r"\in"):
        if signs == ("=",) and isinstance(sides[1], Number | Formula) and names(sides[0]):
            return [(sides[1], sides[1], (True, True))]
        return ranges(sides[-1]) if len(signs) == 1 and names(sides[0]) else None
    if len(signs) > 2 or (not set(signs) <= {"<", r"\le"} and not set(signs) <= {">", r"\ge"}):
        return None
    if signs[0] in (">", r"\ge"):
        sides, signs = sides[::-1], signs[::-1]
    if len(sides) == 2 and (size := _size(*sides, signs[0])):
        return size
    closed = tuple(sign in (r"\le", r"\ge") for sign in signs)
    if len(sides) == 3:
        return [(sides[0], sides[2], (closed[0], closed[1]))]
    if names(sides[0]):
        return [(_MINUS_INFINITY, sides[1], (False, closed[0]))]
    return [(sides[0], _INFINITY, (closed[0], False))] if names(sides[1]) else None


def _size(left: Value, right: Value, sign: str) -> list[Range] | None:
    """What a bound on an absolute value allows: |x| < 2, or 2 < |x|."""
    closed = sign == r"\le"
    inner, bound = (left, right) if isinstance(right, Number) else (right, left)
    if not isinstance(bound, Number) or bound.value <= 0 or not isinstance(inner, Formula):
        return None
    if not re.fullmatch(r"\|\s*[A-Za-z]\s*\|", inner.latex.strip()):
        return None
    minus = Number(-bound.value)
    if bound is right:
        return [(minus, bound, (closed, closed))]
    return [(_MINUS_INFINITY, minus, (False, closed)), (bound, _INFINITY, (closed, False))]
