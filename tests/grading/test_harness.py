"""The published harness's verdict, quirks included, with nothing evaluated."""

import pytest
from rectify.grading.harness import latex
from rectify.grading.harness.equal import harness_equal
from rectify.grading.harness.text import harness_answer, strip_string


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


def verdict(gold: str, answer: str, benchmark: str = "math_oai") -> bool:
    return harness_equal(gold, harness_answer(rf"so \boxed{{{answer}}}", benchmark), benchmark)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("[-2,7]", True),
        (r"x \in [-2,7]", True),
        (r"x\in[-2,7]", True),
        ("[-2,8]", False),
        (r"x \in [-2,6]", False),
    ],
)
def test_a_gold_with_its_variable_is_stripped_twice(answer, right):
    assert verdict(r"x \in [-2,7]", answer) is right


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        ("5", "5,7", False),  # without commas both are numbers, and that decides
        ("-2,0,2", "-2,0", False),  # -20 and -202
        ("-2,1", "-2,2", False),
        ("1,3,9,11", "1,4,9,11", False),
        ("8,32,44", "8,33,46", False),
        ("52_8", "52", False),  # Python's float reads 528
        ("2516_8", "2516_{10}", True),  # not a float: parse_latex reads 2516 in both
        ("2516_8", "2516_9", True),  # floats within 1e-4
        ("2516_8", "2517_8", False),
        (r"\frac{1}{2},3", r"\frac{1}{2},4", True),  # no numbers: parse_latex sees the first item
        (r"\frac{1}{2},3", r"\frac{1}{3},3", False),
    ],
)
def test_lists_that_are_numbers_without_their_commas_are_compared_as_numbers(gold, answer, right):
    assert verdict(gold, answer) is right


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        ("(2,4)", "(2,4)+C", True),  # the last item is `4)+`, of which 4 is read
        ("(2,4)", "(2,5)+C", False),
        ("[x+1]", "[1+x]", True),
        ("[x+1]", "[x+2]", False),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{bmatrix}1\\2.00001\end{bmatrix}", True),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\3\end{pmatrix}", False),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\,\begin{pmatrix}1\\2\end{pmatrix}\,", True),
        (r"(-\infty,0)\cup(1,\infty)", r"\,(-\infty,0)\cup(1,\infty)\,", False),
        ("f(x)=x+1", "f(x)=1+x", True),
        ("f(x)=x+1", "f(x)=x+2", False),
        ("f(x)=x,f(x)=2-x", "f(x)=x,f(x)=3-x", True),  # of two equations the first is read
        ("f(x)=x,f(x)=2-x", "f(x)=-x,f(x)=2-x", False),
        ("2m+3n=6", "3n+2m-6=0", True),
        ("2m+3n=6", "6=3n+2m", False),  # `6=` is taken for a name that is left off
        ("2m+3n=6", "2m+3n=7", False),
    ],
)
def test_lists_matrices_and_equations_go_on_to_the_symbolic_comparison(gold, answer, right):
    assert verdict(gold, answer) is right


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        ("12", r"12^{\mathrm{th}}", True),  # "th" is a unit, and 12^{\mathrm{}} is read as 12
        ("12", r"13^{\mathrm{th}}", False),
        ("12", r"12^{\mathrm{x}}", False),
        ("272", "272^{", True),
        ("n", r"n-\frac{1}", True),  # what cannot be read to its end is left off with its sign
        ("n", r"m-\frac{1}", False),
    ],
)
def test_as_much_is_read_as_can_be(gold, answer, right):
    from rectify.grading.harness.equal import math_equal
    from rectify.grading.harness.text import harness_gold

    assert math_equal(strip_string(strip_string(answer)), harness_gold(gold, "math_oai")) is right


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        (r"12\pi", "37.7", False),  # pi is a symbol
        (r"12\pi", r"\frac{24\pi}{2}", True),
        (r"12\pi", r"13\pi", False),
        (r"\sqrt{13}", "3.60555", True),  # two numbers: within 1e-4
        (r"\sqrt{13}", "3.60", False),
        ("6m", "|6m|", False),
        ("(u+v)w", "uw+vw", True),
        ("n(n+1)", "n^2+n", False),  # a function n at n+1
        ("n(n+1)", "n(1+n)", True),
        (r"k \geq 2", r"k \ge 2", True),
        (r"k \geq 2", r"k > 2", False),
        (r"k \geqslant 2", r"k \ge 2", False),  # \geq is cut out of it, and \geslant left
        (r"\frac{dv}{dt}+v", "v", True),  # v does not depend on t
        (r"\frac{dv}{dt}+v", "w", False),
        (r"\lfloor\frac{n}{2}\rfloor", r"\lfloor\frac{n}{3}\rfloor", False),
        ("500000", "5x10^5", True),  # an x between numbers
        ("500000", "5x10^6", False),
        ("3", "3~", True),  # outside the alphabet of parse_latex, but not of latex2sympy
        ("3", r"3\\", True),
        ("3", r"4\\", False),
        ("3", "3\\ ", False),  # a lone backslash is left of it
        (r"\frac{7}{2}", r"\\frac{7}{2}", True),
        (r"\frac{7}{2}", r"\\frac{9}{2}", False),
        ("3", "3;4", False),
    ],
)
def test_symbols_and_numbers(gold, answer, right):
    from rectify.grading.harness.equal import math_equal

    assert math_equal(strip_string(answer), strip_string(gold)) is right


def test_units_are_taken_out_one_after_the_other():
    assert strip_string("a b+1") == "+1"
    assert strip_string("c > 29") == "29"


def test_large_and_deep_texts_have_an_answer(monkeypatch):
    """What is deeper than the limit is equal to itself alone."""
    from rectify.grading.harness.equal import math_equal

    monkeypatch.setattr(latex, "MAX_DEPTH", 5)
    deep = ["(" * depth + "1" + ")" * depth + "x" for depth in (4, 5)]
    assert [math_equal(text, "1x+0") for text in deep] == [True, False]
    assert math_equal(deep[1], deep[1])
    monkeypatch.undo()
    assert not math_equal("2^{60000}", "9")
    assert not math_equal("a(" * 38 + "1", "9")
    assert math_equal(r"\sin(" * 20 + "x" + ")" * 20, r"\sin(" * 20 + "1x" + ")" * 20)
