r"""The trees of formulas of numbers, letters and \pi, read without math-verify's parser, which is a
hundred times as slow.

To whoever walks them they are what sympy's are: nodes of the same names with the same attributes.
The grammar is latex2sympy's, without what that reads in ways of its own: a letter or a number
before a bracket, a number before a fraction (1\frac{1}{2}) or behind a factor, powers of powers,
and d, e, E and I.
"""

import re

_TOKEN = re.compile(
    r"\d+(?:\.\d+)?|\\(?:frac|sqrt|pi|cdot|times)(?![A-Za-z])|(?<![A-Za-z])[A-DF-HJ-Zabcf-z](?![A-Za-z])"
    r"|[-+*/^(){}!]"
)
_SIGNS = ("+", "-")
_PRODUCTS = ("*", r"\cdot", r"\times", "/")


class Node:
    """A part of a tree, and its own parts in `args`."""

    is_Symbol = is_Rational = is_Float = False  # noqa: N815

    def __init__(self, *args: "Node") -> None:
        self.args = args

    @property
    def free_symbols(self) -> set["Symbol"]:
        """The letters of the tree."""
        return {symbol for part in self.args for symbol in part.free_symbols}


class Add(Node):
    """A sum."""


class Mul(Node):
    """A product."""


class Pow(Node):
    """A power."""


class factorial(Node):  # noqa: N801
    """A factorial."""


class Pi(Node):
    r"""\pi."""


class Symbol(Node):
    """A letter."""

    is_Symbol = True  # noqa: N815

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @property
    def free_symbols(self) -> set["Symbol"]:
        """The letter."""
        return {self}


class Rational(Node):
    """The number p / q."""

    is_Rational = True  # noqa: N815

    def __init__(self, p: int, q: int = 1) -> None:
        super().__init__()
        self.p, self.q = p, q


class Float(Node):
    """A decimal."""

    is_Float = True  # noqa: N815

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def __str__(self) -> str:
        return self.text


FLOAT_DIGITS = 15  # sympy keeps more of a longer decimal, in ways of its own
MINUS_ONE, HALF = Rational(-1), Rational(1, 2)


class _OutsideError(Exception):
    """The text is not of this grammar."""


def arithmetic(text: str) -> Node | None:
    """The tree of a spelled formula; None for one that is outside of the grammar."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text):
        return None
    reader = _Reader(tokens)
    try:
        tree = reader.sum()
    except _OutsideError:
        return None
    return None if reader.next else tree


class _Reader:
    """Recursive descent over the tokens, one method for each rule of the grammar."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = [*tokens, ""], 0

    @property
    def next(self) -> str:
        return self.tokens[self.at]

    def take(self, *wanted: str) -> str:
        token = self.next
        if wanted and token not in wanted:
            raise _OutsideError
        self.at += 1
        return token

    def sum(self) -> Node:
        terms = [self.product()]
        while self.next in _SIGNS:
            sign, term = self.take(), self.product()
            terms.append(term if sign == "+" else Mul(MINUS_ONE, term))
        return Add(*terms) if len(terms) > 1 else terms[0]

    def product(self) -> Node:
        left = self.signed()
        while self.next in _PRODUCTS:
            sign, right = self.take(), self.signed()
            left = Mul(left, Pow(right, MINUS_ONE) if sign == "/" else right)
        return left

    def signed(self) -> Node:
        if self.next in _SIGNS:
            sign, inner = self.take(), self.signed()
            return inner if sign == "+" else Mul(MINUS_ONE, inner)
        factors = [self.power()]
        while self.next.isalpha() or self.next in ("(", r"\frac", r"\sqrt", r"\pi"):
            factors.append(self.power())
        return Mul(*factors) if len(factors) > 1 else factors[0]

    def power(self) -> Node:
        base = self.atom()
        if self.next == "^":
            self.take()
            short = re.fullmatch("[a-z0-9]", self.next)
            base = Pow(base, self.atom() if short else self.group("{", "}"))
        if self.next == "!":
            self.take()
            base = factorial(base)
        if self.next in ("^", "!") or self.next[:1].isdigit():
            raise _OutsideError
        return base

    def group(self, opening: str, closing: str) -> Node:
        self.take(opening)
        inner = self.sum()
        self.take(closing)
        return inner

    def atom(self) -> Node:
        token = self.next
        if token == "(":
            return self.group("(", ")")
        self.take()
        if token == r"\frac":
            return Mul(self.group("{", "}"), Pow(self.group("{", "}"), MINUS_ONE))
        if token == r"\sqrt":
            return Pow(self.group("{", "}"), HALF)
        if (token == r"\pi" or token.isalpha()) and self.next != "(":
            return Pi() if token == r"\pi" else Symbol(token)
        if not token[:1].isdigit() or self.next in (r"\frac", "(") or self.next[:1].isdigit():
            raise _OutsideError
        if token.isdigit():
            return Rational(int(token))
        if len(token) > FLOAT_DIGITS + 1:
            raise _OutsideError
        return Float(token)
