"""The answer is the last balanced box, joined with the boxes beside it."""

import pytest
from rectify.grading import boxed
from rectify.grading.boxed import boxed_answer


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"so \boxed{5}", "5"),
        (r"\boxed{1} is wrong, so \boxed{2}", "2"),
        (r"the final answer is 5, no: \boxed{3}. Hence the final answer is 4", "3"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed {7}", "7"),
        (r"\fbox{7}", "7"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{\boxed{5}}", r"\boxed{5}"),
        (r"first \boxed{5}, then \boxed{6", "5"),  # truncated in the second box
        (r"\boxed{1, \boxed{2}", "2"),
        (r"$\boxed{1}$ and $\boxed{2}$", "1, 2"),
        (r"\boxed{1}, \boxed{2}, or \boxed{3}", "1, 2, 3"),
        (r"$x=\boxed{1} \text{ or } x=\boxed{2}$", "1, 2"),
        (r"\boxed{1} gives us, after some algebra, \boxed{2}", "2"),
        (r"\boxed{1} \boxed{2}", "2"),
        ("no box, just 42", None),
        ("", None),
        (r"\boxed{}", None),
        (r"\boxed{ }", None),
        (r"\boxed{1", None),
        (r"\boxed", None),
        ("}}}{{{", None),
    ],
)
def test_boxed_answer(response, answer):
    assert boxed_answer(response) == answer


class Counted:
    """A pattern that counts what it finds."""

    def __init__(self, pattern):
        self.pattern, self.found = pattern, 0

    def finditer(self, text):
        for token in self.pattern.finditer(text):
            self.found += 1
            yield token


@pytest.mark.parametrize(
    ("response", "answer", "tokens"),
    [
        (r"\boxed{" * 2_000, None, 2_000),
        ("{" * 200_000 + r"\boxed{1}" + "}" * 200_000, "1", 400_002),
        (r"\boxed{" + "{" * 200_000, None, 200_001),
    ],
)
def test_extraction_is_linear_in_the_length(monkeypatch, response, answer, tokens):
    """Each box and brace is met once, however deep, closed or not."""
    counted = Counted(boxed._TOKEN)
    monkeypatch.setattr(boxed, "_TOKEN", counted)
    assert boxed_answer(response) == answer
    assert counted.found == tokens
