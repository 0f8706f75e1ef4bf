"""Decide whether two scalars are equal.

Exact rationals first; then the values of both formulas at fixed points, to 300 digits;
math-verify's own comparison last, where a formula has no value at any point.
"""

import logging
import re
from dataclasses import replace
from typing import Any

from rectify.grading.answers.numbers import Number
from rectify.grading.answers.units import conflict, converted
from rectify.grading.answers.values import Formula, Scalar, letters
from rectify.grading.equality.exact import exact
from rectify.grading.equality.rules import rule
from rectify.grading.formulas.formula import (
    PRECISION,
    UndecidedError,
    has_float,
    is_discrete,
    tree,
    value,
)
from rectify.grading.notation.limits import UnreadableError

EXACT = 1e-320  # two exact formulas, so that 2^{1009} and its successor differ
TINY = 1e-300  # below it, a value may be the rounding error of a 0
DECIMAL = 1e-9  # a decimal inside a formula; 1e-6 would accept n + 0.5 for n above 5e5
FLOAT_DIGITS = 15  # a number printed by a program: 0.30000000000000004
FLOAT_ERROR = 1e-14
ROUNDED = 6  # decimals and figures that a rounding of an endless decimal must show
REAL_POINTS, WHOLE_POINTS, NEGATIVE_POINTS = range(3), range(10, 40), range(-3, 0)


def scalars_equal(gold: Scalar, answer: Scalar) -> bool:
    """Whether two scalars are equal. Raises UnreadableError for what is outside the grammar."""
    if conflict(gold.unit, answer.unit):
        factor = converted(answer.unit, gold.unit)
        if not factor or not isinstance(gold, Number) or not isinstance(answer, Number):
            return False
        return gold.value == answer.value * factor
    if isinstance(gold, Number) and isinstance(answer, Number):
        return number(gold, answer)
    if isinstance(gold, Formula) and isinstance(answer, Formula) and _flat(gold) == _flat(answer):
        return True
    if r"\infty" in getattr(gold, "latex", "") + getattr(answer, "latex", ""):
        return False
    return rounding(gold, answer) or same_value(gold, answer)


@rule
def number(gold: Number, answer: Number) -> bool:
    """Rationals are equal exactly; a percent sign may be dropped or added, or counts as 1/100."""
    if gold.percent != answer.percent:
        hundredth = [n.value / (100 if n.percent else 1) for n in (gold, answer)]
        return gold.value == answer.value or hundredth[0] == hundredth[1]
    if gold.value == answer.value:
        return True
    if (answer.digits or 0) >= FLOAT_DIGITS:
        return abs(gold.value - answer.value) <= abs(gold.value) * FLOAT_ERROR
    return rounding(gold, answer)


@rule
def rounding(gold: Scalar, answer: Scalar) -> bool:
    """A decimal of six places and figures may stand for an endless one: 85.714286 for 600/7."""
    if not isinstance(answer, Number) or min(answer.places or 0, answer.digits or 0) < ROUNDED:
        return False
    if isinstance(gold, Formula) and letters(gold.latex):
        return False
    if isinstance(gold, Number) and (
        gold.places is not None or _terminates(gold.value.denominator)
    ):
        return False
    exact = value(gold, 0)
    error = abs(exact - value(answer, 0))
    if answer.digits >= FLOAT_DIGITS and error <= abs(exact) * FLOAT_ERROR:
        return True
    return error <= 10.0**-answer.places * 0.5000001


def rounds(exactly: Any, decimal: Any) -> bool:
    """Whether a decimal is the rounding of an endless value: 22.32 of 5 + 10 sqrt 3."""
    if not isinstance(decimal, Number) or not decimal.places or decimal.percent:
        return False
    if isinstance(exactly, Number):
        if exactly.percent or _terminates(exactly.value.denominator):
            return False
    elif not isinstance(exactly, Formula) or exactly.percent or letters(exactly.latex):
        return False
    try:
        error = abs(value(exactly, 0) - value(decimal, 0))
    except (UnreadableError, UndecidedError):
        return False
    return error <= 10.0**-decimal.places * 0.5000001


