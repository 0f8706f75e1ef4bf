r"""What sympy's parse_latex reads of a text, as a tree of plain tuples; nothing is evaluated.

Source: the grammar that sympy 1.12 publishes (sympy/parsing/latex/LaTeX.g4), which knows neither
lists nor units and reads as much of a text as it can: `1,-2` is 1, `n(n+1)` is a function n at
n + 1, and \pi, e and i are symbols like any other. A sign outside its alphabet that it comes to
see (`~`, `%`, `\\`) ends the reading, as does a bracket around a list.

Nodes: ("number", digits), ("symbol", name), ("call", name, *arguments), ("relation", sign, left,
right) and (operation, *operands).
"""

import re
from functools import lru_cache

from rectify.grading.harness.tokens import (
    FUNCTIONS,
    GROUPS,
    NO_SYMBOLS,
    PRODUCTS,
    SIGNS,
    Cursor,
    NoMatchError,
)
from rectify.grading.notation.limits import UnreadableError

Node = tuple
MAX_DEPTH = 40
MAX_EXPRESSIONS = 2_000  # read in vain ones included: open brackets double them at each level


@lru_cache(maxsize=8192)
def read_latex(text: str) -> Node:
    """The tree of the longest beginning of `text` that can be read. Raises UnreadableError where
    parse_latex raises, and for what is nested too deep.
    """
    try:
        return _Reader(text).relation()
    except NoMatchError:
        raise UnreadableError("outside the grammar") from None


def names(node: Node) -> set[str]:
    """The symbols of a tree, and the functions without a meaning in it."""
    if node[0] in ("number", "symbol"):
        return {node[1]} if node[0] == "symbol" else set()
    found = {node[1]} if node[0] == "call" else set()
    return found.union(*(names(part) for part in node[1:] if isinstance(part, tuple)))


