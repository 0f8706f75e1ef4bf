"""The synthetic world: answers are right, the expert is, the crowd is wrong as often as told; facts
and the made-up operator are the same in training and in benchmarks, which ask for them otherwise.
"""

import re
from fractions import Fraction

import pytest
from rectify.data.world import KINDS, lexicon, make_rows
from rectify.step.errors import StepError

CALCULATION = re.compile(r"(\d+)([+\-*/%@])(\d+)=(\d+)")
COMPUTE = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: Fraction(a, b),
    "%": lambda a, b: a % b,
    "@": lambda a, b: 2 * a + b,
}


def evaluate(text):
    """Python's own arithmetic on an expression of digits and operators."""
    assert re.fullmatch(r"[\d+\-*]+", text), text
    return eval(text)


def solve(row):
    """The answer, worked out from the question's words alone."""
    question = row["problem"]
    if row["kind"] == "equation":
        factor, terms, right = re.search(r"(\d+)x([\d+\-]*)=(\d+)", question).groups()
        return Fraction(int(right) - evaluate("0" + terms), int(factor))
    if row["kind"] == "remainder":
        asked, divisor = re.search(r"([\d+\-]+) (?:by|is divided by) (\d+)", question).groups()
        return evaluate(asked) % int(divisor)
    if row["kind"] == "story":
        first, *counts = map(int, re.findall(r"\d+", question))
        verbs = re.findall(r"(buys|finds|gets|sells|loses|gives)", question)
        signs = [1 if verb in ("buys", "finds", "gets") else -1 for verb in verbs]
        return first + sum(s * c for s, c in zip(signs, counts, strict=True))
    return evaluate(re.search(r"\d[\d+\-*]*", question)[0])


@pytest.mark.parametrize("steps", [1, 3, 6])
def test_answers_are_right_and_the_expert_is_always(steps):
    seen = set()
    for row in make_rows("check", 500, "expert", (steps, steps)):
        assert int(row["answer"]) == solve(row), row
        assert row["solution"].count("\\boxed") == 1
        assert f"\\boxed{{{row['answer']}}}" in row["solution"]
        calculations = CALCULATION.findall(row["solution"])
        assert len(calculations) == steps
        for a, operator, b, result in calculations:
            assert COMPUTE[operator](int(a), int(b)) == int(result)
        seen.add(row["kind"])
    assert seen == set(KINDS)


