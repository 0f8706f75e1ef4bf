"""The exact value of a formula of whole numbers and fractions."""

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rectify.grading.answers.numbers import Number
from rectify.grading.answers.values import Scalar
from rectify.grading.formulas.formula import MAX_LOG2, parsed
from rectify.grading.notation.limits import UnreadableError

MAX_FACTORIAL = 3_000


@lru_cache(maxsize=65536)
def exact(scalar: Scalar) -> Fraction | None:
    """The rational value of a number or formula; None where it has letters, roots or decimals, or
    is too large to be written out.
    """
    if isinstance(scalar, Number):
        return scalar.value
    try:
        return _walk(parsed(scalar.latex))
    except (UnreadableError, ZeroDivisionError):
        return None


def _walk(node: Any) -> Fraction | None:
    if node.is_Rational:
        return Fraction(int(node.p), int(node.q))
    kind = type(node).__name__
    if kind not in ("Add", "Mul", "Pow", "factorial", "binomial", "UnevaluatedExpr"):
        return None
    parts = []
    for argument in node.args:
        part = _walk(argument)
        if part is None or part.numerator.bit_length() + part.denominator.bit_length() > MAX_LOG2:
            return None
        parts.append(part)
    if kind == "Add":
        return sum(parts)
    if kind == "Mul":
        return math.prod(parts)
    if kind == "Pow":
        return _power(*parts)
    if kind == "UnevaluatedExpr":
        return parts[0]
    if any(part.denominator != 1 or not 0 <= part <= MAX_FACTORIAL for part in parts):
        return None
    whole = [int(part) for part in parts]
    return Fraction(math.factorial(*whole) if kind == "factorial" else math.comb(*whole))


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if (
        exponent.denominator != 1
        or abs(exponent) * bits > MAX_LOG2
        or (base == 0 and exponent <= 0)
    ):
        return None
    return base ** int(exponent)
