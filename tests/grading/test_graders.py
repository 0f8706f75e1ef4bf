"""Other graders than mathematics': exact, choice, and a function of one's own."""

import pytest
from rectify.grading import pool
from rectify.grading.choice import chosen, letter_of, options_of
from rectify.grading.graders import GraderError, check_grader
from rectify.grading.plain import answer_in, plain
from rectify.grading.pool import grade_many

CITIES = ["Rome", "Paris", "Oslo"]
OWN = """\
import time


def near(gold, response, row):
    return abs(float(gold) - float(response)) <= row["tolerance"]


def number(gold, response, row):
    return 1


def endless(gold, response, row):
    while True:
        time.sleep(0.1)


def leaves(gold, response, row):
    raise SystemExit(3)


def kills(gold, response, row):
    import os
    os._exit(3)


class Worst(BaseException):
    def __str__(self):
        raise ValueError


def worst(gold, response, row):
    raise Worst


def two(gold, response):
    return True
"""


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Paris", " paris. "),
        ("ﬁne", "FINE"),  # a ligature
        ("Straße", "STRASSE"),
        ("café", "cafe\u0301"),  # composed, and with a combining accent
        ("１２", "12"),  # full-width digits
        ("a  b", "a\u00a0b"),
        ("yes", "**Yes!**"),
    ],
)
def test_texts_that_are_the_same_but_for_spelling(text, other):
    assert plain(text) == plain(other)


@pytest.mark.parametrize(("text", "other"), [("-5", "5"), ("a b", "ab"), ("C++", "C"), ("x", "")])
def test_texts_that_are_not(text, other):
    assert plain(text) != plain(other)


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        ("Answer: not Paris", "Paris"),
        ("The answer is Paris, Texas", "Paris"),
        ("Answer: .5", "5"),
        ("Answer: –5", "5"),  # a dash for a sign
        ("Answer: 10²", "102"),
        (r"\boxed{[1, 2)}", "(1, 2]"),
        ("Answer: 1, 2", "(1, 2)"),
        ("Answer: 50‰", "50%"),
        ("Answer: C#", "C"),
        ("Answer: 1½", "11/2"),
        (r"Paris. \boxed{Rome}", "Paris"),
        ("Answer: ?", "!"),
    ],
)
def test_near_misses_of_exact(response, gold):
    """What some reading of spelling would let pass, and is another text."""
    assert plain(answer_in(response)) != plain(gold)


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        (r"\boxed{\text{Paris}}", "Paris"),
        ("Answer: the answer is Paris.", "Paris"),
        ("Answer: Paris\nAnswer:", "Paris"),
        ("Answer: −5", "-5"),
        ("Answer: $5$", "5"),
        ("`x_1`", "x_1"),
    ],
)
def test_what_exact_takes(response, gold):
    assert plain(answer_in(response)) == plain(gold)


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"So \boxed{Paris} it is. Answer: Rome", "Paris"),
        ("Hm. Answer: Rome\nNo.\nAnswer: Paris", "Paris"),
        ("The answer is Paris", "Paris"),
        ("  Paris\n", "Paris"),
        ("**Answer**: Paris", "Paris"),
        ("__Final answer__: Paris", "Paris"),
        ("### Answer\nParis", "Paris"),  # a heading
        ("", None),
    ],
)
def test_what_a_response_answers(response, answer):
    assert answer_in(response) == answer


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        (r"B seems right, but \boxed{C}", "C"),
        (r"\boxed{\text{(b)}}", "B"),
        (r"\boxed{C. Oslo}", "C"),
        (r"\boxed{paris}", "B"),
        (r"\boxed{42}", None),  # a box that is no option is no answer
        ("Not A.\nAnswer: C", "C"),
        ("the answer is (B), not C", "B"),
        ("**Answer:** C", "C"),
        ("Final answer: $B$", "B"),
        ("I looked at A, and take **B**", "B"),
        ("**B)** A man a plan", "B"),
        ("First A, then C.", "C"),
        ("(B)", "B"),
        ("I do not know; a man said so", None),
        ("A man walks in. I think so", None),
        ("Answer: D", None),  # there are three options
        ("Oslo!", "C"),
        ("Answer: Paris", "B"),  # an option's text, as in a box
        ("", None),
    ],
)
def test_the_letter_that_a_response_commits_to(response, letter):
    assert chosen(response, CITIES) == letter


