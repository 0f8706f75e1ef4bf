"""Every rule of the grader, on a real gold: what it lets pass and what it must not."""

import csv
from pathlib import Path

import pytest
from rectify.grading.answers import formula
from rectify.grading.equality import rules
from rectify.grading.notation import normalise, spelling
from rectify.grading.verdict import grade

with Path(__file__).with_name("examples.csv").open(encoding="utf-8", newline="") as file:
    EXAMPLES = [(row["gold"], row["answer"], row["right"]) for row in csv.DictReader(file)]
"""Answers to real golds that a marker would take ("yes"), and others that none would ("no")."""

NORMALISING = {  # rule -> (a real gold, an answer that needs the rule)
    "escaped": ("\\frac{14}{3}", "\\\\frac{14}{3}"),
    "markdown": ("36", "**36**"),
    "environments": ("x=5", "\\begin{aligned} x &= 2 + 3 \\\\ &= 5 \\end{aligned}"),
    "unicode_signs": ("90^\\circ", "90°"),
    "nested_box": ("25", "\\boxed{25}"),
    "math_delimiters": ("$69$,$84$", "$69$ and $84$"),
    "currency": ("\\$32,\\!348", "32348"),
    "thousands": ("10,\\!080", "10{,}080"),
    "spacing": ("\\frac 59", "\\frac{5}{\\,9}"),
    "sizing": ("(3,4]", "\\left(3,4\\right]"),
    "ordinals": ("36", "36^{\\text{th}}"),
    "fonts": ("\\text{(C)}", "\\textbf{(C)}"),
    "plain_functions": ("np.arcsin(10/13)", "\\arcsin(10/13)"),
    "fractions": ("\\frac9{19}", "\\dfrac{9}{19}"),
    "synonyms": ("$k \\geqslant 2$", "k \\geq 2"),
    "combinations": ("$\\binom{2n}{n}$", "C(2n, n)"),
    "degrees": ("106^\\circ", "106^{\\circ}"),
    "percent_words": ("$8 \\%$", "8 \\text{ percent}"),
    "scale_words": ("4.4e7", "44\\text{ million}"),
    "outer_marks": ("36", "= 36."),
    "whole_group": ("42", "{42}"),
}
SPELLING = {  # rule -> (a real gold, an answer that the parser would misread, its near miss)
    "arguments": ("-\\tau \\ln \\Delta", "-\\ln\\Delta\\cdot\\tau", "-\\ln(\\Delta\\cdot\\tau)"),
    "products": ("$\\frac{67 \\pi}{3}$", "\\frac{67\\pi(2)}{2(3)}", "\\frac{67\\pi(2)}{5}"),
    "subscripts": ("$m_{\\max }=n^{2}-n-1$", "m_{\\max}+n+1=n^2", "m_{\\min}+n+1=n^2"),
    "derivatives": (
        "x_{0} \\cos (\\omega t)+$ $\\dot{x}_{0} \\sin (\\omega t) / \\omega",
        "x_0\\cos(\\omega t)+\\frac{x'_0}{\\omega}\\sin(\\omega t)",
        "x_0\\cos(\\omega t)+\\frac{x''_0}{\\omega}\\sin(\\omega t)",
    ),
    "initial_values": (
        "I(0) e^{-\\frac{t}{R C}}",
        "I_0 e^{-t/(RC)}",
        "I_1 e^{-t/(RC)}",
    ),
    "letters": (
        "\\frac{1}{3} E_{1}+\\frac{2}{3} E_{2}",
        "\\frac{E_1+2E_2}{3}",
        "\\frac{2E_1+E_2}{3}",
    ),
    "digits": ("$\\binom{2n}{n}$", "\\frac{(2n)!}{n!^2}", "\\frac{(2n)!}{2n!}"),
    "exponents": ("P(1+r)^T", "P(r+1)^{T}", "P(1+r)"),
}
COMPARING = {  # rule -> (a real gold, a right answer, a wrong one)
    "words": ("\\text{even}", "Even", "odd"),
    "based": ("52_8", "52_{8}", "52_9"),
    "matrix": (
        "\\begin{pmatrix} 1/5 \\\\ -18/5 \\end{pmatrix}",
        "\\begin{bmatrix} 0.2 \\\\ -3.6 \\end{bmatrix}",
        "\\begin{pmatrix} 1/5 & -18/5 \\end{pmatrix}",
    ),
    "measures": ("9:24", "\\frac{3}{8}", "24:9"),
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
    assert set(SPELLING) == set(spelling.RULES)
    assert set(COMPARING) == set(rules.RULES)
    for named in (normalise.RULES, spelling.RULES, rules.RULES):
        assert all(rule.__doc__ for rule in named.values())


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


@pytest.mark.parametrize("rule", SPELLING)
def test_spelling(rule, monkeypatch):
    gold, right, wrong = SPELLING[rule]
    assert corrected(gold, right)
    assert not corrected(gold, wrong)
    formula.tree.cache_clear()
    formula.value.cache_clear()
    monkeypatch.setitem(spelling.RULES, rule, lambda text: text)
    needed = not corrected(gold, right) or corrected(gold, wrong)
    formula.tree.cache_clear()
    formula.value.cache_clear()
    assert needed


@pytest.mark.parametrize("rule", COMPARING)
def test_comparing(rule):
    gold, right, wrong = COMPARING[rule]
    assert corrected(gold, right)
    assert not corrected(gold, wrong)


@pytest.mark.parametrize("gold", dict.fromkeys(gold for gold, _, _ in EXAMPLES))
def test_examples(gold):
    mine = [(answer, right == "yes") for other, answer, right in EXAMPLES if other == gold]
    assert [(answer, right) for answer, right in mine if corrected(gold, answer) != right] == []


@pytest.mark.parametrize(
    ("gold", "response", "status"),
    [
        ("5", r"\boxed{5}", "ok"),
        ("5", r"\boxed{6}", "ok"),
        ("5", "it is 5", "no_answer"),
        ("5", r"\boxed{}", "no_answer"),
        ("5", r"\boxed{\int_0^1 x\,dx}", "ok"),
        ("5", r"\boxed{2^{60000}}", "ok"),
        ("5", r"\boxed{k \in \mathbb{Z}}", "ok"),
        ("5", r"\boxed{\text{no solution}}", "ok"),
        ("5", r"\boxed{5 +}", "unparsable"),
        ("5", r"\boxed{\frac{}{2}}", "unparsable"),
        ("5", r"\boxed{\text{不存在}}", "ok"),
        (r"\nabla f", r"\boxed{5}", "ok"),
        ("5", r"\boxed{5" + r"\," * 2000 + "}", "unparsable"),
    ],
)
def test_status(gold, response, status):
    assert grade(gold, response).status == status


def test_only_a_box_counts_for_corrected_but_the_harness_takes_the_last_number():
    verdict = grade("25", "so we get 24 + 1 = 25")
    assert (verdict.answer, verdict.corrected, verdict.harness) == (None, False, True)


def test_what_breaks_the_harness_is_wrong_to_it_alone(monkeypatch):
    monkeypatch.setattr("rectify.grading.verdict.harness_answer", lambda *_: 1 / 0)
    verdict = grade("52_8", r"\boxed{52_8}")
    assert (verdict.corrected, verdict.harness, verdict.status) == (True, False, "ok")


def test_importing_the_grader_loads_no_heavy_module():
    import subprocess
    import sys

    code = (
        "import sys, rectify.grading.pool;"
        "heavy = {'sympy', 'torch', 'pandas', 'math_verify', 'mpmath'};"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
