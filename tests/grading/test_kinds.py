"""Answers as people and models give them, kind by kind: what is right and what is nearly right."""

import csv
import json
from pathlib import Path

import pytest
from gold_files import data_folder
from rectify.grading.verdict import grade

REPORTED = "answers-reported.jsonl"
with Path(__file__).with_name("kinds.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
"""kind, gold, response, and whether a marker takes it ("yes" or "no")."""
ALWAYS_WRONG = {"clauses are no units"}


@pytest.mark.parametrize("kind", dict.fromkeys(row["kind"] for row in ROWS))
def test_kinds(kind):
    rows = [row for row in ROWS if row["kind"] == kind]
    verdicts = [(row["gold"], row["response"], row["right"] == "yes") for row in rows]
    wrong = [case for case in verdicts if grade(*case[:2]).corrected is not case[2]]
    assert wrong == []


def test_every_accepted_kind_has_its_near_miss():
    labels = {(row["kind"], row["right"]) for row in ROWS}
    assert {right for _, right in labels} == {"yes", "no"}
    kinds = {kind for kind, _ in labels}
    assert {kind for kind in kinds if (kind, "yes") not in labels} == ALWAYS_WRONG
    assert all((kind, "no") in labels for kind in kinds)


def test_the_digits_without_their_base_are_right_unless_several_bases_are_asked_for():
    one = "What is $9_{10}$ in base 2?"
    several = "Write 9 in base 2 and in base 3."
    assert grade("1001_2", r"\boxed{1001}", problem=one).corrected
    assert not grade("1001_2", r"\boxed{1001}", problem=several).corrected
    assert grade("1001_2", r"\boxed{1001_2}", problem=several).corrected


def test_an_equation_states_its_right_side_where_the_question_asks_for_its_left_side():
    for problem, right in (
        ("Find $x + y$.", True),
        (r"Compute \[x + y.\]", True),
        ("What is the sum of the two numbers?", True),
        ("Given that $x + y = 12$ and $x - y = 2$, find $x$.", False),
        ("Find $xy$.", False),
    ):
        assert grade("12", r"\boxed{x + y = 12}", problem=problem).corrected is right
    assert grade("12", r"\boxed{3x - 9 = 12}", problem="What is $3x - 9$?").corrected
    assert not grade("12", r"\boxed{3x - 9 = 13}", problem="What is $3x - 9$?").corrected
    assert not grade("12", r"\boxed{3x - 9 = 12}", problem="Solve $3x - 9 = 12$.").corrected


def test_what_is_an_equation_in_an_unknown_without_the_question_may_be_asked_for_in_it():
    for left, gold in (
        (r"|x - 3|", "7"),
        ("xy", "12"),
        (r"\sqrt{x+1}", "3"),
        (r"\frac{12}{x}", "4"),
    ):
        box = rf"\boxed{{{left} = {gold}}}"
        assert not grade(gold, box).corrected
        assert grade(gold, box, problem=f"Find ${left}$.").corrected
        assert not grade(gold, box, problem="Find $x$.").corrected
    assert grade("371", r"\boxed{m+n = 371}").corrected
    assert grade("371", r"\boxed{m+n = 371}", problem="Find $m+n$.").corrected
    assert not grade("371", r"\boxed{m+n = 372}", problem="Find $m+n$.").corrected


def test_reported_answers():
    folder = data_folder()
    if folder is None or not (folder / REPORTED).exists():
        pytest.skip(f"no {REPORTED}: set RECTIFY_DATA to its folder")
    lines = (folder / REPORTED).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) >= 103
    wrong = [r for r in rows if grade(r["gold"], r["response"]).corrected is not r["expected"]]
    assert wrong == []
