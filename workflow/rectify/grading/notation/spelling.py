"""Spell a formula so that math-verify's parser reads what people read, and refuse what it should
not see.

As in normalise.py, each rule is a function whose docstring gives its reason in one line; RULES
lists them in the order in which they run.
"""

import re
from collections.abc import Callable

from rectify.grading.notation.limits import UnreadableError, depth

MAX_FORMULA_CHARS = 600
MAX_FORMULA_DEPTH = 30
RULES: dict[str, Callable[[str], str]] = {}


def _names(listed: str) -> list[str]:
    return re.findall(r"\w+", listed)


_GREEK = _names(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi "
    "pi rho varrho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma "
    "Upsilon Phi Psi Omega"
)
FUNCTIONS = _names("sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan log ln exp")
_ACCENTS = _names("dot ddot bar hat tilde vec overline mathcal mathbb mathrm mathbf text")
_OTHERS = _names(
    "frac sqrt cdot times div infty binom lfloor rfloor lceil rceil prime angle odot hbar ell mho "
    "partial triangle circ star max min variable lvert rvert vert"
)
_COMMANDS = {*_GREEK, *FUNCTIONS, *_ACCENTS, *_OTHERS}

_LAYOUT = {
    *_names(
        "dfrac tfrac textbf textit mbox boxed left right quad qquad le leq ge geq ne neq lt gt"
    ),
    *_names(
        "pm mp in cup cap setminus emptyset varnothing operatorname implies mid sum forall dots"
    ),
    *_names("ldots cdots approx equiv pmod degree mathbf mathrm displaystyle to langle rangle"),
}

_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}"
_SCRIPTS = rf"(?:\s*[_^]\s*(?:{_GROUP}|\\[A-Za-z]+|\w)|'|!)*"
_FACTOR = re.compile(
    rf"\s*(?:\d+\.?\d*|\.\d+|\\(?:frac|binom)\s*{_GROUP}\s*{_GROUP}|\\sqrt(?:\[\w+\])?\s*{_GROUP}"
    rf"|\\(?:{'|'.join(_ACCENTS)})\s*{_GROUP}|\\(?:{'|'.join(_GREEK)}|hbar|ell)(?![A-Za-z])"
    rf"|[A-Za-z]){_SCRIPTS}(?:\(\s*[a-z]\s*\))?"
)
_ABSOLUTE = re.compile(r"\s*\|[^|]*\|")
_APPLIED = re.compile(
    rf"\\(?:{'|'.join(FUNCTIONS)})(?![A-Za-z]){_SCRIPTS.removesuffix('*')}{{0,2}}\s*(?=[^\s(])"
)
_DERIVATIVE = re.compile(
    r"\\frac\s*\{\s*d\s*(\^\s*\{?2\}?)?\s*([A-Za-z]|\\[a-z]+)(_\{\w+\}|_\w)?\s*\}"
    r"\s*\{\s*d\s*[A-Za-z]\s*(\^\s*\{?2\}?)?\s*\}"
)


def known(command: str) -> bool:
    """Whether a LaTeX command (without its backslash) is one that answers are written with."""
    return command in _COMMANDS or command in _LAYOUT or not command.isalpha()


def spell(latex: str) -> str:
    """The formula as the parser should get it. Raises UnreadableError for what it must not get."""
    if len(latex) > MAX_FORMULA_CHARS or depth(latex) > MAX_FORMULA_DEPTH:
        raise UnreadableError("formula too long or too deep")
    if re.search(r"\d{400}|\d\s*_|\\binom.*\d{5}|\\Gamma\s*\(|[^\x20-\x7eα-ωΑ-Ω]", latex):
        raise UnreadableError("outside the grammar")
    unknown = set(re.findall(r"\\([A-Za-z]+)", latex)) - _COMMANDS
    if unknown:
        raise UnreadableError(f"command {sorted(unknown)[0]}")
    for apply in RULES.values():
        latex = apply(latex)
    return latex


def _rule(function: Callable[[str], str]) -> Callable[[str], str]:
    RULES[function.__name__] = function
    return function