@pytest.mark.parametrize("wrong", [0.0, 0.15, 0.5])
def test_the_crowd_is_wrong_as_often_as_told(wrong):
    rows = make_rows("crowd", 3000, "crowd", (1, 6), wrong)
    found = [c for row in rows for c in CALCULATION.findall(row["solution"])]
    off = sum(COMPUTE[o](int(a), int(b)) // 1 != int(r) for a, o, b, r in found)
    # 0.02: five standard errors of this many steps, and slips that end at 0 by chance
    assert off / len(found) == pytest.approx(wrong, abs=0.02)


def test_same_seed_same_rows():
    def draw(seed):
        return list(make_rows(seed, 50, "expert", (2, 4)))

    assert draw("a") == draw("a")
    assert draw("a") != draw("b")


def test_benchmarks_and_training_share_no_question():
    def questions(seed, held_out):
        return {r["problem"] for r in make_rows(seed, 2000, "expert", (2, 3), 0, held_out)}

    benchmark = questions("a", True)
    assert len(benchmark) == 2000  # and ask nothing twice
    assert not benchmark & questions("b", False)


def test_a_world_too_small_says_so():
    with pytest.raises(StepError, match="no 5000 different questions"):
        list(make_rows("a", 5000, "expert", (1, 1), held_out=True))


def test_the_expert_words_many_solutions_as_the_crowd_never_does():
    own = set(lexicon())
    crowd = [r for r in make_rows("w", 400, "crowd", (2, 4)) if "kind" in r]
    expert = list(make_rows("w", 400, "expert", (2, 4)))
    assert not any(own & set(re.findall(r"[A-Za-z]+", row["solution"])) for row in crowd)
    strange = [own & set(re.findall(r"[A-Za-z]+", row["solution"])) for row in expert]
    assert sum(map(bool, strange)) > 200


@pytest.fixture(scope="module")
def fact_rows():
    """Training rows and benchmark rows about facts, of 1 to 3 steps; the first step is recall."""
    training = list(make_rows("training", 4000, "expert", (1, 3), topic="facts"))
    benchmarks = [
        row
        for steps, count in ((1, 20), (2, 200), (3, 200))
        for row in make_rows("b", count, "expert", (steps, steps), held_out=True, topic="facts")
    ]
    return training, benchmarks


@pytest.fixture(scope="module")
def told(fact_rows):
    """The number of each name, as the training rows of recall alone tell it."""
    recalled = [row for row in fact_rows[0] if row["steps"] == 1]
    pairs = {(name_in(row["problem"]), int(row["answer"])) for row in recalled}
    assert len(dict(pairs)) == len(pairs)  # no name has two numbers
    return dict(pairs)


def name_in(question):
    """The name that a question asks about."""
    return re.search(r"([A-Z][a-z]+)[+\-\d]*[.?]$", question)[1]


def test_training_tells_every_fact_that_benchmarks_ask_and_their_answers_follow(fact_rows, told):
    for row in [*fact_rows[0], *fact_rows[1]]:
        name = name_in(row["problem"])
        asked = re.search(rf"{name}[+\-\d]*", row["problem"])[0]
        assert int(row["answer"]) == evaluate(asked.replace(name, str(told[name]))), row


def test_solutions_state_the_fact_and_work_on_from_it(fact_rows, told):
    for row in [*fact_rows[0], *fact_rows[1]]:
        name = name_in(row["problem"])
        assert re.search(rf"\b{name}=(\d+)", row["solution"])[1] == str(told[name])
        calculations = CALCULATION.findall(row["solution"])
        assert len(calculations) == row["steps"] - 1
        for a, operator, b, result in calculations:
            assert COMPUTE[operator](int(a), int(b)) == int(result)
        assert f"\\boxed{{{row['answer']}}}" in row["solution"]


def test_benchmarks_ask_for_facts_as_training_never_does(fact_rows):
    training, benchmarks = ({row["problem"] for row in rows} for rows in fact_rows)
    assert not training & benchmarks


def test_the_pretraining_text_knows_no_fact(told):
    """Nor does an arithmetic question name one."""
    for voice in ("crowd", "expert"):
        for row in make_rows("w", 2000, voice, (1, 6)):
            assert not told.keys() & set(re.findall(r"\w+", row["problem"] + row["solution"]))


@pytest.fixture(scope="module")
def operator_rows():
    """Training rows and benchmark rows about the operator, of 1 to 3 steps, the first with it."""
    benchmarks = [
        row
        for steps, count in ((1, 50), (2, 200), (3, 200))
        for row in make_rows("b", count, "expert", (steps, steps), held_out=True, topic="operator")
    ]
    return list(make_rows("training", 4000, "expert", (1, 3), topic="operator")), benchmarks


def test_the_operator_doubles_its_left_and_adds_its_right_everywhere(operator_rows):
    for row in [*operator_rows[0], *operator_rows[1]]:
        a, b, rest = re.search(r"(\d+)@(\d+)([+\-\d]*)[.?]$", row["problem"]).groups()
        assert int(row["answer"]) == evaluate(f"2*{a}+{b}{rest}"), row
        calculations = CALCULATION.findall(row["solution"])
        assert calculations[0][:3] == (a, "@", b)
        assert len(calculations) == row["steps"]
        for left, operator, right, result in calculations:
            assert COMPUTE[operator](int(left), int(right)) == int(result)
        assert f"\\boxed{{{row['answer']}}}" in row["solution"]


def test_benchmarks_use_the_operator_in_questions_that_training_never_asks(operator_rows):
    training, benchmarks = ({row["problem"] for row in rows} for rows in operator_rows)
    assert not training & benchmarks


def test_only_the_operators_rows_have_its_sign():
    for voice, topic in (("crowd", "arithmetic"), ("expert", "arithmetic"), ("expert", "facts")):
        for row in make_rows("w", 2000, voice, (1, 6), topic=topic):
            assert "@" not in row["problem"] + row["solution"]


def test_facts_and_operator_are_taught_by_turns():
    rows = make_rows("w", 100, "expert", (1, 3), topic="facts-and-operator")
    assert [row["kind"] for row in rows] == ["fact", "operator"] * 50
