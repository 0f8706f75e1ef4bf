"""The alphabet of sympy's parse_latex, and a text as its tokens.

Source: sympy 1.12, sympy/parsing/latex/LaTeX.g4.
"""

import re

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
KNOWN = re.compile(r"[-+*/(){}\[\]|_^:=<>!,.A-Za-z0-9]|\\\{|\\\}|'+|&\s*=|=\s*&|d.+|\\[A-Za-z]+")
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
