"""What an equation says: whether a side only names a value, and when two equations are one."""

import re
from typing import Any

from rectify.grading.answers.numbers import Number
from rectify.grading.answers.values import Formula, Relation, Scalar, Value
from rectify.grading.equality.scalars import DECIMAL, REAL_POINTS, close
from rectify.grading.formulas.formula import value
from rectify.grading.notation.spelling import FUNCTIONS, derivatives

_DOTTED = re.compile(
    r"\\(d+ot)\{\s*(\\?[A-Za-z]+)\s*(?:_\s*\{?(\w+)\}?\s*)?\}(?:\s*_\s*\{?(\w+)\}?)?"
)
_OF_TIME = re.compile(r"(\\[A-Za-z]+|[A-Za-z]|\})\s*\(\s*t\s*\)")
Derivative = tuple[int, str, str]
"""(its order, the letter, the letter's subscript)"""


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
    if "y" in plain and any(re.fullmatch(r"[fgh]\(x\)", name) for name in plain):
        return True  # y = 2x and f(x) = 2x are one line
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
    """Whether left minus right of one is a constant multiple of the other's, or both give a
    derivative the same value.
    """
    if len(gold.sides) != 2 or len(answer.sides) != 2:
        return False
    if not all(isinstance(side, Number | Formula) for side in (*gold.sides, *answer.sides)):
        return False
    if unknown := max(_derivatives(gold), default=None):
        return unknown in _derivatives(answer) and _same_solution(gold, answer, unknown)
    ratios = []
    for point in REAL_POINTS:
        sides = [value(side, point) for side in (*gold.sides, *answer.sides)]
        if not sides[0] - sides[1] or not sides[2] - sides[3]:
            return False
        ratios.append((sides[0] - sides[1]) / (sides[2] - sides[3]))
    return all(close(ratios[0], ratio, DECIMAL) for ratio in ratios)


def _derivatives(equation: Relation) -> set[Derivative]:
    texts = [derivatives(side.latex) for side in equation.sides if isinstance(side, Formula)]
    return {_derivative(found) for text in texts for found in _DOTTED.finditer(text)}


def _derivative(match: re.Match[str]) -> Derivative:
    return len(match[1]) - 2, match[2], match[3] or match[4] or ""


def _same_solution(gold: Relation, answer: Relation, unknown: Derivative) -> bool:
    """Whether two equations, linear in a derivative, give it the same value: m v' + b v = f and
    v' = (f - b v) / m.
    """
    trials = [Formula(rf"\mathcal{{{letter}}}") for letter in "JKL"]
    for point in REAL_POINTS:
        solutions = []
        for equation in (gold, answer):
            (x, at_x), (y, at_y), (z, at_z) = (
                (value(trial, point), _difference(equation, unknown, trial, point))
                for trial in trials
            )
            slope = (at_y - at_x) / (y - x)
            if not slope or not close(at_z - at_x, slope * (z - x), DECIMAL):
                return False
            solutions.append(x - at_x / slope)
        if not close(*solutions, DECIMAL):
            return False
    return True


def _difference(equation: Relation, unknown: Derivative, trial: Formula, point: int) -> Any:
    """Left minus right side, with `trial` for the derivative `unknown`."""

    def put(match: re.Match[str]) -> str:
        return trial.latex if _derivative(match) == unknown else match[0]

    def plain(match: re.Match[str]) -> str:  # x(t) is x: some answers leave the argument out
        return match[0] if match[1][1:] in FUNCTIONS else match[1]

    def tried(side: Scalar) -> Scalar:
        if isinstance(side, Number):
            return side
        return Formula(_OF_TIME.sub(plain, _DOTTED.sub(put, derivatives(side.latex))))

    left, right = (value(tried(side), point) for side in equation.sides)
    return left - right