@_rule
def arguments(text: str) -> str:
    r"""`\ln 2 / 3` is (ln 2)/3 and `\cos{x} y` is cos(x)y: the parser takes all that follows."""
    parts, position = [], 0
    for head in _APPLIED.finditer(text):
        start = stop = head.end()
        if start < position:
            continue
        if group := re.compile(_GROUP).match(text, start):
            stop = group.end()
            argument = group[0][1:-1]
        else:
            if bars := _ABSOLUTE.match(text, start):
                stop = bars.end()
            while factor := _FACTOR.match(text, stop):
                stop = factor.end()
            argument = text[start:stop]
        if argument:
            parts += [text[position:start], f"({arguments(argument)})"]
            position = stop
    return "".join([*parts, text[position:]])


@_rule
def products(text: str) -> str:
    r"""`2(3)` is 6, not the mixed number 2 + 3 that the parser makes of it and of `2 3`."""
    number = r"(?<![_^\d.])(?<![_^]\s)\d+(?:\.\d+)?"
    binomial = rf"\\binom\s*{_GROUP}\s*{_GROUP}"
    if re.search(rf"{number}\s+\d", text):
        raise UnreadableError("numbers side by side")
    text = re.sub(rf"({binomial})\s*(?=[\d(\[]|\\frac|\\binom)", r"\1\\cdot ", text)
    text = re.sub(rf"({number})\s*(?=\\binom)", r"\1\\cdot ", text)
    text = re.sub(r"(\\frac\{-?\d+\}\{\d+\})\s*(?=\\frac|[(\[])", r"\1\\cdot ", text)
    return re.sub(rf"({number}|\)|\\pi)\s*(?=[(\[])", r"\1\\cdot ", text)


@_rule
def subscripts(text: str) -> str:
    r"""L_{\odot} -> L_{odot}: a subscript only tells names apart."""

    def plain(match: re.Match[str]) -> str:
        name = re.sub(r"\\text|[^A-Za-z0-9]", "", match[0])
        return f"_{{{name or 'o'}}}"

    return re.sub(r"(?<!\\log)(?<!\\log )_\s*\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}", plain, text)


@_rule
def derivatives(text: str) -> str:
    """dx/dt, x' and a dotted x are one thing."""

    def dotted(match: re.Match[str]) -> str:
        dots = "ddot" if match[1] and match[4] else "dot"
        return rf"\{dots}{{{match[2]}}}{match[3] or ''}"

    def primed(match: re.Match[str]) -> str:
        return rf"\dot{{{match[1]}}}" if len(match[2]) == 1 else rf"\ddot{{{match[1]}}}"

    return re.sub(r"([A-Za-z])('+)", primed, _DERIVATIVE.sub(dotted, text))


@_rule
def initial_values(text: str) -> str:
    """I(0) and I_0 are one initial value; nobody writes 0 as a factor."""
    return re.sub(r"(?<![A-Za-z\\])([A-Za-z])\s*\(\s*0\s*\)", r"\1_{0}", text)


@_rule
def letters(text: str) -> str:
    r"""E_0, I and \gamma are names; the parser has e-notation, a unit and a function for them."""

    def calligraphic(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith("\\") else rf"\mathcal{{{match[0]}}}"

    text = re.sub(r"\\angle\s*", "", text)
    text = re.sub(r"\\gamma(?![a-z])", r"\\mathcal{y}", text)
    text = re.sub(r"\\text\{([A-Za-z ]*)\}", r" \1 ", text)
    return re.sub(r"\\[A-Za-z]+|(?:E(?=\s*_)|I(?!\s*\())", calligraphic, text)


@_rule
def digits(text: str) -> str:
    """`5.` and `.5` are 5 and 0.5; a factorial comes before a power."""
    text = re.sub(r"([A-Za-z0-9]|\([^()]*\))\s*!\s*\^", r"(\1!)^", text)
    return re.sub(r"(?<![\d.])\.(?=\d)", "0.", re.sub(r"(\d)\.(?!\d)", r"\1", text))


@_rule
def exponents(text: str) -> str:
    """An exponent T is a letter as any other; the parser would transpose, and so drop it."""
    return re.sub(r"\^\s*(?:T|\{\s*T\s*\})", "^{ T}", text)
