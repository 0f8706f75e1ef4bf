"""Intervals, however written: brackets, unions, inequalities."""

from rectify.grade.numbers import Number
from rectify.grade.relations import names
from rectify.grade.rules import rule
from rectify.grade.scalars import scalars_equal
from rectify.grade.values import Formula, Items, Relation, Union, Value

Range = tuple[Value, Value, tuple[bool, bool]]
"""(low, high, (low closed, high closed))"""

_INFINITY = Formula(r"\infty")
_MINUS_INFINITY = Formula(r"-\infty")


@rule
def intervals(gold: Value, answer: Value) -> bool:
    """Intervals and their unions agree in ends and brackets; inequalities are intervals."""
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
    return isinstance(gold, scalar) and isinstance(answer, scalar) and scalars_equal(gold, answer)


def ranges(side: Value) -> list[Range] | None:
    """Intervals as (low, high, (low closed, high closed)), a point as a closed one; None if `side`
    is no set of them.
    """
    if isinstance(side, Union):
        parts = [ranges(part) for part in side.parts]
        return None if None in parts else [one for part in parts for one in part]
    if isinstance(side, Relation):
        return _inequality(side)
    if not isinstance(side, Items):
        return None
    if side.brackets == "{}":
        return [(item, item, (True, True)) for item in side.items]
    if side.brackets == "":
        parts = [ranges(item) for item in side.items]
        return None if None in parts else [one for part in parts for one in part]
    if len(side.items) != 2:
        return None
    return [(*side.items, (side.brackets[0] == "[", side.brackets[1] == "]"))]


def _inequality(side: Relation) -> list[Range] | None:
    sides, signs = side.sides, side.signs
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
