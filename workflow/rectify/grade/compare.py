"""Decide whether an answer is the gold: one rule per type of gold (see rules.RULES)."""

from collections.abc import Sequence
from fractions import Fraction

from rectify.grade.intervals import intervals, ranges
from rectify.grade.numbers import Number
from rectify.grade.relations import names, renamed, same_equation, same_name
from rectify.grade.rules import rule
from rectify.grade.scalars import scalars_equal
from rectify.grade.values import (
    Based,
    Formula,
    Items,
    Matrix,
    Relation,
    Scalar,
    Union,
    Value,
    Words,
)


def equal(gold: Value, answer: Value) -> bool:
    """Whether `answer` is `gold`. Raises UnreadableError where a formula is outside the
    grammar and the verdict hangs on it.
    """
    answer = _singleton(answer)
    gold = _singleton(gold)
    if isinstance(gold, Number | Formula):
        return scalar(gold, answer)
    by_type = {
        Words: words,
        Based: based,
        Items: items,
        Union: intervals,
        Relation: relation,
        Matrix: matrix,
    }
    return by_type[type(gold)](gold, answer)


def _singleton(side: Value) -> Value:
    """A set or list of one scalar is that scalar: {7} and 7."""
    if isinstance(side, Items) and len(side.items) == 1 and side.brackets in ("", "{}"):
        return side.items[0]
    return side


@rule
def words(gold: Words, answer: Value) -> bool:
    """Text and choices are equal as words, whatever their font, case and brackets."""
    return isinstance(answer, Words) and answer.text == gold.text


@rule
def based(gold: Based, answer: Value) -> bool:
    """A number in a base is its digits and its base: 52_8 and 42 = 52_8, neither 52_9 nor 52."""
    if isinstance(answer, Relation) and set(answer.signs) == {"="}:
        *others, answer = answer.sides
        if not all(names(side) or _whole(side) == _whole(gold) for side in others):
            return False
    return answer == gold


def _whole(side: Value) -> Fraction | None:
    """The whole number that digits in a base stand for."""
    if isinstance(side, Number):
        return side.value
    try:
        return Fraction(int(side.digits, side.base)) if isinstance(side, Based) else None
    except ValueError:  # a digit that the base does not have
        return None


@rule
def matrix(gold: Matrix, answer: Value) -> bool:
    """Matrices agree entry by entry; a column may be written as a point."""
    if isinstance(answer, Relation):
        answer = answer.sides[-1]
    if (
        isinstance(answer, Items)
        and answer.brackets == "()"
        and all(len(r) == 1 for r in gold.rows)
    ):
        return _in_order([row[0] for row in gold.rows], answer.items)
    return (
        isinstance(answer, Matrix)
        and [len(row) for row in gold.rows] == [len(row) for row in answer.rows]
        and all(_in_order(g, a) for g, a in zip(gold.rows, answer.rows, strict=True))
    )


@rule
def items(gold: Items, answer: Value) -> bool:
    """Lists and sets agree in any order, each item as often; points, tuples, columns in order."""
    if gold.brackets in ("(]", "[)", "[]") or _has_infinity(gold):
        return intervals(gold, answer)
    if isinstance(answer, Relation):
        if gold.brackets == "()" and (found := ranges(answer)):
            return len(found) == 1 and intervals(gold, answer)
        answer = answer.sides[-1]
    if isinstance(answer, Matrix) and all(len(row) == 1 for row in answer.rows):
        answer = Items("()", tuple(row[0] for row in answer.rows))
    if not isinstance(answer, Items):
        return False
    if gold.brackets == "()":
        return answer.brackets in ("()", "") and _in_order(gold.items, answer.items)
    if answer.brackets in ("", "{}"):
        return _in_any_order(gold.items, answer.items)
    # Some lists are ordered (values of a, b, c), so that parentheses around them change nothing.
    return gold.brackets == "" and answer.brackets == "()" and _in_order(gold.items, answer.items)


@rule
def relation(gold: Relation, answer: Value) -> bool:
    """An equation that names a value is that value; another equation, any multiple of it."""
    if gold.signs[-1] != "=":
        return intervals(gold, answer)
    if not isinstance(answer, Relation):
        return names(gold.sides[0]) and equal(gold.sides[-1], answer)
    if answer.signs[-1] == r"\in":
        return names(gold.sides[0]) and equal(gold.sides[-1], answer.sides[-1])
    if set(answer.signs) != {"="}:
        return False
    if names(gold.sides[0]) and any(same_name(gold.sides[0], s) for s in answer.sides[:-1]):
        return equal(gold.sides[-1], answer.sides[-1])
    if other := renamed(gold, answer):  # f(x) = 2x and f(t) = 2t are one function
        return equal(gold.sides[-1], other)
    return same_equation(gold, answer)


@rule
def scalar(gold: Scalar, answer: Value) -> bool:
    r"""Numbers and formulas are equal in value; `x = value` and `A \approx value` give the
    value.
    """
    if isinstance(answer, Relation):
        return _stated(gold, answer)
    if isinstance(answer, Based):
        return answer.base == 10 and equal(gold, Number(Fraction(answer.digits)))
    return isinstance(answer, Number | Formula) and scalars_equal(gold, answer)


def _stated(gold: Scalar, answer: Relation) -> bool:
    r"""`x = 10/2 = 5` states 5; `\sqrt{2} \approx 1.41` states both."""
    if answer.signs[-1] == r"\in":
        return equal(gold, _singleton(answer.sides[-1]))
    if not set(answer.signs) <= {"=", r"\approx"}:
        return False
    sides = answer.sides
    if r"\approx" in answer.signs and not names(sides[answer.signs.index(r"\approx")]):
        return equal(gold, sides[answer.signs.index(r"\approx")])
    if isinstance(sides[0], Number) and not equal(sides[0], sides[-1]):
        return False
    return equal(gold, sides[-1])


def _in_order(gold: Sequence[Value], answer: Sequence[Value]) -> bool:
    return len(gold) == len(answer) and all(equal(g, a) for g, a in zip(gold, answer, strict=True))


def _in_any_order(gold: Sequence[Value], answer: Sequence[Value]) -> bool:
    rest = list(answer)
    if len(gold) != len(rest):
        return False
    for expected in gold:
        match = next((k for k, given in enumerate(rest) if equal(expected, given)), None)
        if match is None:
            return False
        del rest[match]
    return True


def _has_infinity(gold: Items) -> bool:
    return any(isinstance(i, Formula) and r"\infty" in i.latex for i in gold.items)
