"""Take off what a typesetter puts around an answer: signs, delimiters, spaces, sizes, fonts.

The first of the normalising rules; see normalise.py.
"""

import re
from collections.abc import Callable

from rectify.grading.notation.signs import FULL_WIDTH, LATEX, SUBSCRIPT, SUPERSCRIPT
from rectify.grading.notation.spelling import FUNCTIONS, known

RULES: dict[str, Callable[[str], str]] = {}


def rule(function: Callable[[str], str]) -> Callable[[str], str]:
    """Enter a normalising rule, in the order in which they run."""
    RULES[function.__name__] = function
    return function


@rule
def escaped(text: str) -> str:
    r"""`\\\\frac` is `\frac` in an escaped string; only a matrix has rows for `\\\\` to part."""
    if r"\\" not in text:
        return text
    runs = {len(run) for run in re.findall(r"\\+", text)}
    if all(length % 2 == 0 for length in runs) and _DOUBLED.search(text):
        return re.sub(r"(\\+)\1", r"\1", text)
    if r"\begin" in text:
        return text
    return _DOUBLED.sub(lambda m: m[0][1:] if known(m[1]) else m[0], text)


_DOUBLED = re.compile(r"(?<!\\)\\\\([A-Za-z]+|[{}$%,;!])")


@rule
def markdown(text: str) -> str:
    """Stars and ticks around an answer are Markdown's bold, italics and code."""
    if not re.search("[*`]|__", text):
        return text
    text = re.sub(
        r"(?<![\w)}\]*])(\*\*\*?)(?=[^\s*])([^*]+)(?<!\s)\1(?![\w(\\{*])", r"\2", text.strip()
    )
    return re.sub(r"^(\*|`|__)([^*`]+)\1$", r"\2", text)


@rule
def environments(text: str) -> str:
    r"""`aligned`, `cases` and a bare `array` set one equation, or several, in lines."""
    return _ENVIRONMENT.sub(_lines, text) if r"\begin" in text else text


_ENVIRONMENT = re.compile(
    r"(?:\\left\s*)?(?P<open>\\\{|\\lbrace|\[|\()?\s*"
    r"\\begin\s*\{(?P<name>align(?:ed|edat|\*)?|gather(?:ed|\*)?|split|r?cases|array|equation\*?)\}"
    r"(?:\s*\[[tbc]\])?(?:\s*\{[lcr|@{} \d]*\})?(?P<body>.*?)\\end\s*\{(?P=name)\}"
    r"(?:\s*\\right\s*(?P<close>\.|\\\}|\]|\)))?",
    re.DOTALL,
)
_STATES = (
    r"\s*(?:=|<|>|\\(?:[gln]eq?|in|approx|equiv|implies|Rightarrow|iff|quad|text|mathrm)(?![a-z]))"
)


def _lines(match: re.Match[str]) -> str:
    """An environment's rows as a list; a row that begins with a sign goes on the one before."""
    lines = [row.strip() for row in re.split(r"\\\\(?:\s*\[[^\[\]]*\])?", match["body"])]
    columns = any(
        re.search(rf"&(?!{_STATES})(?!&*\s*$)", re.sub(r"^\s*&", "", row)) for row in lines
    )
    single = match["name"] != "array" or len(lines) == 1 or all("=" in row for row in lines if row)
    if (match["name"] in ("cases", "rcases", "array") and columns) or not single:
        return match[0]
    if match["open"] in ("(", "[") and match["close"]:
        return match[0]
    joined: list[str] = []
    for line in lines:
        plain = line.replace("&", " ").strip().rstrip(",;")
        if joined and re.match(_STATES, plain):
            joined[-1] += f" {plain}"
        elif plain:
            joined.append(plain)
    return ", ".join(joined)


