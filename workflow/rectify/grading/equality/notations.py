"""Values that are written in ways of their own: times of day, ratios, numbers in a base."""

from fractions import Fraction

from rectify.grading.answers.measures import Clock, Ratio
from rectify.grading.answers.numbers import Number
from rectify.grading.answers.values import Based, Formula, Relation, Value
from rectify.grading.equality.relations import names
from rectify.grading.equality.rules import rule
from rectify.grading.equality.scalars import scalars_equal


@rule
def measures(gold: Clock | Ratio, answer: Value) -> bool:
    """Times of day agree on the clock, ratios in proportion; a ratio of two is its quotient."""
    if isinstance(answer, Relation) and answer.signs == ("=",) and names(answer.sides[0]):
        answer = answer.sides[-1]
    if isinstance(gold, Ratio):
        if isinstance(answer, Ratio):
            return gold.same(answer)
        if isinstance(answer, Number | Formula) and (quotient := gold.quotient()) is not None:
            return scalars_equal(Number(quotient), answer)
        gold = gold.clock
    if isinstance(answer, Ratio):
        answer = answer.clock
    return isinstance(gold, Clock) and isinstance(answer, Clock) and gold.same(answer)


@rule
def based(gold: Based, answer: Value) -> bool:
    """A number in a base is its digits: 52_8, 42 = 52_8 and 52, as the question states the base;
    neither 52_9 nor 42.
    """
    if isinstance(answer, Relation) and set(answer.signs) == {"="}:
        *others, answer = answer.sides
        if not all(names(side) or _whole(side) == _whole(gold) for side in others):
            return False
    if isinstance(answer, Based):
        return (answer.digits, answer.base) == (gold.digits, gold.base)
    return gold.alone and _digits(answer) == gold.digits


def _digits(side: Value) -> str | None:
    """The digits that a number without a base is written with."""
    if (
        isinstance(side, Number)
        and side.value.denominator == 1
        and not side.unit
        and not side.percent
    ):
        return str(side.value)
    return side.latex.upper() if isinstance(side, Formula) else None


def _whole(side: Value) -> Fraction | None:
    """The whole number that digits in a base stand for."""
    if isinstance(side, Number):
        return side.value
    try:
        return Fraction(int(side.digits, side.base)) if isinstance(side, Based) else None
    except ValueError:  # a digit that the base does not have
        return None
