"""Every rule of the grader, on a real gold: what it lets pass and what it must not."""

import pytest
from examples import RIGHT, WRONG
from rectify.grade import grade, normalise, rules

NORMALISING = {  # rule -> (a real gold, an answer that needs the rule)
    "unicode_signs": ("90^\\circ", "90°"),
    "nested_box": ("25", "\\boxed{25}"),
    "math_delimiters": ("$69$,$84$", "$69$ and $84$"),
    "currency": ("\\$32,\\!348", "32348"),
    "thousands": ("10,\\!080", "10{,}080"),
    "spacing": ("\\frac 59", "\\frac{5}{\\,9}"),
    "sizing": ("(3,4]", "\\left(3,4\\right]"),
    "fonts": ("\\text{(C)}", "\\textbf{(C)}"),
    "plain_functions": ("np.arcsin(10/13)", "\\arcsin(10/13)"),
    "fractions": ("\\frac9{19}", "\\dfrac{9}{19}"),
    "synonyms": ("$k \\geqslant 2$", "k \\geq 2"),
    "degrees": ("106^\\circ", "106^{\\circ}"),
    "percent_words": ("$8 \\%$", "8 \\text{ percent}"),
    "outer_marks": ("36", "= 36."),
    "whole_group": ("42", "{42}"),
}
COMPARING = {  # rule -> (a real gold, a right answer, a wrong one)
    "words": ("\\text{even}", "Even", "odd"),
    "based": ("52_8", "52_{8}", "52_9"),
    "matrix": (
        "\\begin{pmatrix} 1/5 \\\\ -18/5 \\end{pmatrix}",
        "\\begin{bmatrix} 0.2 \\\\ -3.6 \\end{bmatrix}",
        "\\begin{pmatrix} 1/5 & -18/5 \\end{pmatrix}",
    ),
    "items": ("16,3,1,1", "1,16,1,3", "16,3,1"),
    "intervals": ("(3,4]", "3 < x \\le 4", "[3,4]"),
    "relation": ("5x - 7y + 11z + 4 = 0", "7y = 5x + 11z + 4", "5x - 7y + 11z = 4"),
    "scalar": ("x=5", "x = 10/2 = 5", "y = 5"),
    "number": ("2.88e-19", "2.88 \\times 10^{-19}", "5.1e-20"),
    "rounding": ("$\\frac{600}{7}$", "85.714286", "85.714"),
    "same_value": ("(a+5)(b+2)", "ab+2a+5b+10", "ab+2a+5b+11"),
}


def corrected(gold: str, answer: str) -> bool:
    return grade(gold, rf"\boxed{{{answer}}}").corrected


def test_every_rule_has_its_reason_and_its_test():
    assert set(NORMALISING) == set(normalise.RULES)
    assert set(COMPARING) == set(rules.RULES)
    assert all(rule.__doc__ for rule in [*normalise.RULES.values(), *rules.RULES.values()])


@pytest.mark.parametrize("rule", NORMALISING)
def test_normalising(rule):
    gold, answer = NORMALISING[rule]
    assert corrected(gold, answer)
    assert any(normalise.RULES[rule](text) != text for text in _texts_before(rule, gold, answer))


def _texts_before(rule: str, *texts: str) -> list[str]:
    """The texts as the rule meets them, and as they are."""
    met = []
    for text in texts:
        for name, apply in normalise.RULES.items():
            if name == rule:
                break
            text = apply(text)
        met.append(text)
    return met


@pytest.mark.parametrize("rule", COMPARING)
def test_comparing(rule):
    gold, right, wrong = COMPARING[rule]
    assert corrected(gold, right)
    assert not corrected(gold, wrong)


@pytest.mark.parametrize("gold", RIGHT)
def test_right_answers(gold):
    assert [answer for answer in RIGHT[gold] if not corrected(gold, answer)] == []


@pytest.mark.parametrize("gold", WRONG)
def test_wrong_answers(gold):
    assert [answer for answer in WRONG[gold] if corrected(gold, answer)] == []


@pytest.mark.parametrize(
    ("gold", "response", "status"),
    [
        ("5", r"\boxed{5}", "ok"),
        ("5", r"\boxed{6}", "ok"),
        ("5", "it is 5", "no_answer"),
        ("5", r"\boxed{}", "no_answer"),
        ("5", r"\boxed{\int_0^1 x\,dx}", "unparsable"),
        ("5", r"\boxed{9^{9^{9^9}}}", "unparsable"),
        ("5", rf"\boxed{{{'1' * 100_000}}}", "unparsable"),
    ],
)
def test_status(gold, response, status):
    assert grade(gold, response).status == status


def test_only_a_box_counts_for_corrected_but_the_harness_takes_the_last_number():
    verdict = grade("25", "so we get 24 + 1 = 25")
    assert (verdict.answer, verdict.corrected, verdict.harness) == (None, False, True)


def test_importing_the_grader_loads_no_heavy_module():
    import subprocess
    import sys

    code = (
        "import sys, rectify.grade; heavy = {'sympy', 'torch', 'pandas', 'math_verify', 'mpmath'};"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
