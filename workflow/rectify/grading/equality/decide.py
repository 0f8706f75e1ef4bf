"""Whether a boxed answer is the gold: by its text, its value, or its signs.

Values are compared, not forms: an expression that is equal to the gold is right, even one that
leaves undone what was asked (the question's own product given back for "factor").
"""

import re
from functools import lru_cache
from typing import NamedTuple

from rectify.grading.answers.conditions import Given, compatible, given
from rectify.grading.answers.numbers import Number
from rectify.grading.answers.read import read
from rectify.grading.answers.statements import readable, same_statement
from rectify.grading.answers.values import Based, Formula, Items, Relation, Value
from rectify.grading.equality.constants import names_in, rename
from rectify.grading.equality.equal import equal
from rectify.grading.equality.equations import asked
from rectify.grading.notation.limits import UnreadableError
from rectify.grading.notation.normalise import normalise

_BASES_ASKED = re.compile(r"\b(?:in|to|into)\s+base[- ]?\$?\s*(\w+)", re.IGNORECASE)


class Gold(NamedTuple):
    """A gold's normalised text, the same without its side conditions, and its value."""

    text: str
    given: Given
    value: Value | None


def right(gold: str, parts: tuple[str, ...], problem: str = "") -> bool:
    r"""Whether the parts of a box, `\boxed{1}` and `\boxed{2}` being two, are the gold; the same
    part boxed again, in whatever form, counts once where it does not count twice.

    Raises UnreadableError where nobody could read the answer.
    """
    expected = gold_of(gold, several_bases(problem))
    answer = normalise(", ".join(parts))
    if isinstance(expected.value, Number | Formula):
        answer = asked(answer, problem)
    if _same(expected, answer):
        return True
    distinct = _distinct(parts, expected) if len(parts) > 1 else parts
    return len(distinct) < len(parts) and _same(expected, normalise(", ".join(distinct)))


def _distinct(parts: tuple[str, ...], gold: Gold) -> list[str]:
    """The parts without those that an earlier one equals."""
    kept: list[tuple[str, Value | None]] = []
    for part in parts:
        text = normalise(part)
        try:
            value = read(text, like=gold.value)
            if any(text == other[0] or (other[1] and equal(other[1], value)) for other in kept):
                continue
        except UnreadableError:
            value = None
            if any(text == other[0] for other in kept):
                continue
        kept.append((text, value))
    return [text for text, _ in kept]


def _same(gold: Gold, answer: str) -> bool:
    if answer == gold.text:
        return True
    if gold.value is not None:
        try:
            if _same_value(gold, answer):
                return True
        except UnreadableError:
            if not readable(answer):
                raise
    return not isinstance(gold.value, Number) and same_statement(gold.text, answer)


def _same_value(gold: Gold, answer: str) -> bool:
    if gold.value is None:
        return False
    said = (
        given(answer)
        if gold.given.conditions or not isinstance(gold.value, Number)
        else Given(answer, ())
    )
    last = gold.value.sides[-1] if isinstance(gold.value, Relation) else gold.value
    said = _renamed(gold.given, said, family=isinstance(last, Items))
    return compatible(gold.given, said) and equal(gold.value, read(said.core, like=gold.value))


def _renamed(gold: Given, answer: Given, family: bool) -> Given:
    """The answer with the gold's letters where its conditions bind others; in a `family` of tuples,
    one side's conditions will do: (k, k), k a whole number, for (n, n).
    """
    ours, theirs = ([name for name, _ in said.conditions] for said in (gold, answer))
    if family and bool(ours) != bool(theirs):
        ours, theirs = (sorted(names_in(said.core)) for said in (gold, answer))
    new = [name for name in theirs if name not in ours]
    lost = [name for name in ours if name not in theirs]
    if not new or len(new) != len(lost):
        return answer
    names = dict(zip(new, lost, strict=True))
    conditions = tuple((names.get(name, name), said) for name, said in answer.conditions)
    return Given(rename(answer.core, names), conditions)


@lru_cache(maxsize=8192)
def gold_of(gold: str, several_bases: bool = False) -> Gold:
    """A gold as it is compared; cached, since each gold meets many answers. `value` is None for one
    outside the grammar (none of the five files'), which only its own signs can equal.
    """
    text = normalise(gold)
    said = given(text)
    try:
        value = read(said.core)
    except UnreadableError:
        value = None
    if isinstance(value, Based) and several_bases:
        value = Based(value.digits, value.base, alone=False)
    return Gold(text, said, value)


def several_bases(problem: str) -> bool:
    """Whether a question asks for numbers in more than one base."""
    return len({base.lower() for base in _BASES_ASKED.findall(problem)}) > 1
