"""The alphabet of sympy's parse_latex, a text as its tokens, and a place among them.

Source: sympy 1.12, sympy/parsing/latex/LaTeX.g4.
"""

import re
from collections.abc import Callable
from typing import Any

from rectify.grading.notation.limits import UnreadableError

FUNCTIONS = re.findall(
    r"\w+",
    "exp log lg ln sin cos tan csc sec cot arcsin arccos arctan arccsc arcsec arccot sinh cosh "
    "tanh arsinh arcosh artanh",
)
_SKIP = re.compile(
    r"(?:\s|\\[,:;!*\-./\"(=]|\\(?:left|right|q?quad|(?:neg)?(?:thin|med|thick)space|vrule|vcenter"
    r"|vbox|vskip|vspace|hfil)(?![A-Za-z]))+"
)
_TOKEN = re.compile(r"\\[A-Za-z]+|\\[{}]|d\s*(?:[A-Za-z]|\\[A-Za-z]+)|&\s*=|=\s*&|'+|.", re.DOTALL)
_KNOWN = re.compile(r"[-+*/(){}\[\]|_^:=<>!,.A-Za-z0-9]|\\\{|\\\}|'+|&\s*=|=\s*&|d.+|\\[A-Za-z]+")
SIGNS = {
    **{"=": "=", "<": "<", ">": ">", r"\neq": "!="},
    **dict.fromkeys([r"\leq", r"\le", r"\leqq", r"\leqslant"], "<="),
    **dict.fromkeys([r"\geq", r"\ge", r"\geqq", r"\geqslant"], ">="),
}
PRODUCTS = {"*": "*", r"\times": "*", r"\cdot": "*", "/": "/", r"\div": "/", ":": "/"}
GROUPS = {"(": ")", "[": "]", "{": "}", r"\{": r"\}"}
NO_SYMBOLS = {
    *SIGNS,
    *PRODUCTS,
    *(rf"\{name}" for name in FUNCTIONS),
    *re.findall(
        r"\S+",
        r"\lfloor \rfloor \lceil \rceil \sqrt \overline \frac \dfrac \tfrac \binom \dbinom \tbinom "
        r"\mathit \lim \to \rightarrow \Rightarrow \longrightarrow \Longrightarrow \int \sum \prod "
        r"\langle \rangle",
    ),
}


def tokens(text: str) -> list[str]:
    """The tokens of a text without its spaces; a sign outside the alphabet is one of its own."""
    found, position = [], 0
    while position < len(text):
        if gap := _SKIP.match(text, position):
            position = gap.end()
            continue
        token = _TOKEN.match(text, position)[0]
        found.append(re.sub(r"[\s&]", "", token) if "=" in token else token)
        position += len(token)
    return found


class NoMatchError(Exception):
    """A rule does not fit here; whoever may do without it goes on behind what was read."""


class Cursor:
    """A place among the tokens of a text, and how deep it lies."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.at = self.level = 0

    def see(self, ahead: int = 0) -> str:
        """A token, "" behind the last one; what is not of the alphabet ends the whole reading."""
        if self.at + ahead >= len(self.tokens):
            return ""
        token = self.tokens[self.at + ahead]
        if not _KNOWN.fullmatch(token):
            raise UnreadableError(f"sign {token}")
        return token

    def take(self, *wanted: str) -> str:
        """The token here, and on to the next; raises NoMatchError unless it is a wanted one."""
        token = self.see()
        if token not in wanted or not token:
            raise NoMatchError
        self.at += 1
        return token

    def attempt(self, *rules: Callable[[], Any]) -> Any:
        """What the first rule that fits reads, or None, with nothing read."""
        start, level = self.at, self.level
        for rule in rules:
            try:
                return rule()
            except NoMatchError:
                self.at, self.level = start, level
        return None
