"""Sets of real numbers, however written: intervals, unions, differences, inequalities."""

from rectify.grade.formula import value
from rectify.grade.numbers import Number
from rectify.grade.relations import names
from rectify.grade.rules import rule
from rectify.grade.scalars import scalars_equal
from rectify.grade.values import (
    Difference,
    Formula,
    Items,
    Relation,
    Union,
    UnreadableError,
    Value,
    letters,
)

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


def _without(whole: list[Range], points: list[Range]) -> list[Range] | None:
    """Ranges without single points, cut where a point lies inside, opened where it is an end."""
    for point, other, _ in points:
        if point is not other or not isinstance(point, Number | Formula):
            return None
        whole = [part for old in whole for part in _cut(old, point)]
    return whole


def _cut(part: Range, point: Value) -> list[Range]:
    low, high, (left, right) = part
    place = _place(point)
    if _same_end(low, point):
        return [(low, high, (False, right))]
    if _same_end(high, point):
        return [(low, high, (left, False))]
    if _infinite(low) == "-" and _infinite(high) == "+":
        inside = True
    else:
        inside = (_infinite(low) == "-" or _place(low) < place) and (
            _infinite(high) == "+" or place < _place(high)
        )
    return [(low, point, (left, False)), (point, high, (False, right))] if inside else [part]


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
        return ranges(sides[-1]) if len(signs) == 1 else None
    if len(signs) > 2 or (not set(signs) <= {"<", r"\le"} and not set(signs) <= {">", r"\ge"}):
        return None
    if signs[0] in (">", r"\ge"):
        sides, signs = sides[::-1], signs[::-1]
    closed = tuple(sign in (r"\le", r"\ge") for sign in signs)
    if len(sides) == 3:
        return [(sides[0], sides[2], (closed[0], closed[1]))]
    if names(sides[0]):
        return [(_MINUS_INFINITY, sides[1], (False, closed[0]))]
    return [(sides[0], _INFINITY, (closed[0], False))] if names(sides[1]) else None
