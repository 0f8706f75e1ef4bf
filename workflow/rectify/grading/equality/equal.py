"""Decide whether an answer is the gold: one rule per type of gold (see rules.RULES)."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, starmap

from rectify.grading.answers.measures import Clock, Ratio
from rectify.grading.answers.numbers import Number
from rectify.grading.answers.read import read
from rectify.grading.answers.texts import begins
from rectify.grading.answers.values import (
    Based,
    Difference,
    Formula,
    Items,
    Matrix,
    Relation,
    Scalar,
    Union,
    Value,
    Words,
    letters,
)
from rectify.grading.equality.constants import same_family
from rectify.grading.equality.equations import assigned, points, stated_name, tells
from rectify.grading.equality.intervals import intervals, ranges
from rectify.grading.equality.notations import based, measures
from rectify.grading.equality.relations import names, renamed, same_equation, same_name
from rectify.grading.equality.rules import rule
from rectify.grading.equality.scalars import rounds, scalars_equal, two_measures
from rectify.grading.notation.limits import UnreadableError

MAX_FORMS = 4  # of one value, that anybody writes down


def equal(gold: Value, answer: Value) -> bool:
    """Whether `answer` is `gold`. Raises UnreadableError where a formula is outside the
    grammar and the verdict hangs on it.
    """
    answer = _singleton(answer)
    gold = _one_value(_singleton(gold))
    if isinstance(gold, Number | Formula):
        return scalar(gold, answer)
    by_type = {
        Words: words,
        Based: based,
        Items: items,
        Union: intervals,
        Difference: intervals,
        Relation: relation,
        Matrix: matrix,
        Clock: measures,
        Ratio: measures,
    }
    return by_type[type(gold)](gold, answer)


def _singleton(side: Value) -> Value:
    """A set or list of one scalar is that scalar: {7} and 7."""
    if isinstance(side, Items) and len(side.items) == 1 and side.brackets in ("", "{}"):
        return side.items[0]
    return side


def _one_value(gold: Value) -> Value:
    """A gold that gives one value in two forms, 28 and 28_9 not among them, is that value."""
    if isinstance(gold, Items) and gold.brackets == "" and isinstance(gold.items[0], Clock | Ratio):
        first, *others = gold.items
        if all(measures(first, other) for other in others):
            return first
    return gold


@rule
def words(gold: Words, answer: Value) -> bool:
    """Text is equal as words, whatever its font, case and brackets, or begins a sentence; a choice
    by its letter, whose text may be added or stand for it.
    """
    if len(gold.text) > 1:
        return isinstance(answer, Words) and (
            answer.text == gold.text or begins(gold.text, answer.behind)
        )
    if not isinstance(answer, Words) or len(answer.text) > 1:
        return bool(gold.behind) and _same_option(gold.behind, answer)
    if answer.text != gold.text:
        return False
    return not gold.behind or not answer.behind or _same_option(gold.behind, answer.behind)


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
    if gold.brackets in ("(]", "[)", "[]") or _has_infinity(gold) or _bounds(gold):
        return intervals(gold, answer)
    if order := assigned(gold, answer):
        return _in_order(*order)
    if isinstance(answer, Relation):
        if gold.brackets == "()" and (found := ranges(answer)):
            return len(found) == 1 and intervals(gold, answer)
        if gold.brackets != "()" and answer.signs[-1] == r"\in" and _pair(answer.sides[-1]):
            return False  # x in (3, 5) is an interval, not 3 and 5
        answer = answer.sides[-1]
    if isinstance(answer, Matrix) and all(len(row) == 1 for row in answer.rows):
        answer = Items("()", tuple(row[0] for row in answer.rows))
    if not isinstance(answer, Items):
        return False
    answer = points(gold, answer) or answer
    if gold.brackets == "()":
        return answer.brackets in ("()", "") and _in_order(gold.items, answer.items)
    if answer.brackets in ("", "{}"):
        return _in_any_order(gold.items, answer.items)
    # Some lists are ordered (values of a, b, c), so that parentheses around them change nothing.
    return gold.brackets == "" and answer.brackets == "()" and _in_order(gold.items, answer.items)


@rule
def relation(gold: Relation, answer: Value) -> bool:
    """An equation that names a value is that value; another equation, any multiple of it."""
    listed = gold.signs == (r"\in",) and isinstance(gold.sides[1], Items)
    if listed and gold.sides[1].brackets == "{}" and equal(gold.sides[1], answer):
        return True
    if gold.signs[-1] != "=":
        return intervals(gold, answer)
    if order := assigned(gold, answer):
        return _in_order(*order)
    if not isinstance(answer, Relation):
        return stated_name(gold.sides[0]) and equal(gold.sides[-1], answer)
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
    if isinstance(answer, Items) and answer.brackets == "" and len(answer.items) > 1:
        same = all(equal(gold, item) for item in answer.items)
        return same or _last_step(gold, answer) or _measures(gold, answer.items)
    if isinstance(answer, Ratio):
        quotient = answer.quotient()
        return quotient is not None and equal(gold, Number(quotient))
    if isinstance(answer, Based):
        return answer.base == 10 and equal(gold, Number(Fraction(answer.digits)))
    if not isinstance(answer, Number | Formula):
        return False
    if scalars_equal(gold, answer):
        return True
    both = isinstance(gold, Formula) and isinstance(answer, Formula) and letters(gold.latex)
    return both and same_family(gold, answer)


def _measures(gold: Scalar, forms: Sequence[Value]) -> bool:
    """Whether each is the value, or one that is in another measure: 60 degrees or pi/3."""
    if len(forms) > MAX_FORMS or not any(starmap(two_measures, combinations(forms, 2))):
        return False
    right = [form for form in forms if equal(gold, form)]
    return all(form in right or any(two_measures(form, r) for r in right) for form in forms)


def _last_step(gold: Scalar, answer: Items) -> bool:
    """Whether equations in a list are steps, the last of which names the value."""
    *steps, last = answer.items
    return (
        all(isinstance(i, Relation) and i.signs == ("=",) for i in answer.items)
        and names(last.sides[0])
        and not any(names(step.sides[0]) for step in steps)
        and equal(gold, last)
    )


def _stated(gold: Scalar, answer: Relation) -> bool:
    r"""`x = 10/2 = 5` states 5; `\sqrt{2} \approx 1.41` and `1/6 = 0.1667` state both."""
    if answer.signs[-1] == r"\in":
        return equal(gold, _singleton(answer.sides[-1]))
    if not set(answer.signs) <= {"=", r"\approx"}:
        return False
    sides = answer.sides
    if _measures(gold, sides[names(sides[0]) :]):
        return True
    if rounds(*sides[-2:]) and any(equal(gold, side) for side in sides[-2:]):
        return len(sides) == 2 or tells(sides[0], sides[-2], reckoned=True)
    before = sides[answer.signs.index(r"\approx")] if r"\approx" in answer.signs else None
    if before is not None and not names(before):
        if equal(gold, before):
            return True
        if not isinstance(before, Formula) or not letters(before.latex):
            return False
    if not tells(sides[0], sides[-1], reckoned=len(sides) > 2):
        return False
    return equal(gold, sides[-1])


def _same_option(gold: str, answer: str | Value) -> bool:
    """Whether an answer gives the text of the gold's option; a text against a text that cannot be
    compared does not contradict it.
    """
    expected = read(gold)
    if isinstance(answer, str):
        try:
            answer = read(answer, like=expected)
        except UnreadableError:
            return True
        if not isinstance(expected, Number) or not isinstance(answer, Number):
            return True
    return equal(expected, answer)


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


def _pair(side: Value) -> bool:
    return isinstance(side, Items) and side.brackets == "()" and len(side.items) == 2


def _bounds(gold: Items) -> bool:
    """Whether a list is one of inequalities: x < 1 or x > 2."""
    return gold.brackets == "" and all(
        isinstance(item, Relation) and item.signs[-1] not in ("=", r"\approx", r"\in")
        for item in gold.items
    )


def _has_infinity(gold: Items) -> bool:
    return any(isinstance(i, Formula) and r"\infty" in i.latex for i in gold.items)
