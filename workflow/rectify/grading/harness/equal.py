r"""What the published harness would have said: its rules, with no string evaluated.

Source: the Qwen2.5-Math evaluation harness (QwenLM/Qwen2.5-Math, evaluation/parser.py
`extract_answer` and `strip_string`, evaluation/grader.py `math_equal`), of which the paper's
evaluation is a fork. The rules keep their published order, quirks included: x100 and /100 count as
equal, so does a relative difference of 1e-4, units are stripped by a word list, and a missing box
falls back to the last number.

One step differs. The harness parses both sides with sympy's parse_latex, parse_expr (which executes
what the model wrote) and latex2sympy, and simplifies; here the grammar of parse_latex is followed
(harness_latex.py) and values decide (harness_values.py). What parse_latex cannot read (lists beyond
their first item, `~`, `%`) is equal only to itself, where the harness has two more parsers for it.

What remains different:
- Python expressions and what only latex2sympy reads: `(4.08e+03)`, sets in another order, matrices
  whose cells differ but round alike, `1-12i\\`.
- Where parse_latex stops in the midst of a text is followed for the mistakes that answers show, not
  for all that ANTLR's prediction does; sums, integrals and limits are equal only to themselves.
- A comparison that takes sympy more than 3 seconds is wrong to the harness; values take less.
- A gold that is a bare letter A to E: the released evaluation looks for the letter in the whole
  response, this one in the extracted answer. The five benchmarks have no such gold.
- MATH-500's `x \in [-2,7]`: the released evaluate.py takes each gold from the solution once more
  just before it compares, and strips that only once, by which no answer to this problem is ever
  right; here the gold is the one that its parse_ground_truth gives to begin with.

The environment matters too: with antlr 4.7.2 parse_latex is broken, and 4.5\times10^{33} passes
for 4.5e33, which the working parse_latex (sympy 1.12, antlr 4.11.1: the published requirements)
rejects, as is done here.
"""

import re
from math import isclose

from rectify.grading.harness.text import MAX_CHARS, harness_gold
from rectify.grading.harness.values import symbolic_equal
from rectify.grading.notation.limits import UnreadableError

_INT = r"\d+(?:_\d+)*"


def harness_equal(gold: str, answer: str, benchmark: str | None = None) -> bool:
    """The harness's verdict on an answer from `harness_answer`. May raise; the caller counts
    whatever goes wrong, a timeout included, as a wrong answer, as the harness does.
    """
    if len(answer) > MAX_CHARS:
        return False
    reference = harness_gold(gold, benchmark)
    if reference in list("ABCDE") and answer not in list("ABCDE"):
        answer = _choice(answer)
    return math_equal(answer, reference)


def _choice(text: str) -> str:
    """`choice_answer_clean` of the grader: the last lone letter A to E."""
    letters = re.findall(r"\b(A|B|C|D|E)\b", text.upper())
    return letters[-1] if letters else text.strip().strip(".").rstrip("/")


def math_equal(answer: str, reference: str, level: int = 0) -> bool:
    """`math_equal` of the harness with include_percentage and is_close, as its evaluation calls
    it.
    """
    if level > 20:
        raise UnreadableError("lists too deep")
    if answer.strip().lower() == reference.strip().lower():
        return True
    if reference in list("ABCDE") and _choice(answer) == reference:
        return True
    numbers = _digits(answer), _digits(reference)
    if None not in numbers:
        factors = (0.01, 1, 100)
        return any(isclose(numbers[1] * f, numbers[0], rel_tol=1e-4) for f in factors)
    if not answer:
        return False
    answer, reference = answer.strip(), reference.strip()
    if "pmatrix" in answer and "pmatrix" not in reference:
        found = re.findall(r"\{.*,.*\}", reference)
        reference = ", ".join(
            rf"\begin{{pmatrix}}{m.strip('{}').replace(',', chr(92))}\end{{pmatrix}}" for m in found
        )
    if _without_brackets(answer, reference):
        return True
    if _is_list(answer) and _is_list(reference):
        parts = (t[1:-1].split(",") for t in (answer, reference))
        if _each_equal(*parts, level):
            return True
    if _is_matrix(answer) and _is_matrix(reference) and _rows_equal(answer, reference, level):
        return True
    if _sides_equal(answer, reference, level):
        return True
    return symbolic_equal(answer, reference)


def _sides_equal(answer: str, reference: str, level: int) -> bool:
    """Two equations, or an equation that names a value against the value."""
    equations = answer.count("="), reference.count("=")
    if equations == (1, 1):
        sides = [[part.strip() for part in t.split("=")] for t in (answer, reference)]
        first, second = (f"{left} - ({right})" for left, right in sides)
        return symbolic_equal(first, second) or symbolic_equal(f"-({first})", second)
    if _names_value(answer) and not equations[1]:
        return math_equal(answer.split("=")[1], reference, level + 1)
    if _names_value(reference) and not equations[0]:
        return math_equal(answer, reference.split("=")[1], level + 1)
    return False


def _digits(text: str) -> float | None:
    """`parse_digits`: what Python's float reads (52_8 as 528), commas dropped, or a percentage."""
    text = text.replace(",", "")
    factor = 1.0
    if text.endswith("%"):
        text, factor = text[:-1].removesuffix("\\"), 0.01
    if not re.fullmatch(rf"\s*[+-]?(?:{_INT}\.?(?:{_INT})?|\.{_INT})(?:[eE][+-]?{_INT})?\s*", text):
        return None
    return float(text) * factor


def _without_brackets(answer: str, reference: str) -> bool:
    texts = answer, reference
    ends = answer[:1], answer[-1:]
    if (ends == ("[", "]") and reference[:1] != "(") or (
        ends == ("(", ")") and reference[:1] != "["
    ):
        texts = tuple(t.strip("[]()") for t in texts)
    plain = [re.sub(r"[{}()]", "", t).lower() for t in texts]
    return plain[0] == plain[1]


def _is_list(text: str) -> bool:
    return re.match(r"[(\[].+[)\]]", text) is not None


def _is_matrix(text: str) -> bool:
    return text.startswith("\\begin{pmatrix}") and text.endswith("\\end{pmatrix}")


def _rows_equal(answer: str, reference: str, level: int) -> bool:
    rows = [
        [line.strip() for line in t[15:-13].split("\\\\") if line.strip()]
        for t in (answer, reference)
    ]
    return len(rows[0]) == len(rows[1]) and all(
        _each_equal(a.split("&"), r.split("&"), level) for a, r in zip(*rows, strict=True)
    )


def _each_equal(answers: list[str], references: list[str], level: int) -> bool:
    return len(answers) == len(references) and all(
        math_equal(a, r, level + 1) for a, r in zip(answers, references, strict=True)
    )


def _names_value(text: str) -> bool:
    return text.count("=") == 1 and len(text.split("=")[0].strip()) <= 2
