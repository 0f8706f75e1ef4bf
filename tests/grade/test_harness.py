"""The published harness's verdict, quirks included, with nothing evaluated."""

import pytest
from rectify.grade.harness import harness_equal
from rectify.grade.harness_text import harness_answer, strip_string


@pytest.mark.parametrize(
    ("benchmark", "gold", "response", "verdict"),
    [
        ("math_oai", "10", r"\boxed{10}", True),
        ("math_oai", "10", r"\boxed{1000}", True),  # x100
        ("math_oai", "10", r"\boxed{0.1}", True),  # /100
        ("math_oai", "10", r"\boxed{10.0009}", True),  # relative 1e-4
        ("math_oai", "10", r"\boxed{10.01}", False),
        ("math_oai", "10", "we find 9 and then 10", True),  # no box: the last number
        ("math_oai", "10", "we find 10 and then 9", False),
        ("math_oai", "(3,4]", r"\boxed{[3,4]}", True),  # brackets are not looked at
        ("math_oai", "1,-2", r"\boxed{1,5}", True),  # parse_latex reads up to the comma
        ("math_oai", "1,-2", r"\boxed{-2,1}", False),
        ("math_oai", "52_8", r"\boxed{52_{8}}", True),
        ("math_oai", r"90^\circ", r"\boxed{90}", True),
        ("math_oai", r"\text{(C)}", r"\boxed{C}", True),
        ("math_oai", r"\frac{1}{2}", r"\boxed{\dfrac12}", True),
        ("math_oai", r"\frac{1}{2}", r"\boxed{1/2}", True),
        ("math_oai", r"3\sqrt{13}", r"\boxed{\sqrt{117}}", True),
        ("math_oai", "y = 2x + 3", r"\boxed{y=3+2x}", True),
        ("minerva_math", "4.5e33", r"\boxed{4.5e33}", True),
        ("minerva_math", "4.5e33", r"\boxed{4.5\times 10^{33}}", False),  # the Minerva gap
        ("olympiadbench", "$2 n$", r"\boxed{2n}", True),
        ("aime24", "025", "the answer is 25.", True),
        ("amc23", "27.0", r"\boxed{27}", True),
        ("amc23", "27.0", r"\boxed{28}", False),
    ],
)
def test_verdict(benchmark, gold, response, verdict):
    assert harness_equal(gold, harness_answer(response, benchmark), benchmark) is verdict


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        (r"\tfrac12", r"\frac{1}{2}"),
        ("5 cm", "5"),
        ("025", "25"),
        ("twenty one", "21"),
        ("x=5", "5"),
        (r"50\%", "50"),
        ("27.0", "27"),
        (".5", "0.5"),
        (r"\sqrt3", r"\sqrt{3}"),
        ("3/4", r"\frac{3}{4}"),
    ],
)
def test_strip_string(text, stripped):
    assert strip_string(text) == stripped
