"""The text behind a problem: the prompt style's own instruction, or the benchmark's."""

import pytest
from rectify.models.prompts import INSTRUCTION, STYLES, asked

PROBLEM = "What is {x} + 1?"


@pytest.mark.parametrize("style", STYLES)
def test_an_instruction_takes_the_place_of_the_styles_own(style):
    text = asked(style, PROBLEM, "Answer in one word.")
    assert text.count(f"{PROBLEM}\nAnswer in one word.") == 1
    assert INSTRUCTION not in text
    own = asked(style, PROBLEM, None)
    assert own.replace(f"{PROBLEM}\n{INSTRUCTION}", PROBLEM) == asked(style, PROBLEM, "")
    assert (INSTRUCTION in own) == (style != "chat")
