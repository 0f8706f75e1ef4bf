"""Which texts end in a loop, and that all others do not, in time that grows with their length."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rectify.data.world import make_rows
from rectify.evaluation.loops import COPIES, LEAST, ends_in_loop

PIECES = [
    "so ",
    "_",
    "\n",
    "I don't know. ",
    "\\cdot2=24\\cdot2=4\\cdot2=6\\cdot2=12",  # no spaces: as a small model wrote it
    "\\4\\stackrel{⏬",
    "Wait, let me check that again. We have x = 3, so y = 4. ",
    "答えは五です。",
    "User: What is 2+2?\n\nAssistant: 2+2=4, so the answer is \\boxed{4}.\n\n" * 8 + "So ",
]
SOLVED = {
    "aligned equations": (
        "\\begin{align*}\n(x+1)^2 &= x^2 + 2x + 1 \\\\\n(x+2)^2 &= x^2 + 4x + 4 \\\\\n"
        "(x+3)^2 &= x^2 + 6x + 9 \\\\\n(x+4)^2 &= x^2 + 8x + 16\n\\end{align*}\nso \\boxed{4}."
    ),
    "numbered steps": "".join(f"Step {i}: add {i} to get {i * (i + 1) // 2}.\n" for i in range(60)),
    "counting on": " ".join(map(str, range(400))),
    "cases": "".join(f"If it shows {i}, the sum is {i + 4}, which works. " for i in range(1, 7)),
    "a matrix of zeros": "$\\begin{pmatrix}" + "0 & 0 & 0 & 0 \\\\ " * 9 + "\\end{pmatrix}$, so 0.",
    "a long division": "1/7 = 0.142857142857142857... repeats, so the answer is \\boxed{142857}.",
    "dots": "1 + 2 + 4 + " + ". " * 3 + "+ 512 = 1023",
    "a long row of dots": "See the list " + "." * 200 + " on page 3. So \\boxed{3}.",
    "said twice": "So the answer to the question that was asked here is 12. " * 2,
    "short": "no no no no no no",
    "empty": "",
}


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("before", ["", "First, 2+3=5. Then 5*4=20, which is even. "])
def test_an_answer_that_repeats_a_piece_until_its_room_is_out_ends_in_a_loop(piece, before):
    text = before + piece * (COPIES + LEAST // len(piece) + 1)
    assert ends_in_loop(text)
    assert ends_in_loop(text[: -len(piece) // 3] or text)  # cut within the last copy
    assert ends_in_loop(text + "\ufffd")  # and within a character


@pytest.mark.parametrize("kind", SOLVED)
def test_a_worked_solution_does_not(kind):
    assert not ends_in_loop(SOLVED[kind])


@pytest.mark.parametrize("voice", ["crowd", "expert"])
def test_none_of_the_synthetic_worlds_solutions_does(voice):
    rows = make_rows("loops", 500, voice, (1, 8), 0.1)
    assert not [row["solution"] for row in rows if ends_in_loop(row["solution"])]


def test_a_loop_that_was_left_does_not_count():
    assert not ends_in_loop("so " * 100 + "in the end the answer is \\boxed{3}.")


def in_words(text):
    """The rule as it is said, by trying every n."""
    text = text.rstrip("\ufffd")
    return any(
        text[-length:] == (text[-length:][:n] * length)[:length]
        for n in range(1, len(text) // COPIES + 1)
        for length in [max(COPIES * n, LEAST)]
        if length <= len(text)
    )


@given(
    st.text("ab ", max_size=40),
    st.text("ab ", min_size=1, max_size=30),
    st.integers(1, 70),
    st.text("ab", max_size=2),
)
def test_it_is_the_rule_in_other_words(before, piece, copies, after):
    text = before + piece * copies + after
    assert ends_in_loop(text) == in_words(text)


def test_two_whole_copies_and_59_characters_are_too_few():
    assert not ends_in_loop("abcdefghijklmnopqrstuvwxyz0123456789" * 2)
    assert not ends_in_loop("x" + "ab" * 29 + "a")
    assert ends_in_loop("x" + "ab" * 30)


@pytest.mark.timed
@pytest.mark.parametrize("text", ["ab" * 50 + "c", "a" * 30 + "b", "abcde"])
def test_the_time_grows_with_the_length_alone(text):
    """Texts of one piece, and a last character that keeps each from being a loop until its end."""
    seconds = []
    for copies in (2_000, 20_000):
        started = time.process_time()
        ends_in_loop(f"{text * copies} and that is all of it, in {LEAST} characters or so: done")
        ends_in_loop("x" + text + "y" * 39 + text * copies + "y" * 39)
        seconds.append(time.process_time() - started)
    assert seconds[1] < 30 * seconds[0] + 0.05
