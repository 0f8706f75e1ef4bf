"""What the published harness extracts from a response and strips from it, in its order.

Source: QwenLM/Qwen2.5-Math, evaluation/parser.py (`extract_answer`, `strip_string`).
"""

import re
from functools import cache, lru_cache

from rectify.grading.harness.units import BY_FIRST_WORD, UNIT_WORDS

MAX_CHARS = 4_000
_KEEPS_UNITS = ("minerva_math", "carp_en")
_SMALL = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen",
)
_TENS = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
_WORD_VALUES = dict(zip(_SMALL, range(20), strict=True)) | dict(
    zip(_TENS, range(20, 100, 10), strict=True)
)
_WORD_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}


def harness_answer(response: str, benchmark: str | None) -> str:
    """`extract_answer` and the second `strip_string` that follows it; "" where it finds nothing."""
    response = response.replace("\u043a\u0438", "")
    if "final answer is $" in response and "$. I hope" in response:
        text = response.split("final answer is $", 1)[1].split("$. I hope", 1)[0].strip()
    elif "boxed" in response:
        text = _first_group(response.rsplit("boxed", 1)[1])
    elif "he answer is" in response:
        text = response.rsplit("he answer is", 1)[1].strip()
    elif "final answer is" in response:
        text = response.rsplit("final answer is", 1)[1].strip()
    elif "答案是" in response:  # "the answer is"
        text = response.split("答案是")[1].strip().split("\n\n")[0].strip()
    else:
        numbers = re.findall(r"-?\d*\.?\d+", response.replace(",", ""))
        text = numbers[-1] if numbers else ""
    text = re.sub(r"\n\s*", "", text)
    text = text.removeprefix(":").removesuffix(".").removesuffix("/")
    if len(text) > MAX_CHARS:
        return text
    keep = benchmark in _KEEPS_UNITS
    return strip_string(strip_string(text, keep), keep)


@lru_cache(maxsize=8192)
def harness_gold(gold: str, benchmark: str | None) -> str:
    r"""`parse_ground_truth` for a gold as it stands in the benchmark file.

    The harness takes MATH-500's gold out of the solution, which strips it, and strips it again:
    `x \in [-2,7]` becomes [-2,7]. No other gold of the five files changes the second time.
    """
    if benchmark in _KEEPS_UNITS:
        return (
            strip_string(gold, True)
            .replace("\\neq", "\\ne")
            .replace("\\leq", "\\le")
            .replace("\\geq", "\\ge")
        )
    return strip_string(strip_string(gold.strip("$") if benchmark == "olympiadbench" else gold))


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
        text = _without_units(_without_units(text))
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


def _without_units(text: str) -> str:
    """Each unit taken out in turn, where it stands alone and something else is left."""
    words = BY_FIRST_WORD.keys() & re.findall(r"\w+", text)
    for place in sorted(place for word in words for place in BY_FIRST_WORD[word]):
        text = _alone(UNIT_WORDS[place]).sub(r"\1\2", text) or text
    return text


@cache
def _alone(unit: str) -> re.Pattern[str]:
    """A unit that stands alone; a point of the unit stands for any character."""
    return re.compile(rf"(^|\W){unit}($|\W)")


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
