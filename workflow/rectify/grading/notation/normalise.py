"""Bring golds and answers to one spelling before anything is parsed: what a text is made of.

The rules of dress.py, which go first, and those here are functions from LaTeX to LaTeX whose
docstrings give their reasons in one line; RULES lists them in the order in which they run. No rule
changes what a text means, only how it is written.
"""

import re

from rectify.grading.notation.angles import in_functions, minutes
from rectify.grading.notation.dress import RULES, rule
from rectify.grading.notation.spelling import FUNCTIONS


def normalise(text: str) -> str:
    """`text` after every rule, in order."""
    for apply in RULES.values():
        text = apply(text)
    return text


_BARE_WORD = re.compile(
    r"\\text\{[^{}]*\}|"
    rf"(?<![\\A-Za-z])({'|'.join([*FUNCTIONS, 'sqrt', 'pi', 'infty'])})(?![a-z])"
)


_INFINITY = re.compile(
    r"\\text\s*\{\s*(?:positive\s+|\+\s*|(negative\s+|minus\s+|-\s*))?infinity\s*\}", re.IGNORECASE
)


@rule
def plain_functions(text: str) -> str:
    """Answers as code: `np.arcsin(10/13)`, `sqrt(2)`, `pi`, `**`, `infinity`."""
    text = re.sub(r"\b(?:np|numpy|math|sp|sympy)\.(?=[a-z])", "", text).replace("**", "^")
    text = _INFINITY.sub(lambda match: "-" * bool(match[1]) + r"\infty", text)
    text = re.sub(r"(?<![\\A-Za-z])(?:infinity|inf|oo)(?![A-Za-z])", r"\\infty", text)
    text = _BARE_WORD.sub(lambda m: rf"\{m[1]} " if m[1] else m[0], text)
    return re.sub(r"(\\sqrt|\^)\s*\(([^()]*)\)", r"\1{\2}", text)


_BRACED = {r"\frac": 2, r"\binom": 2, r"\sqrt": 1, r"\dot": 1, r"\ddot": 1}
_ARGUMENT = re.compile(r"\s*(?:(\\[A-Za-z]+|[^\\{}\s])|(?=(\{)))")


