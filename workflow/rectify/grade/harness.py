r"""What the published harness would have said: its rules, with no string evaluated.

Source: the Qwen2.5-Math evaluation harness (QwenLM/Qwen2.5-Math, evaluation/parser.py
`extract_answer` and `strip_string`, evaluation/grader.py `math_equal`), of which the paper's
evaluation is a fork. The rules keep their published order, quirks included: x100 and /100 count as
equal, so does a relative difference of 1e-4, units are stripped by a word list, and a missing box
falls back to the last number.

One step differs. The harness parses both sides with sympy's parse_latex, parse_expr (which executes
what the model wrote) and latex2sympy, and simplifies; here the project's closed grammar parses them
and their values decide. parse_latex reads as much of a text as it can, so that `1,-2` means 1 to
it; that is kept (`_symbol_prefix`).

Fidelity. Against those two files, transcribed and run outside the project (sympy 1.12 and antlr
4.11.1, so that parse_latex works; without latex2sympy, the last fallback), 4,000 rewritings of the
five benchmarks' golds that were not used for tuning had the same verdict in 99.3 % and the same
stripped answer in 99.9 %; the rest is mainly how parse_latex fails. Not measured: a model's
outputs, the paper's fork and its environment. The environment matters: with antlr 4.7.2 parse_latex
is broken, 8 % of such verdicts differ, and 4.5\times10^{33} passes for 4.5e33, which the working
parse_latex rejects, as is done here.
"""

import re
from math import isclose

from rectify.grade.brackets import split
from rectify.grade.formula import UndecidedError, is_discrete, value
from rectify.grade.harness_text import MAX_CHARS, harness_gold
from rectify.grade.normalise import whole_group
from rectify.grade.numbers import read_number
from rectify.grade.scalars import REAL_POINTS, WHOLE_POINTS
from rectify.grade.values import Formula, UnreadableError


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
    if None not in numbers and any(
        isclose(numbers[1] * factor, numbers[0], rel_tol=1e-4) for factor in (0.01, 1, 100)
    ):
        return True
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
        return _each_equal(answer[1:-1].split(","), reference[1:-1].split(","), level)
    if _is_matrix(answer) and _is_matrix(reference):
        rows = [
            [line.strip() for line in t[15:-13].split("\\\\") if line.strip()]
            for t in (answer, reference)
        ]
        return len(rows[0]) == len(rows[1]) and all(
            _each_equal(a.split("&"), r.split("&"), level) for a, r in zip(*rows, strict=True)
        )
    if answer.count("=") == 1 and reference.count("=") == 1:
        sides = [[part.strip() for part in t.split("=")] for t in (answer, reference)]
        first, second = (f"{left} - ({right})" for left, right in sides)
        return _symbolic_equal(first, second) or _symbolic_equal(f"-({first})", second)
    if _names_value(answer) and "=" not in reference:
        return math_equal(answer.split("=")[1], reference, level + 1)
    if _names_value(reference) and "=" not in answer:
        return math_equal(answer, reference.split("=")[1], level + 1)
    return _symbolic_equal(answer, reference)


def _digits(text: str) -> float | None:
    """`parse_digits`: a float, with commas dropped, or a percentage."""
    text = text.replace(",", "")
    factor = 1.0
    if text.endswith("%"):
        text, factor = text[:-1].removesuffix("\\"), 0.01
    if not re.fullmatch(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", text):
        return None
    return float(text) * factor


def _without_brackets(answer: str, reference: str) -> bool:
    texts = answer, reference
    ends = [(t[:1], t[-1:]) for t in texts]
    if (ends[0] == ("[", "]") and ends[1] != ("(", ")")) or (
        ends[0] == ("(", ")") and ends[1] != ("[", "]")
    ):
        texts = tuple(t.strip("[]()") for t in texts)
    plain = [re.sub(r"[{}()]", "", t).lower() for t in texts]
    return plain[0] == plain[1]


def _is_list(text: str) -> bool:
    return re.match(r"[(\[].+[)\]]", text) is not None


def _is_matrix(text: str) -> bool:
    return text.startswith("\\begin{pmatrix}") and text.endswith("\\end{pmatrix}")


def _each_equal(answers: list[str], references: list[str], level: int) -> bool:
    return len(answers) == len(references) and all(
        math_equal(a, r, level + 1) for a, r in zip(answers, references, strict=True)
    )


def _names_value(text: str) -> bool:
    return text.count("=") == 1 and len(text.split("=")[0].strip()) <= 2


def _symbolic_equal(answer: str, reference: str) -> bool:
    """`symbolic_equal`: equal values, or within 1e-4 of each other where both are numbers."""
    pair = [_symbol_prefix(text) for text in (answer, reference)]
    if pair[0] == pair[1]:
        return True
    sides = [Formula(latex) for latex in pair]
    points = WHOLE_POINTS if any(map(is_discrete, sides)) else REAL_POINTS
    try:
        values = [[value(side, point) for point in points] for side in sides]
    except (UnreadableError, UndecidedError):
        return False
    constant = all(abs(v[0] - other) <= abs(v[0]) * 1e-30 for v in values for other in v)
    return all(
        abs(a - b) <= (1e-4 if constant else 1e-12) * max(abs(a), abs(b))
        for a, b in zip(*values, strict=True)
    )


def _symbol_prefix(text: str) -> str:
    r"""What parse_latex reads of a text: all up to the first comma outside brackets. It knows no
    e-notation (in 4.5e33 it sees a product with the letter e), no mixed numbers, no bases (52_8 is
    52) and no fonts (to it \mathrm is one more symbol, so that such a text equals only itself).
    """
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)  # it does know thousands
    first = re.sub(r"\\(?:[,:;!]|q?quad(?![a-z]))", " ", split(text, ",")[0]).replace("\\div", "/")
    first = re.split(r"(?<=\d)_", whole_group(first.strip()))[0]
    if re.search(r"~|\\(?:math|text|mbox)", first):
        return rf"\unknown {first}"
    first = re.sub(r"(?<=\d)[eE](?=[\d+-])", r" \\epsilon ", first)
    first = re.sub(r"(?<=\d)\s*(?=\\frac)", r"\\cdot ", first)
    number = read_number(first)
    if number is None or number.percent:
        return first
    top, bottom = number.value.numerator, number.value.denominator
    return rf"\frac{{{top}}}{{{bottom}}}" if max(abs(top), bottom) < 10**300 else first