@rule
def unicode_signs(text: str) -> str:
    r"""Models write °, ×, π, ≤, x² where golds have LaTeX; `\AA` is the one sign without LaTeX."""
    text = re.sub(r"\\AA(?![A-Za-z])|\\(?:mathring|r)\s*\{A\}|\u212b", "Å", text)
    if text.isascii():
        return text
    text = text.translate(FULL_WIDTH)
    text = re.sub("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f"^{{{m[0].translate(SUPERSCRIPT)}}}", text)
    text = re.sub("[₀-₉]+", lambda m: f"_{{{m[0].translate(SUBSCRIPT)}}}", text)
    return re.sub(
        r"√\s*(\d+|\w)?", lambda m: rf"\sqrt{{{m[1]}}}" if m[1] else r"\sqrt", text
    ).translate(LATEX)


@rule
def nested_box(text: str) -> str:
    """A box inside the box adds nothing."""
    return re.sub(r"\\(?:boxed|fbox)\s*(?=\{)", "", text)


@rule
def math_delimiters(text: str) -> str:
    r"""Golds and answers carry `$...$`, `\(...\)` and `\[...\]`, even between list items."""
    text = re.sub(r"(?<!\\)\\[()\[\]]", "", text)
    return re.sub(r"(?<!\\)\$", " ", text)


@rule
def thousands(text: str) -> str:
    r"""`{,}`, `,\!` and `\,` between digits group thousands and never part a list."""
    text = re.sub(r"(?<=\d)(?:\{,\}|,\s*\\!)\s*(?=\d)", "", text)
    return re.sub(r"(?<=\d)(?:\\[,;: !]|~|\{\\,\}|\{ \})(?=\d{3}(?!\d))", "", text)


@rule
def spacing(text: str) -> str:
    """Spacing commands and line breaks are layout."""
    text = re.sub(r"\\[hv]space\*?\s*\{[^{}]*\}|\\!", "", text)
    text = re.sub(r"(?<=\d)\s*\\q?quad\s*(?=-?\d)", " , ", text)  # 3 \quad 5 is not 35
    text = re.sub(
        r"(?<!\\)\\(?:[,;:> ]|quad\b|qquad\b|thinspace\b|enspace\b|newline\b)|~|\{\\,\}", " ", text
    )
    text = re.sub(r"(?<!\\)\\\s*$", "", text)  # what is left of a stripped `\ `
    return re.sub(r"\s+", " ", text).strip()


@rule
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


_TH = r"-?\s*(?:st|nd|rd|th)"
_TH = rf"(?:\\(?:text[a-z]*|math[a-z]+|mbox|hbox|rm|underline)\s*(?:\{{\s*{_TH}\s*\}}|{_TH})|{_TH})"
_ORDINAL = re.compile(rf"(?<=\d)\s*(?:\^\s*)?(?:\{{\s*{_TH}\s*\}}|{_TH})(?![A-Za-z])")


@rule
def ordinals(text: str) -> str:
    r"""`12^{\text{th}}` and `12th` are the number 12."""
    return _ORDINAL.sub(" ", text).rstrip() if re.search("st|nd|rd|th", text) else text


@rule
def fonts(text: str) -> str:
    r"""Bold, roman and text fonts do not change a letter or a number; words stay `\text{...}`."""

    def unwrap(match: re.Match[str]) -> str:
        inner = match[1].strip()
        if "=" in inner or re.fullmatch(r"[^A-Za-z]*\d[^A-Za-z]*(?:(?:and|or)[^A-Za-z]+)+", inner):
            return match[1]
        if counted := re.fullmatch(
            r"([A-Za-z][A-Za-z' ,]*[:= ]\s*)?(-?[\d.,]*\d)(\s+[A-Za-z ]+)?", inner
        ):
            before, behind = (
                rf"\text{{{part.strip()}}}" if part else "" for part in counted.group(1, 3)
            )
            return f"{before}{counted[2]}{behind}"
        if inner in FUNCTIONS:
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


_COINS = (
    r"\\(?:pounds|euro|EUR|yen|textdollar|texteuro|textsterling|textyen|rupee)(?![a-z])(?:\{\})?"
)
_CODES = (
    r"(?:US|HK|CA|AU|A|C|NT|S)(?=\s*\\\$)"
    r"|(?:USD|EUR|GBP|CNY|RMB|JPY|INR|CAD|AUD|Rs\.?)(?=\s*\\?\$?\s*\d)"
)


@rule
def currency(text: str) -> str:
    r"""A dollar, pound, euro or yen sign is a unit: `\$32,\!348`; so is a code before a number."""
    text = re.sub(r"¢|\\(?:cent|textcent)(?![a-z])(?:\{\})?", r"\\text{cents}", text)
    text = re.sub(rf"^(?:\\text\s*\{{\s*(?:{_CODES})\s*\}}|{_CODES})\s*", "", text)
    text = re.sub(r"^\\\$\s*(\d[\d,. ]*|\.\d+)$", r"\1\\text{dollars}", text)
    return re.sub(rf"\\\$|{_COINS}|[£€¥₹₩₽₱₫฿]", "", text)
