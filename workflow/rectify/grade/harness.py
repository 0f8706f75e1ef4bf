"""What the published harness would have said: its rules, re-implemented without evaluating strings.

Source: the Qwen2.5-Math evaluation harness (QwenLM/Qwen2.5-Math, evaluation/parser.py
`extract_answer` and `strip_string`, evaluation/grader.py `math_equal`), of which the paper's
evaluation is a fork. The rules keep their published order, quirks included: x100 and /100 count as
equal, so does a relative difference of 1e-4, units are stripped by a word list, and a missing box
falls back to the last number.

One step differs. The harness parses both sides with sympy's parse_latex, parse_expr (which executes
what the model wrote) and latex2sympy, and simplifies; here the project's closed grammar parses them
and their values decide. parse_latex reads as much of a text as it can, so that `1,-2` means 1 to
it; that is kept (`_symbol_prefix`).
"""

import re
from math import isclose

from rectify.grade.brackets import split
from rectify.grade.formula import UndecidedError, value
from rectify.grade.harness_units import UNIT_WORDS
from rectify.grade.normalise import normalise
from rectify.grade.numbers import read_number
from rectify.grade.values import Formula, UnreadableError

MAX_CHARS = 4_000
_KEEPS_UNITS = ("minerva_math", "carp_en")
_UNITS = re.compile(
    rf"(^|\W)(?:{'|'.join(map(re.escape, sorted(UNIT_WORDS, key=len, reverse=True)))})($|\W)"
)
_WORD_VALUES = {
    word: n
    for n, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
} | {
    word: 10 * n
    for n, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2
    )
}
_WORD_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}


def harness_answer(response: str, benchmark: str | None) -> str:
    """`extract_answer` and the second `strip_string` that follows it; "" where it finds nothing."""
    if "final answer is $" in response and "$. I hope" in response:
        text = response.split("final answer is $", 1)[1].split("$. I hope", 1)[0].strip()
    elif "boxed" in response:
        text = _first_group(response.rsplit("boxed", 1)[1])
    elif "he answer is" in response:
        text = response.rsplit("he answer is", 1)[1].strip()
    elif "final answer is" in response:
        text = response.rsplit("final answer is", 1)[1].strip()
    else:
        numbers = re.findall(r"-?\d*\.?\d+", response.replace(",", ""))
        text = numbers[-1] if numbers else ""
    text = re.sub(r"\n\s*", "", text)
    text = text.removeprefix(":").removesuffix(".").removesuffix("/")
    if len(text) > MAX_CHARS:
        return text
    keep = benchmark in _KEEPS_UNITS
    return strip_string(strip_string(text, keep), keep)


def harness_gold(gold: str, benchmark: str | None) -> str:
    """`parse_ground_truth` for a gold as it stands in the benchmark file."""
    if benchmark in _KEEPS_UNITS:
        return (
            strip_string(gold, True)
            .replace("\\neq", "\\ne")
            .replace("\\leq", "\\le")
            .replace("\\geq", "\\ge")
        )
    return strip_string(gold.strip("$") if benchmark == "olympiadbench" else gold)


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


def _first_group(text: str) -> str:
    """The braced group `text` starts with (to the end if it never closes), else up to a dollar."""
    if not text.startswith("{"):
        return text.split("$")[0].strip()
    depth = 0
    for match in re.finditer(r"[{}]", text):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return text[1 : match.start()]
    return text[1:]


