"""What an equation says: whether a side only names a value, and when two equations are one."""

import re

from rectify.grade.formula import value
from rectify.grade.numbers import Number
from rectify.grade.scalars import DECIMAL, REAL_POINTS, close
from rectify.grade.values import Formula, Relation, Value


def names(side: Value) -> bool:
    r"""Whether a side only names something: x, f(x), m_{max}, \angle ABC, Area."""
    if not isinstance(side, Formula):
        return False
    if r"\text" in side.latex or r"\angle" in side.latex:
        return True
    name = r"\\?[A-Za-z]+'*(?:\s*_\s*(?:\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}|\\?\w+))?'*"
    return bool(re.fullmatch(rf"{name}(?:\s*\([^()]*\))?", side.latex.strip()))


def same_name(one: Value, other: Value) -> bool:
    """f(x), f and f_n name the same f; x and y differ."""
    if not isinstance(one, Formula) or not isinstance(other, Formula):
        return False
    strip = r"\\text\{([^{}]*)\}"
    plain = [re.sub(strip, r"\1", s.latex).replace(" ", "") for s in (one, other)]
    return plain[0] == plain[1] or (
        names(other)
        and [re.split(r"[_(]", n)[0] for n in plain] == [re.split(r"[_(]", plain[0])[0]] * 2
        and (not all(re.search(r"\(", n) for n in plain))
        and (not all("_" in n for n in plain))
    )


def renamed(gold: Relation, answer: Relation) -> Formula | None:
    """The right side of f(t) = 2t in the variable of a gold f(x) = 2x; None where that is no matter
    of another variable.
    """
    call = r"\s*([A-Za-z])\s*\(\s*([A-Za-z])\s*\)\s*"
    sides = [getattr(r.sides[0], "latex", "") for r in (gold, answer)]
    found = [re.fullmatch(call, side) for side in sides]
    if not all(found) or found[0][1] != found[1][1] or found[0][2] == found[1][2]:
        return None
    last = answer.sides[-1]
    if not isinstance(last, Formula):
        return None
    return Formula(
        re.sub(
            r"\\[A-Za-z]+|[A-Za-z]",
            lambda m: found[0][2] if m[0] == found[1][2] else m[0],
            last.latex,
        )
    )


def same_equation(gold: Relation, answer: Relation) -> bool:
    """Whether left minus right of one is a constant multiple of the other's."""
    if len(gold.sides) != 2 or len(answer.sides) != 2:
        return False
    ratios = []
    for point in REAL_POINTS:
        sides = [
            value(s, point) if isinstance(s, Number | Formula) else None
            for s in (*gold.sides, *answer.sides)
        ]
        if None in sides or not sides[0] - sides[1] or not sides[2] - sides[3]:
            return False
        ratios.append((sides[0] - sides[1]) / (sides[2] - sides[3]))
    return all(close(ratios[0], ratio, DECIMAL) for ratio in ratios)