class _Reader(Cursor):
    """Recursive descent over the tokens, one method for each rule of the grammar."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.expressions = 0

    def relation(self) -> Node:
        left = self.expression()
        while sign := SIGNS.get(self.see()):
            self.at += 1
            left = ("relation", sign, left, self.expression())
        return left

    def expression(self) -> Node:
        self.level += 1
        self.expressions += 1
        if self.level > MAX_DEPTH or self.expressions > MAX_EXPRESSIONS:
            raise UnreadableError("nested too deep")
        left = self.product()
        while self.see() in ("+", "-"):
            sign = self.see()
            right = self.attempt(lambda: self.take("+", "-") and self.product())
            if right is None:
                break
            left = ("+", left, right if sign == "+" else ("-", right))
        self.level -= 1
        return left

    def product(self, functions: bool = True) -> Node:
        """Factors parted by signs; without `functions`, an argument that has no brackets."""
        left = self.signed(functions)
        while sign := PRODUCTS.get(self.see()):
            right = self.attempt(lambda: self.take(*PRODUCTS) and self.signed(functions))
            if right is None:
                break
            left = (sign, left, right)
        return left

    def signed(self, functions: bool) -> Node:
        if self.see() in ("+", "-"):
            sign = self.take("+", "-")
            inner = self.signed(functions)
            return inner if sign == "+" else ("-", inner)
        factors = [self.factor(True)]
        while (factor := self.attempt(lambda: self.factor(functions))) is not None:
            factors.append(factor)
        kept = [
            factor
            for place, factor in enumerate(factors)
            if not (factor == ("symbol", "x") and 0 < place < len(factors) - 1)
            or names(factors[place - 1])
            or names(factors[place + 1])
        ]  # an x between two numbers is a times sign
        result = kept[-1]
        for factor in reversed(kept[:-1]):
            result = ("*", factor, result)
        return result

    def factor(self, functions: bool) -> Node:
        base = self.single(functions)
        while self.see() == "^":
            power = self.attempt(lambda: self.script("^"))
            if power is None:
                break
            self.attempt(lambda: self.script("_"))
            base = ("^", base, power)
        while self.see() == "!":
            self.at += 1
            base = ("!", base)
        return base

    def script(self, mark: str) -> Node:
        self.take(mark)
        return self.braced() if self.see() == "{" else self.atom()

    def braced(self) -> Node:
        self.take("{")
        inner = self.expression()
        self.take("}")
        return inner

    def single(self, functions: bool) -> Node:
        token = self.see()
        if token in GROUPS:
            self.at += 1
            inner = self.expression()
            self.take(GROUPS[token])
            return inner
        if token in ("|", r"\lfloor", r"\lceil"):
            self.at += 1
            inner = self.expression()
            self.take({"|": "|", r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}[token])
            return ({"|": "abs", r"\lfloor": "floor", r"\lceil": "ceil"}[token], inner)
        if functions and (call := self.attempt(self.function)) is not None:
            return call
        return self.atom()

    def function(self) -> Node:
        token = self.see()
        if token.removeprefix("\\") in FUNCTIONS and token.startswith("\\"):
            return self.known_function()
        if token == r"\sqrt":
            self.at += 1
            degree = ("number", "2")
            if self.see() == "[":
                self.at += 1
                degree = self.expression()
                self.take("]")
            return ("root", self.braced(), degree)
        if token == r"\overline":
            self.at += 1
            return ("conjugate", self.braced())
        if token in (r"\sum", r"\prod"):
            return self.total()
        name = self.name()
        self.take("(")
        arguments = [self.expression()]
        while self.see() == ",":
            self.at += 1
            arguments.append(self.expression())
        self.take(")")
        return ("call", name, *arguments)

    def known_function(self) -> Node:
        name = self.take(*NO_SYMBOLS)[1:]
        base = power = None
        for _ in range(2):
            base = base or self.attempt(lambda: self.script("_"))
            power = power or self.attempt(lambda: self.script("^"))
        argument = self.attempt(self.in_brackets) or self.product(functions=False)
        if name in ("log", "lg", "ln"):
            node = ("log", argument, base or (("number", "10") if name == "lg" else ("e",)))
        elif power == ("-", ("number", "1")) and not name.startswith("ar"):
            return (f"arc{name}", argument)
        else:
            node = (name, argument)
        return node if power is None else ("^", node, power)

    def in_brackets(self) -> Node:
        self.take("(")
        argument = self.expression()
        while self.see() == ",":
            self.at += 1
            self.expression()
        self.take(")")
        return argument

    def total(self) -> Node:
        """A sum or product over a variable: only ever equal to itself."""
        sign = self.take(r"\sum", r"\prod")
        self.take("_")
        self.take("{")
        variable = self.expression()
        self.take("=")
        start = self.expression()
        self.take("}")
        return (sign[1:], variable, start, self.script("^"), self.product())

    def name(self) -> str:
        """A letter or a command that is a symbol, with its subscript and primes."""
        token = self.see()
        if not re.fullmatch(r"[A-Za-z]|\\[A-Za-z]+", token) or token in NO_SYMBOLS:
            raise NoMatchError
        self.at += 1
        primes, index = "", None
        for _ in range(2):
            if self.see().startswith("'"):
                primes += self.take(self.see())
            index = index or self.attempt(lambda: self.script("_"))
        return f"{token.removeprefix(chr(92))}{f'_{index}' if index else ''}{primes}"

    def atom(self) -> Node:
        token = self.see()
        if token.isdigit():
            return ("number", self.number())
        if token.startswith("d") and len(token) > 1:
            self.at += 1
            return ("symbol", re.sub(r"[\s\\]", "", token))
        if token in (r"\frac", r"\dfrac", r"\tfrac"):
            self.at += 1
            return self.fraction()
        if token in (r"\binom", r"\dbinom", r"\tbinom"):
            self.at += 1
            return ("binomial", self.braced(), self.braced())
        return ("symbol", self.name())

    def fraction(self) -> Node:
        start = self.at
        top = self.part()
        middle = self.at
        bottom = self.part()
        above, below = self.tokens[start + 1 : middle - 1], self.tokens[middle + 1 : self.at - 1]
        if len(below) == 1 and re.fullmatch(r"d.+", below[0]) and above[0][0] == "d":
            variable = re.sub(r"^d\s*\\?", "", below[0])
            if "".join(above) != "d":
                return ("derivative", read_latex("".join(above)[1:]), ("symbol", variable))
        return ("/", top, bottom)

    def part(self) -> Node:
        if self.see().isdigit():
            self.at += 1
            return ("number", self.tokens[self.at - 1])
        return self.braced()

    def number(self) -> str:
        digits, grouped = self.digits(), False
        while self.see() == "," and all(self.see(n).isdigit() for n in (1, 2, 3)):
            digits += "".join(self.tokens[self.at + 1 : self.at + 4])
            self.at += 4
            grouped = True
        if self.see() == ".":
            self.at += 1
            if not self.see().isdigit():
                raise UnreadableError("a point without decimals")
            return f"{digits}.{self.digits()}"
        if grouped and digits.startswith("0"):
            raise UnreadableError("a list of numbers, no thousands")
        return digits

    def digits(self) -> str:
        start = self.at
        while self.see().isdigit():
            self.at += 1
        return "".join(self.tokens[start : self.at])