def strip_string(text: str, keep_units: bool = False) -> str:
    """`strip_string` of the harness, in its order."""
    text = text.strip().replace("\n", "").rstrip(".").replace("\\!", "")
    text = re.sub(r"\\begin\{array\}\{.*?\}", r"\\begin{pmatrix}", text)
    text = re.sub(r"\\end\{array\}", r"\\end{pmatrix}", text).replace("bmatrix", "pmatrix")
    text = text.replace("tfrac", "frac").replace("dfrac", "frac")
    text = text.replace("\\neq", "\\ne").replace("\\leq", "\\le").replace("\\geq", "\\ge")
    text = text.replace("\\left", "").replace("\\right", "").replace("\\{", "{").replace("\\}", "}")
    text = re.sub(r"\\text{.*?}$", "", text).strip() or text
    if not keep_units:
        for _ in range(2):
            text = _UNITS.sub(r"\1\2", text) or text
    for mark in ("^{\\circ}", "^\\circ", "\\$", "$", "\\(", "\\)"):
        text = text.replace(mark, "")
    text = re.sub(r"\\text\{(.*?)\}", r"\1", _words_to_number(text))
    for name in ("x=", "y=", "z=", "x\\in", "y\\in", "z\\in", "x\\to", "y\\to", "z\\to"):
        text = text.replace(name, "")
    text = text.replace("\\emptyset", "{}").replace("(-\\infty,\\infty)", "\\mathbb{R}")
    text = text.replace("\\%", "").replace("%", "").replace(" .", " 0.").replace("{.", "{0.")
    text = text.replace("infinity", "\\infty")
    if "\\infty" not in text:
        text = text.replace("inf", "\\infty")
    text = text.replace("and", "").replace("\\mathbf", "")
    text = re.sub(r"\\mbox{.*?}", "", text)
    if "j" in text and "i" not in text:
        text = text.replace("j", "i")
    text = re.sub(r"(\d+)\.0*([^\d])", r"\1\2", text)
    text = re.sub(r"(\d+)\.0*$", r"\1", text)
    if text.startswith("."):
        text = "0" + text
    if text.count("=") == 1 and len(text.split("=")[0]) <= 2:
        text = text.split("=")[1]
    text = re.sub(r"\\sqrt(\w+)", r"\\sqrt{\1}", text).replace(" ", "")
    return _slash_to_frac(_brace_fractions(text))


def _words_to_number(text: str) -> str:
    """word2number: "twenty one" -> "21" wherever a text has number words; digits lose zeros."""
    if text.isdecimal():
        return str(int(text)) if len(text) < 4000 else text
    words = [
        w for w in text.lower().replace("-", " ").split() if w in _WORD_VALUES or w in _WORD_SCALES
    ]
    if not words:
        return text
    total = current = 0
    for word in words:
        if word in _WORD_VALUES:
            current += _WORD_VALUES[word]
        elif word == "hundred":
            current = (current or 1) * 100
        else:
            total, current = total + (current or 1) * _WORD_SCALES[word], 0
    return str(total + current)


def _brace_fractions(text: str) -> str:
    r"""`_fix_fracs`: \frac12 and \frac1{72} get their braces."""
    head, *parts = text.split("\\frac")
    done = [head]
    for part in parts:
        if not part.startswith("{"):
            if len(part) < 2:
                return text
            part = f"{{{part[0]}}}" + (part[1:] if part[1] == "{" else f"{{{part[1]}}}{part[2:]}")
        done.append(part)
    return "\\frac".join(done)


def _slash_to_frac(text: str) -> str:
    r"""`_fix_a_slash_b`: 1/2, and sqrt{2}/2, as \frac."""
    parts = text.split("/")
    if len(parts) != 2 or not all(
        "sqrt" in p or re.fullmatch(r"-?(?:0|[1-9]\d{0,99})", p) for p in parts
    ):
        return text
    return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"


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
    try:
        values = [[value(Formula(latex), point) for point in (0, 1)] for latex in pair]
    except (UnreadableError, UndecidedError):
        return False
    constant = all(abs(v[0] - v[1]) <= abs(v[0]) * 1e-30 for v in values)
    return all(
        abs(a - b) <= (1e-4 if constant else 1e-12) * max(abs(a), abs(b))
        for a, b in zip(*values, strict=True)
    )


def _symbol_prefix(text: str) -> str:
    """What parse_latex reads of a text: all up to the first comma outside brackets. It knows no
    e-notation: in 4.5e33 it sees a product with the letter e.
    """
    first = split(text, ",")[0]
    first = re.sub(r"(?<=\d)[eE](?=[\d+-])", r" \\epsilon ", first)
    number = read_number(normalise(first))
    if number and not number.percent:
        return (
            rf"\frac{{{number.value.numerator}}}{{{number.value.denominator}}}"
            if (abs(number.value.numerator) < 10**300 and number.value.denominator < 10**300)
            else first
        )
    return normalise(first)
