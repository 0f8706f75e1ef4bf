"""Every gold of the five files is read as what it means, and equals itself by value."""

import csv
import math
from fractions import Fraction
from pathlib import Path

import pytest
from gold_files import golds
from gold_text import number
from golds import HEADER, table
from rectify.grading.answers import values
from rectify.grading.answers.numbers import Number
from rectify.grading.equality.equal import equal
from rectify.grading.formulas.formula import value
from rectify.grading.verdict import grade, read_gold

TABLE = Path(__file__).with_name("golds.csv")
EQUAL_AS_WORDS = {
    r"\text{Evelyn}": "a name",
    r"\text{Navin}": "a name",
    r"\text{east}": "a direction",
    r"\text{even}": "a property",
    r"\text{ellipse}": "a kind of curve",
    r"\text{(C)}": "a choice",
    r"\text{(E)}": "a choice",
    r"\text{(B)}": "a choice",
}
"""The golds that are equal only as strings, and why no value stands behind them."""

pytestmark = pytest.mark.usefixtures("benchmark_files")


def test_the_table_lists_what_each_gold_is_read_as():
    with TABLE.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [HEADER, *table()]


def test_each_gold_is_right_and_parses():
    for benchmark, row, gold in golds():
        verdict = grade(gold, rf"\boxed{{{gold}}}", benchmark)
        assert (verdict.corrected, verdict.status) == (True, "ok"), (benchmark, row, gold)


def test_each_gold_equals_itself_by_value_and_not_as_a_string(monkeypatch):
    """The shortcut for equal texts is taken away, but for infinity, which has no value."""
    monkeypatch.setattr(
        "rectify.grading.equality.scalars._flat",
        lambda f: f.latex if r"\infty" in f.latex else object(),
    )
    words = set()
    for _, _, gold in golds():
        read = read_gold(gold)
        if isinstance(read, values.Words):
            words.add(gold)
        else:
            assert equal(read, read), gold
    assert words == set(EQUAL_AS_WORDS)


def test_numbers_agree_with_an_independent_reading():
    checked = 0
    for _, _, gold in golds():
        expected = number(gold.strip().strip("$"))
        if expected is not None:
            read = read_gold(gold)
            assert read.value == expected, gold
            checked += 1
    assert checked > 1000


@pytest.mark.parametrize(
    ("gold", "point", "expected"),
    [
        (r"1+\sqrt{3} i", 0, 1 + 1.7320508075688772j),
        (r"\ln 2 + i\pi / 3", 0, 0.6931471805599453 + 1.0471975511965976j),
        ("-1./3", 0, -1 / 3),
        ("np.arcsin(10/13)", 0, math.asin(10 / 13)),
        (r"$\frac{8}{\sqrt[3]{7}}$", 0, 8 / 7 ** (1 / 3)),
        (r"$\frac{4 \cdot 999^{4}}{27}$", 0, 147556443852.0),
        ("4.5e33", 0, 4.5e33),
        (r"137 \frac{1}{2}", 0, 137.5),
    ],
)
def test_some_golds_have_these_values(gold, point, expected):
    read = read_gold(gold)
    if expected is not None:
        assert abs(complex(value(read, point)) - expected) <= 1e-12 * abs(expected)


def test_silent_misreadings_of_the_naive_grader_are_none_here():
    assert read_gold("4.5e33") == Number(Fraction(45 * 10**32))
    assert read_gold("52_8") != read_gold("52_9")
    assert len(read_gold("-2,-2").items) == 2
    assert len(read_gold("16,3,1,1").items) == 4
    assert not grade("6m", r"\boxed{6}").corrected
