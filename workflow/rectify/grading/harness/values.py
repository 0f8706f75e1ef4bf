"""Whether the published harness takes two texts for equal: its `symbolic_equal`, by values.

The harness simplifies a difference with sympy; here both trees are given values at fixed points,
with bounded arithmetic, so that a tower of powers costs nothing.
"""

import random
import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from rectify.grading.alarm import paused
from rectify.grading.harness.latex import Node, names, read_latex
from rectify.grading.notation.limits import UnreadableError

POINTS, LARGE_POINTS = range(3), range(10, 16)  # large ones tell floors apart
EXACT = 1e-30  # of 50 digits
NEAR = 1e-4  # two numbers without a symbol: the harness's rel_tol
MAX_LOG2 = 50_000  # largest power or factorial, in bits


@cache
def _mp():  # noqa: ANN202
    """Arithmetic of 50 digits; imported where it is needed, as it is no light module."""
    with paused():
        from mpmath import MPContext

    context = MPContext()
    context.dps = 50
    return context


class NoValueError(ArithmeticError):
    """A tree without a value at this point, or one too large to be computed."""


def symbolic_equal(answer: str, reference: str) -> bool:
    """Equal as trees, in value, as equations, or, where both are numbers, within 1e-4."""
    pair = [_read(text) for text in (answer, reference)]
    if pair[0] == pair[1]:
        return True
    if isinstance(pair[0], str) or isinstance(pair[1], str):
        return False
    if "relation" in (pair[0][0], pair[1][0]):
        return pair[0][0] == pair[1][0] and _relations_equal(*pair)
    return _equal(*pair)


def _read(text: str) -> Node | str:
    r"""The tree of a text, or the text itself where there is none. `~` and `\\` behind a number,
    and the spaces around a matrix, are nothing to latex2sympy, the harness's last resort.
    """
    single = text.replace("\\\\", "\\")  # the harness's first try
    for latex in (single, text, re.sub(r"(?:\\\\|~)+$", "", text)):
        try:
            tree = read_latex(latex)
        except UnreadableError:
            continue
        if latex in (single, text) or not names(tree):
            return tree
    return re.sub(r"^(?:\\[,;:!])+(?=\\begin)|(?<=\})(?:\\[,;:!])+$", "", text)


def _relations_equal(one: Node, other: Node) -> bool:
    """The same sides under the same sign, or equations whose differences are equal but for sign."""
    (_, sign, left, right), (_, other_sign, other_left, other_right) = one, other
    turned = sign.translate(str.maketrans("<>", "><"))
    if sign == other_sign and _equal(left, other_left) and _equal(right, other_right):
        return True
    if turned == other_sign and _equal(left, other_right) and _equal(right, other_left):
        return True
    if sign != other_sign or sign != "=":
        return False
    differences = [("+", a, ("-", b)) for a, b in ((left, right), (other_left, other_right))]
    return _equal(differences[0], differences[1]) or _equal(("-", differences[0]), differences[1])


def _equal(one: Node, other: Node) -> bool:
    if one == other:
        return True
    constant = not names(one) and not names(other)
    points = LARGE_POINTS if _has_floor(one) or _has_floor(other) else POINTS
    try:
        pairs = [(value(one, p), value(other, p)) for p in (points[:1] if constant else points)]
    except (NoValueError, ZeroDivisionError, OverflowError, ValueError, TypeError):
        return False
    near = NEAR if constant and all(_mp().im(v) == 0 for v in pairs[0]) else EXACT
    return all(abs(a - b) <= near * max(abs(a), abs(b)) for a, b in pairs)


def _has_floor(node: Node) -> bool:
    parts = [part for part in node[1:] if isinstance(part, tuple)]
    return node[0] in ("floor", "ceil") or any(map(_has_floor, parts))


def value(node: Node, point: int) -> Any:
    """The value of a tree where every symbol has a fixed complex number, as sympy assumes nothing
    about it: |x| is not x. Raises NoValueError.
    """
    kind = node[0]
    if kind == "number":
        return _mp().mpf(node[1])
    if kind == "e":
        return _mp().e
    if kind == "symbol":
        return _symbol(node[1], point)
    if kind == "call":
        arguments = [_mp().nstr(value(part, point), 12) for part in node[2:]]
        return _symbol(f"{node[1]}({';'.join(arguments)})", point)
    if kind == "derivative" and node[2][1] not in names(node[1]):
        return _mp().mpf(0)
    if kind not in _OPERATIONS:
        raise NoValueError(kind)
    result = _OPERATIONS[kind](*(value(part, point) for part in node[1:]))
    if not _mp().isfinite(result):
        raise NoValueError("not finite")
    return result


@lru_cache(maxsize=4096)
def _symbol(name: str, point: int) -> Any:
    draw = random.Random(f"{name}@{point}")
    size = 20 if point in LARGE_POINTS else 1
    return size * _mp().mpc(draw.randint(500_000, 2_500_000), draw.randint(1, 999_999)) / 10**6


def _power(base: Any, exponent: Any) -> Any:
    if base == 0:
        if _mp().re(exponent) <= 0:
            raise NoValueError("0 to a power that is not positive")
        return _mp().mpf(0)
    if abs(exponent) * max(abs(_mp().log(abs(base), 2)), 1) > MAX_LOG2:
        raise NoValueError("power too large")
    return base**exponent


def _factorial(n: Any) -> Any:
    if abs(n) > 3000:
        raise NoValueError("factorial too large")
    return _mp().gamma(n + 1)


def _function(name: str) -> Callable[[Any], Any]:
    def apply(x: Any) -> Any:
        if abs(x) > MAX_LOG2:
            raise NoValueError("argument too large")
        return getattr(_mp(), name)(x)

    return apply


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a: -a,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": _power,
    "root": lambda a, degree: _power(a, 1 / degree),
    "!": _factorial,
    "abs": abs,
    "floor": lambda a: _mp().floor(_mp().re(a)),
    "ceil": lambda a: _mp().ceil(_mp().re(a)),
    "conjugate": lambda a: _mp().conj(a),
    "binomial": lambda n, k: _factorial(n) / _factorial(k) / _factorial(n - k),
    "log": lambda a, base: _mp().log(a) / _mp().log(base),
    **{
        name: _function(re.sub(r"^ar(?:c(?!osh))?", "a", name))
        for name in re.findall(
            r"\w+",
            "exp sin cos tan csc sec cot sinh cosh tanh arcsin arccos arctan arccsc arcsec arccot "
            "arsinh arcosh artanh arcsinh arccosh arctanh",
        )
    },
}