@rule
def fractions(text: str) -> str:
    r"""`\dfrac`, `\tfrac`, `\frac12`, `\frac9{19}`, `\sqrt2` all mean the braced form."""
    text = re.sub(r"\\(?:[dtcsx]|nice)frac(?![a-z])", r"\\frac", text)
    text = re.sub(r"\\[dt]binom(?![a-z])", r"\\binom", text)
    text = re.sub(r"\{([^{}]*)\\over(?![a-z])([^{}]*)\}", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\{([^{}]*)\\choose(?![a-z])([^{}]*)\}", r"\\binom{\1}{\2}", text)
    for command, arguments in _BRACED.items():
        if command in text:
            text = _brace(text, command, arguments)
    return text


def _brace(text: str, command: str, arguments: int) -> str:
    """Put braces around the bare arguments of a command, from the last one to the first."""
    for start in reversed(
        [m.end() for m in re.finditer(re.escape(command) + r"(?![A-Za-z])", text)]
    ):
        head, rest, braced = text[:start], text[start:].lstrip(), ""
        if rest.startswith("[") and "]" in rest:
            braced, rest = rest[: rest.index("]") + 1], rest[rest.index("]") + 1 :].lstrip()
        for _ in range(arguments):
            match = _ARGUMENT.match(rest)
            if not match:
                return text
            if match[2]:
                rest = rest[match.end() :]
                stop = _closes_at(rest) + 1 or len(rest)
                braced, rest = braced + "{" + rest[1 : stop - 1].strip() + "}", rest[stop:]
            else:
                braced, rest = f"{braced}{{{match[1]}}}", rest[match.end() :]
        text = head + braced + rest
    return text


@rule
def synonyms(text: str) -> str:
    r"""`\leqslant`, `\leq`, `<=`, `\lt`, `\varnothing`, `\prime`, `\div` have one meaning each."""
    text = re.sub(r"\\div(?![a-z])", "/", text)
    text = re.sub(r"\\log\s*_\s*(?:e(?![a-z])|\{\s*e\s*\})", r"\\ln ", text)
    text = re.sub(r"\\mathbb\s*([A-Z])", r"\\mathbb{\1}", text)
    text = re.sub(r"\\(?:long)?rightarrow(?![a-z])", r"\\to ", text)
    text = re.sub(r"\\(?:Longr|R)ightarrow(?![a-z])", r"\\implies ", text)
    text = re.sub(r"\\(?:smallsetminus|backslash)(?![a-z])", r"\\setminus ", text)
    text = re.sub(r"\\(le|ge)q(?:slant|q)?(?![a-z])", r"\\\1", text)
    text = re.sub(r"\\(le|ge)slant(?![a-z])", r"\\\1", text)
    text = text.replace("<=", r"\le ").replace(">=", r"\ge ").replace("!=", r"\ne ")
    text = re.sub(r"\\lt(?![a-z])", "<", re.sub(r"\\gt(?![a-z])", ">", text))
    text = re.sub(r"\\equiv(?![a-z])", "=", text).replace(r"\bigcup", r"\cup")
    text = re.sub(r"\\neq(?![a-z])", r"\\ne", text).replace(r"\varnothing", r"\emptyset")
    text = re.sub(
        r"\^\s*(?:\{((?:\\prime\s*)+)\}|\\prime)",
        lambda m: "'" * (m[1].count("prime") if m[1] else 1),
        text,
    )
    text = re.sub(r"\\[cl]?dots[cbm]?\b", "...", text)
    return re.sub(r"\\(?:imath|jmath)\b", "i", text)


_CHOSEN = r"(?:\{\s*([^{}]+?)\s*\}|(\w))"
_CHOOSE = re.compile(
    r"(?<![A-Za-z\\])C\s*(?:\(\s*([^(),]+?)\s*,\s*([^(),]+?)\s*\))"
    rf"|(?:\{{\s*\}})?\s*[_^]\s*{_CHOSEN}\s*C\s*_\s*{_CHOSEN}"
    rf"|(?<![A-Za-z\\])C\s*_\s*{_CHOSEN}\s*\^\s*{_CHOSEN}"
)


@rule
def combinations(text: str) -> str:
    r"""C(n, k), {}_nC_k and C_n^k are binomial coefficients."""

    def binomial(match: re.Match[str]) -> str:
        top, bottom = (part for part in match.groups() if part)
        if top.isdigit() and bottom.isdigit() and int(top) < int(bottom):
            return match[0]
        return rf"\binom{{{top}}}{{{bottom}}}"

    return _CHOOSE.sub(binomial, text) if "C" in text else text


@rule
def degrees(text: str) -> str:
    r"""A degree sign behind a number is a unit: `90^\circ`, `90^{\circ}`, `90 \degree`."""
    text = re.sub(r"\{\s*(\^\s*\\circ)\s*\}", r"\1", text)
    text = re.sub(r"(?:\{\s*\})?\^\s*(?:\\circ(?![a-z])|\{\s*\\circ\s*\})", r"\\degree ", text)
    text = in_functions(minutes(text)) if r"\degree" in text or r"\text" in text else text
    text = re.sub(r"\s*\\degree(?![a-z])\s*(?:[CF](?![A-Za-z]))?", r"\\degree", text)
    text = re.sub(r"\\degree(?=\s*(?:$|[,;)\]}.(=]|\\text|\\\}))", r"\\text{degrees}", text)
    return text.replace(r"\degree", "").strip()


@rule
def percent_words(text: str) -> str:
    r"""`12 percent`, `12\text{ percent}` and `12\%` are one answer."""
    text = re.sub(r"\\text\{\s*(?:percent|per cent|\\?%)\s*\}|(?<=[\d}\s])percent\b", r"%", text)
    return text.replace(r"\%", "%")


_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_SCALE = re.compile(
    rf"(?<=[\d}}])\s*(\\text\{{)?\s*({'|'.join(_SCALES)})(?![A-Za-z])\s*(?(1)(\}})?)"
)


@rule
def scale_words(text: str) -> str:
    r"""`44 million` and `44\text{ million ferrets}` are numbers times a power of ten."""
    return _SCALE.sub(
        lambda m: rf"\times 10^{{{_SCALES[m[2]]}}}" + (r"\text{" if m[1] and not m[3] else " "),
        text,
    ).strip()


@rule
def outer_marks(text: str) -> str:
    """A full stop, comma or tick after the answer ends the sentence; a leading sign states it:
    `= 36.`
    """
    text = re.sub(r"\s*\\(?:checkmark|blacksquare)(?![a-z])\s*$", "", text) or text
    stop = len(text) if not text.endswith("...") else 0  # "and so on" is part of the answer
    while stop and text[stop - 1] in " .,;:" and text[stop - 2 : stop - 1] != "\\":
        stop -= 1
    text = text[:stop] or text
    return re.sub(
        r"^(?:[\s,;:=]|\\(?:approx|sim|simeq|implies|Rightarrow|therefore)(?![a-z]))+", "", text
    )


@rule
def whole_group(text: str) -> str:
    """Braces around the whole answer group nothing: `{42}`."""
    while text.startswith("{") and text.endswith("}") and _closes_at(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _closes_at(text: str) -> int:
    """Index of the brace that closes the one `text` starts with, -1 if none does."""
    depth = 0
    for match in re.finditer(r"\\.|[{}]", text):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0 and match[0] == "}":
            return match.start()
    return -1
