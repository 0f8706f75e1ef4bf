"""Bring golds and answers to one spelling before anything is parsed.

Each rule is a function from LaTeX to LaTeX whose docstring gives its reason in one line; RULES
lists them in the order in which they run. No rule changes what a text means, only how it is
written.
"""

import re
from collections.abc import Callable

from rectify.grade.signs import LATEX, SUBSCRIPT, SUPERSCRIPT

RULES: dict[str, Callable[[str], str]] = {}


def _rule(function: Callable[[str], str]) -> Callable[[str], str]:
    RULES[function.__name__] = function
    return function


def normalise(text: str) -> str:
    """`text` after every rule, in order."""
    for apply in RULES.values():
        text = apply(text)
    return text


@_rule
def unicode_signs(text: str) -> str:
    r"""Models write °, ×, π, ≤, x² where golds have LaTeX; `\AA` is the one sign without LaTeX."""
    text = re.sub(r"\\AA(?![A-Za-z])|\\(?:mathring|r)\s*\{A\}|\u212b", "Å", text)
    if text.isascii():
        return text
    text = re.sub("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f"^{{{m[0].translate(SUPERSCRIPT)}}}", text)
    text = re.sub("[₀-₉]+", lambda m: f"_{{{m[0].translate(SUBSCRIPT)}}}", text)
    return re.sub(
        r"√\s*(\d+|\w)?", lambda m: rf"\sqrt{{{m[1]}}}" if m[1] else r"\sqrt", text
    ).translate(LATEX)


@_rule
def nested_box(text: str) -> str:
    """A box inside the box adds nothing."""
    return re.sub(r"\\(?:boxed|fbox)\s*(?=\{)", "", text)


@_rule
def math_delimiters(text: str) -> str:
    r"""Golds and answers carry `$...$`, `\(...\)` and `\[...\]`, even between list items."""
    text = re.sub(r"(?<!\\)\\[()\[\]]", "", text)
    return re.sub(r"(?<!\\)\$", " ", text)


@_rule
def thousands(text: str) -> str:
    r"""`{,}`, `,\!` and `\,` between digits group thousands and never part a list."""
    text = re.sub(r"(?<=\d)(?:\{,\}|,\s*\\!)\s*(?=\d)", "", text)
    return re.sub(r"(?<=\d)(?:\\[,;: !]|~|\{\\,\}|\{ \})(?=\d{3}(?!\d))", "", text)


@_rule
def spacing(text: str) -> str:
    """Spacing commands and line breaks are layout."""
    text = re.sub(r"\\[hv]space\*?\s*\{[^{}]*\}|\\!", "", text)
    text = re.sub(
        r"(?<!\\)\\(?:[,;:> ]|quad\b|qquad\b|thinspace\b|enspace\b|newline\b)|~|\{\\,\}", " ", text
    )
    text = re.sub(r"(?<!\\)\\\s*$", "", text)  # what is left of a stripped `\ `
    return re.sub(r"\s+", " ", text).strip()


@_rule
def sizing(text: str) -> str:
    r"""`\left(`, `\bigl(`, `\displaystyle`, `\limits` only set sizes."""
    text = re.sub(r"\\(?:left|right|middle)\s*\.", " ", text)
    text = re.sub(r"\\(?:left|right|middle)(?![a-z])\s*", "", text)
    text = re.sub(r"\\[bB]igg?[lrm]?(?![A-Za-z])\s*", "", text)
    text = re.sub(r"\\(?:text)?color\s*\{\w*\}|\\phantom\{[^{}]*\}|(?:\s|\\\\)+$", "", text)
    text = re.sub(r"\\(?:(?:[lL]arge|LARGE|[hH]uge|small|Large)(?![a-z])\s*)", "", text)
    text = re.sub(
        r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|rm|bf|it)\b\s*", "", text
    )
    return text.replace(r"\lbrace", r"\{").replace(r"\rbrace", r"\}").strip()


_FONT = re.compile(
    r"\\(?:math(?:bf|it|sf|tt|rm|normal|bb(?=\{\d))|textbf|textit|textrm|textsf|texttt|textnormal|mbox|hbox"
    r"|boldsymbol|bm|pmb|emph|underline|mathop|operatorname\*?|text)\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
)


@_rule
def fonts(text: str) -> str:
    r"""Bold, roman and text fonts do not change a letter or a number; words stay `\text{...}`."""

    def unwrap(match: re.Match[str]) -> str:
        inner = match[1].strip()
        if "=" in inner or re.fullmatch(r"[^A-Za-z]*\d[^A-Za-z]*(?:(?:and|or)[^A-Za-z]+)+", inner):
            return match[1]
        if counted := re.fullmatch(r"([\d.,]*\d)\s+([A-Za-z ]+)", inner):
            return rf"{counted[1]}\text{{{counted[2]}}}"
        if inner in _FUNCTIONS:
            return f"\\{inner} "
        if re.search(r"[A-Za-z]{2}", inner) and "\\" not in inner:
            return rf"\text{{{re.sub('[{}]', '', match[1])}}}"
        return match[1] if len(inner) != 1 or not inner.isalpha() else f" {inner} "

    for _ in range(3):  # fonts nest: \textbf{\text{(C)}}
        changed = _FONT.sub(unwrap, text)
        if changed == text:
            break
        text = changed
    return text.strip()