@pytest.mark.parametrize(
    "response",
    [
        "Answer: A or B",
        "A, B",
        r"\boxed{A} and \boxed{B}",
        r"\boxed{C. Paris}",  # the letter of one, the text of another
        "The answer is a city",
        "I like A. Answer: E",
        "The answer cannot be C",
        "C is wrong",
        "A) Rome\nB) Paris\nC) Oslo",  # the options again
        "In the end x_A = 3",
        "A-level students, B's and C++",
        "The answer: none of them",
    ],
)
def test_near_misses_of_choice(response):
    """What has the gold's letter in it, whichever that is, and commits to none."""
    assert chosen(response, CITIES) is None


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("The answer is a bit hard. I take C", "C"),
        ("(C) is right, (A) and (B) are wrong", "C"),
        ("It is B, not C.", "B"),
        ("A\n\nFor B is in France, and C is not.", "A"),
        ("A is correct", "A"),
        ("c) Oslo", "C"),
        ("I choose **B. Paris** over A", "B"),
        (r"Answer: $\mathrm{B}$, for A is wrong", "B"),
        ("The correct option is C, and I looked at A", "C"),
        ("Answer：Ｂ", "B"),  # full-width
        ("A) Rome\nB) Paris\nC) Oslo\nI take B", "B"),
        ("Answer: Paris\nI like A, too", "B"),
    ],
)
def test_letters_beside_others(response, letter):
    assert chosen(response, CITIES) == letter


@pytest.mark.parametrize(
    ("box", "letter"),
    [
        ("Option C", "C"),
        (r"\text{option (C)}", "C"),
        ("the answer is C", "C"),
        ("[C]", "C"),
        ("**C**", "C"),
        ("C - Oslo", "C"),  # its own text beside it
        ("C, Oslo", "C"),
        ("C Oslo", "C"),
        ("the answer is Oslo", "C"),
        ("C - Paris", None),  # another's
        ("C, B", None),
        ("option B or C", None),
        ("A city", None),
        ("A'", None),
    ],
)
def test_a_box_may_say_more_than_the_letter(box, letter):
    assert chosen(rf"\boxed{{{box}}}", CITIES) == letter


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("The answer is 'C'.", "C"),
        ("I pick 'C'", "C"),
        ("It isn't B's fault", None),
        ("C, because A is in Italy and B in France", "C"),
        ("C because Rome is A", "C"),
    ],
)
def test_a_letter_in_quotes_or_with_its_reason_is_one(response, letter):
    assert chosen(response, CITIES) == letter


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([{"label": "A", "text": "Rome"}], "which is no text"),
        ({"B": "Rome", "C": "Oslo"}, "has 'options' named B, C, not A, B and so on"),
    ],
)
def test_options_that_are_no_texts_or_other_letters_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        options_of({"options": options})


def test_options_may_be_named():
    assert options_of({"options": {"b": "Paris", "a": "Rome"}}) == ["Rome", "Paris"]


def test_an_options_text_comes_before_a_letter_in_it():
    assert chosen("Answer: A cat", ["A dog", "The sun", "A cat"]) == "C"


def test_more_options_than_letters_are_refused():
    with pytest.raises(ValueError, match="more texts in 'options' than there are letters"):
        options_of({"options": [str(n) for n in range(27)]})


def test_without_options_any_letter_counts():
    assert chosen("Answer: F") == "F"
    assert letter_of("(d)") == "D"
    assert letter_of("Oslo") is None


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A file of graders, in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)


def verdict(grader, gold, response, row=""):
    """The verdict of one item."""
    return grade_many([("qa", "?", gold, response, grader, row)], workers=1)[0]


def test_verdicts_by_name(own):
    assert verdict("exact", "Paris", "answer: PARIS.").corrected
    assert verdict("exact", "Paris", "").status == "no_answer"
    row = '{"options": ["Rome", "Paris", "Oslo"]}'
    assert verdict("choice", "Paris", "Answer: B", row).corrected
    found = verdict("own.py:near", "3", "3.2", '{"tolerance": 0.5}')
    assert (found.corrected, found.harness, found.status) == (True, True, "ok")
    assert not verdict("own.py:near", "3", "3.2", '{"tolerance": 0.1}').corrected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "status", "said"),
    [
        ("near", "raised", "ValueError: could not convert string to float: 'x'"),
        ("number", "raised", "TypeError: the function returns 1, not True or False"),
        ("leaves", "raised", "SystemExit: 3"),
        ("worst", "raised", "Worst: no text"),
        ("endless", "timeout", None),
        ("kills", "crash", None),
    ],
)
def test_a_function_that_fails_has_a_status_of_its_own(own, monkeypatch, function, status, said):
    monkeypatch.setattr(pool, "KILL_SECONDS", 3)
    found = verdict(f"own.py:{function}", "3", "x", '{"tolerance": 1}')
    assert (found.status, found.corrected) == (status, False)
    assert found.answer == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("exactly", "no grader 'exactly'; there are math, exact, choice; one of your own is"),
        ("other.py:f", "grader 'other.py:f': no such Python file: other.py"),
        ("own.py:f", "grader 'own.py:f': no such function in own.py"),
        ("broken.py:f", "broken.py does not load: SyntaxError"),
        ("own.py:two", "own.py: two(gold, response) does not take (gold, response, row)"),
    ],
)
def test_a_grader_that_is_not_there_is_named(own, tmp_path, name, said):
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(GraderError, match=r"^[^\n]*$") as error:
        check_grader(name)
    assert said in str(error.value)