@rule
def same_value(gold: Scalar, answer: Scalar) -> bool:
    """Formulas that agree to 300 digits at every probe are equal, whatever their form."""
    if getattr(gold, "percent", False) != getattr(answer, "percent", False) and letters(
        getattr(gold, "latex", "")
    ):
        return False
    exactly = exact(gold), exact(answer)
    if None not in exactly:
        return exactly[0] == exactly[1]
    points = WHOLE_POINTS if is_discrete(gold) or is_discrete(answer) else REAL_POINTS
    tolerance = DECIMAL if has_float(gold) or has_float(answer) else EXACT
    decided = 0
    for point in points:
        try:
            expected, given = value(gold, point), value(answer, point)
        except UndecidedError:
            continue
        decided += 1
        if not close(expected, given, tolerance) and not _vanish(gold, answer, point):
            return False
    if decided and "|" in getattr(gold, "latex", "") and points is REAL_POINTS:
        return _same_below_zero(gold, answer, tolerance)
    return decided > 0 or _math_verify(gold, answer)


def _same_below_zero(gold: Scalar, answer: Scalar, tolerance: float) -> bool:
    """Whether an answer has the value of a gold with an absolute value where the letters are
    negative, as far as both are real there: x is not |x|, ln x may stand for ln |x|.
    """
    for point in NEGATIVE_POINTS:
        try:
            expected, given = value(gold, point), value(answer, point)
        except UndecidedError:
            continue
        if not expected.imag and not given.imag and not close(expected, given, tolerance):
            return False
    return True


def two_measures(one: Any, other: Any) -> bool:
    """Whether two values are one in two measures: degrees and radians, percent and a number, hours
    and minutes.
    """
    if not all(isinstance(side, Number | Formula) for side in (one, other)):
        return False
    if any(isinstance(side, Formula) and letters(side.latex) for side in (one, other)):
        return False
    if one.percent != other.percent:
        part, whole = (one, other) if one.percent else (other, one)
        return isinstance(part, Number) and scalars_equal(Number(part.value / 100), whole)
    units = [(side.unit or "").removesuffix("^1") for side in (one, other)]
    if units.count("degree") != 1:
        return conflict(one.unit, other.unit) and scalars_equal(one, other)
    degrees, radians = (one, other) if units[0] == "degree" else (other, one)
    if not isinstance(degrees, Number) or r"\pi" not in getattr(radians, "latex", ""):
        return False
    turned = Formula(rf"{degrees.value.numerator}\pi/{180 * degrees.value.denominator}")
    return scalars_equal(turned, replace(radians, unit=None))


def close(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two values of any size agree within a relative tolerance."""
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def _vanish(gold: Scalar, answer: Scalar, point: int) -> bool:
    """Whether both are 0 there: what only rounding keeps from 0 shrinks as the digits grow, and a
    tiny number does not.
    """

    def is_zero(scalar: Scalar) -> bool:
        size = abs(value(scalar, point))
        return size < TINY and abs(value(scalar, point, 2 * PRECISION)) <= size * TINY

    return is_zero(gold) and is_zero(answer)


def _math_verify(gold: Scalar, answer: Scalar) -> bool:
    """math-verify's symbolic comparison, for formulas without a value at the probes. The caller
    holds the alarm: its own one swallows timeouts.
    """
    if not isinstance(gold, Formula) or not isinstance(answer, Formula):
        return False
    from math_verify import verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns about the missing timeout
    return verify(
        tree(gold.latex), tree(answer.latex), float_rounding=6, strict=True, timeout_seconds=None
    )


def _flat(formula: Formula) -> str:
    return re.sub(r"\s+", "", formula.latex)


def _terminates(denominator: int) -> bool:
    for factor in (2, 5):
        while denominator % factor == 0:
            denominator //= factor
    return denominator == 1