@_rule
def currency(text: str) -> str:
    r"""A dollar, pound or euro sign is a unit: `\$32,\!348`."""
    text = re.sub(r"^\\\$\s*(\d[\d,. ]*|\.\d+)$", r"\1\\text{dollars}", text)
    return re.sub(r"\\\$|\\(?:pounds|euro)\b|[£€¥]", "", text)


_FUNCTIONS = [
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "sin",
    "cos",
    "tan",
    "cot",
    "sec",
    "csc",
    "log",
    "ln",
    "exp",
]
_BARE_WORD = re.compile(
    r"\\text\{[^{}]*\}|"
    rf"(?<![\\A-Za-z])({'|'.join([*_FUNCTIONS, 'sqrt', 'pi', 'infty'])})(?![a-z])"
)


@_rule
def plain_functions(text: str) -> str:
    """Answers as code: `np.arcsin(10/13)`, `sqrt(2)`, `pi`, `**`, `infinity`."""
    text = re.sub(r"\b(?:np|numpy|math|sp|sympy)\.(?=[a-z])", "", text).replace("**", "^")
    text = re.sub(r"(?<![\\A-Za-z])(?:infinity|inf|oo)(?![A-Za-z])", r"\\infty", text)
    text = _BARE_WORD.sub(lambda m: rf"\{m[1]} " if m[1] else m[0], text)
    return re.sub(r"(\\sqrt|\^)\s*\(([^()]*)\)", r"\1{\2}", text)


_BRACED = {r"\frac": 2, r"\binom": 2, r"\sqrt": 1, r"\dot": 1, r"\ddot": 1}
_ARGUMENT = re.compile(r"\s*(?:(\\[A-Za-z]+|[^\\{}\s])|(?=(\{)))")


@_rule
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


@_rule
def synonyms(text: str) -> str:
    r"""`\leqslant`, `\leq`, `<=`, `\lt`, `\varnothing`, `\prime`, `\div` have one meaning each."""
    text = re.sub(r"\\div(?![a-z])", "/", text)
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


@_rule
def degrees(text: str) -> str:
    r"""A degree sign behind a number is a unit: `90^\circ`, `90^{\circ}`, `90 \degree`."""
    text = re.sub(r"\{\s*(\^\s*\\circ)\s*\}", r"\1", text)
    text = re.sub(r"(?:\{\s*\})?\^\s*(?:\\circ(?![a-z])|\{\s*\\circ\s*\})", r"\\degree ", text)
    text = re.sub(r"\s*\\degree(?![a-z])\s*(?:[CF](?![A-Za-z]))?", r"\\degree", text)
    text = re.sub(r"\\degree(?=\s*(?:$|[,;)\]}.]|\\text|\\\}))", r"\\text{degrees}", text)
    return text.replace(r"\degree", "").strip()


@_rule
def percent_words(text: str) -> str:
    r"""`12 percent`, `12\text{ percent}` and `12\%` are one answer."""
    text = re.sub(r"\\text\{\s*(?:percent|per cent|\\?%)\s*\}|(?<=[\d}\s])percent\b", r"%", text)
    return text.replace(r"\%", "%")


_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_SCALE = re.compile(
    rf"(?<=[\d}}])\s*(\\text\{{)?\s*({'|'.join(_SCALES)})(?![A-Za-z])\s*(?(1)(\}})?)"
)


@_rule
def scale_words(text: str) -> str:
    r"""`44 million` and `44\text{ million ferrets}` are numbers times a power of ten."""
    return _SCALE.sub(
        lambda m: rf"\times 10^{{{_SCALES[m[2]]}}}" + (r"\text{" if m[1] and not m[3] else " "),
        text,
    ).strip()


@_rule
def outer_marks(text: str) -> str:
    """A full stop or comma after the answer ends the sentence; a leading sign states it: `= 36.`"""
    stop = len(text) if not text.endswith("...") else 0  # "and so on" is part of the answer
    while stop and text[stop - 1] in " .,;:" and text[stop - 2 : stop - 1] != "\\":
        stop -= 1
    text = text[:stop] or text
    return re.sub(
        r"^(?:[\s,;:=]|\\(?:approx|sim|simeq|implies|Rightarrow|therefore)(?![a-z]))+", "", text
    )


@_rule
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
