"""Simple formulas have the value that math-verify's parser gives them, read without it."""

import random
import subprocess
import sys

import mpmath
import pytest
from rectify.grading.equality import exact
from rectify.grading.formulas import formula
from rectify.grading.formulas.arithmetic import arithmetic
from rectify.grading.formulas.formula import UndecidedError, tree
from rectify.grading.notation.limits import UnreadableError
from rectify.grading.notation.spelling import spell

WITHIN = [
    "x^2-5x+6", r"2\sqrt{3}", r"\frac{n+1}{2}", "417x", "5!", "(n+1)!", r"36\pi", "6 - 5i", "-2^2",
    "--3", "1/2x", "a/b/c", "a/b*c", r"2\cdot -3", r"x^{-2}", r"70\times\sqrt{2}", "x y", "0.5x",
    r"\frac{\sqrt{5}-1}{2}", "x^2!", "(a+b)/(c+1)", "a-b-c", r"\frac{1}{x-x}", "007", "2.50+1",
    r"\sqrt{2}(x+1)", r"\frac{1}{2}x", "-x^n", "x^{T}", "x^{T+1}", "x^{2T}",
    r"\frac{\frac{1}{2}}{x}",
]  # fmt: skip
OUTSIDE = [
    r"1\frac{1}{2}", "2(3)", "n(n+1)", r"\pi(2)", "x^T", "x^12", "x^2^3", "5!!", "2 3", "x2", "dx",
    "d x", "e^2", "2E", "I", "ab", r"\sin x", "x_1", "x+", "+", "", "(x", "x)", r"\frac{1}2", "x=1",
    r"\sqrt[3]{4}", "1.", "0.12345678901234567", "x^", r"\mathcal{E}", "{x}", "|x|",
    "x^2(y+1)",
]  # fmt: skip


def values(node):
    """The exact value of a tree, its letters, and its values at some points, None for what has
    none.
    """
    found = [outcome(exact._walk, node), {symbol.name for symbol in node.free_symbols}]
    return found, [outcome(formula._walk, node, point) for point in (0, 10, -1)]


def outcome(walk, *arguments):
    try:
        return walk(*arguments)
    except (UndecidedError, ValueError, ZeroDivisionError) as error:  # poles too
        return type(error) if isinstance(error, UnreadableError) else None


def same(text):
    """Whether both readers give a formula the same value."""
    (found, points), (expected, others) = values(arithmetic(spell(text))), values(tree(text))
    near = mpmath.mpf(10) ** -380
    return found == expected and all(
        one is other
        or (isinstance(one, mpmath.mpc) and abs(one - other) <= near * max(abs(one), 1))
        for one, other in zip(points, others, strict=True)
    )


@pytest.mark.parametrize("text", WITHIN)
def test_the_value_is_that_of_math_verifys_tree(text):
    assert same(text)


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_that_reads_in_ways_of_its_own_is_left_to_it(text):
    assert arithmetic(text) is None


def drawn(source, depth=2):
    """A formula of the grammar."""
    made = source.choice(["", "", "", "-"]) + factor(source, depth)
    for _ in range(source.choice([0, 0, 1, 1, 2])):
        sign = source.choice(["+", "-", " - ", "*", r"\cdot ", "/", "", " "])
        made += sign + factor(source, depth)
    return made


def factor(source, depth):
    kind = source.random()
    if not depth or kind < 0.5:
        return source.choice(["2", "3", "12", "0.5", "x", "n", "k", "i", "a", "C", r"\pi"])
    inner = drawn(source, depth - 1)
    if kind < 0.6:
        return rf"\frac{{{inner}}}{{{drawn(source, depth - 1)}}}"
    if kind < 0.7:
        return rf"\sqrt{{{inner}}}"
    if kind < 0.85:
        return f"({inner})"
    return factor(source, depth - 1) + source.choice(["^2", "^n", f"^{{{inner}}}", "!"])


@pytest.mark.slow
def test_the_values_of_drawn_formulas_are_those_of_math_verifys_trees():
    source = random.Random(0)
    drawings = [drawn(source) for _ in range(1_000)]
    texts = []
    for text in drawings:
        try:
            texts += [text] if arithmetic(spell(text)) else []
        except UnreadableError:  # numbers side by side
            continue
    assert len(texts) > 300
    assert [text for text in texts if not same(text)] == []


def test_a_number_or_a_simple_formula_is_graded_without_sympy():
    """Whose import would take most of the time of a small benchmark's scoring."""
    code = (
        "import sys; from rectify.grading.verdict import grade\n"
        r"pairs = [('42', '42'), ('2\\sqrt{3}', '\\sqrt{12}'), ('x+1', '1+x'), ('x+1', 'x-1')]"
        "\nprint([grade(g, rf'\\boxed{{{a}}}').corrected for g, a in pairs])"
        "\nprint('sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[True, True, True, False]\nFalse\n"
