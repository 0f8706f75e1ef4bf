"""Turn a formula's LaTeX into a tree with math-verify's parser, and give its value at a point.

Nothing a model wrote is ever evaluated by Python: the grammar of latex2sympy builds an unevaluated
tree (math-verify's plain-expression route, which calls sympy's parse_expr, is not used), as does
arithmetic.py for the most frequent formulas, and `value` walks that tree with bounded arithmetic,
so that a tower of powers costs nothing.
"""

import random
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from rectify.grading.alarm import paused
from rectify.grading.answers.numbers import Number
from rectify.grading.answers.values import Formula, Scalar
from rectify.grading.formulas.arithmetic import arithmetic
from rectify.grading.formulas.parser import load
from rectify.grading.notation.limits import UnreadableError
from rectify.grading.notation.spelling import spell

PRECISION = 400  # decimal digits of the arithmetic in value
MAX_LOG2 = 50_000  # largest power or factorial, in bits


Names = Mapping[str, str]
NO_NAMES: Names = {}


class UndecidedError(ArithmeticError):
    """A tree has no value here: a pole, or a node without a rule."""


class TooLargeError(UnreadableError):
    """A tower of powers or factorials: beyond any gold, and never computed."""


def parsed(latex: str) -> Any:
    """The tree of a formula, sympy's or one like it. Raises UnreadableError for what is no
    scalar.
    """
    return arithmetic(spell(latex)) or tree(latex)


@lru_cache(maxsize=4096)
def tree(latex: str) -> Any:
    """The unevaluated sympy tree of a formula. Raises UnreadableError for what is no scalar."""
    latex2sympy, config, expression = load()
    text = spell(latex)
    try:
        found = latex2sympy(
            text,
            is_real=None,
            convert_degrees=False,
            normalization_config=None,
            conversion_config=config,
        )
    except (RecursionError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableError(str(error).split("\n")[0]) from None
    if not isinstance(found, expression):
        raise UnreadableError("no scalar")
    return found


@lru_cache(maxsize=65536)
def value(scalar: Scalar, point: int, digits: int = PRECISION) -> Any:
    """The value (mpmath complex) of a number or formula at probe `point`: every symbol has a fixed
    pseudo-random value there. Raises UnreadableError or UndecidedError.
    """
    mp = _arithmetic()
    if digits != PRECISION:
        with mp.workdps(digits):
            return _value(mp, scalar, point)
    return _value(mp, scalar, point)


def _value(mp: Any, scalar: Scalar, point: int) -> Any:
    if isinstance(scalar, Number):
        return mp.mpc(mp.mpf(scalar.value.numerator) / scalar.value.denominator)
    try:
        return _walk(parsed(scalar.latex), point)
    except (ZeroDivisionError, OverflowError, ValueError, TypeError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UndecidedError(str(error)) from None


def renamed_value(formula: Formula, point: int, names: Names) -> Any:
    """The value of a formula at a probe with some of its symbols under other names. Raises
    UnreadableError or UndecidedError.
    """
    _arithmetic()
    try:
        return _walk(parsed(formula.latex), point, names)
    except (ZeroDivisionError, OverflowError, TypeError) as error:
        raise UndecidedError(str(error)) from None


def is_discrete(scalar: Scalar) -> bool:
    """Whether a formula only makes sense for whole numbers: floors, factorials, binomials."""
    return isinstance(scalar, Formula) and bool(re.search(r"floor|ceil|binom|!", scalar.latex))


def has_float(scalar: Scalar) -> bool:
    """Whether a formula has a decimal in it, so that exact equality is too much to ask."""
    return isinstance(scalar, Formula) and bool(re.search(r"\d\.\d|\.\d", scalar.latex))


@lru_cache(maxsize=1)
def _arithmetic() -> Any:
    with paused():
        import mpmath
    mpmath.mp.dps = PRECISION
    return mpmath.mp


def symbol_value(name: str, point: int) -> Any:
    """A number in (0.5, 2.5) for points 0 to 9, its opposite for points -1 to -9, a whole number in
    2 .. 40 for points from 10.
    """
    if point < 0:
        return -symbol_value(name, -point)
    name = re.sub(r"[\\{}\s]|text|mathrm", "", name)
    draw = random.Random(f"{name}@{point}")
    if point >= 10:
        return _arithmetic().mpc(draw.randint(2, 40))
    return _arithmetic().mpc(draw.randint(5_000_001, 24_999_999)) / 10**7


def _walk(node: Any, point: int, names: Names = NO_NAMES) -> Any:
    mp, kind = _arithmetic(), type(node).__name__
    if node.is_Symbol:
        return (
            mp.mpc(0, 1)
            if node.name == "i"
            else symbol_value(names.get(node.name, node.name), point)
        )
    if node.is_Rational:
        return mp.mpc(mp.mpf(node.p) / node.q)
    if node.is_Float:
        return mp.mpc(mp.mpf(str(node)))
    if kind in _CONSTANTS:
        return mp.mpc(_CONSTANTS[kind](mp))
    if kind == "Derivative" or (kind not in _NODES and getattr(node.func, "is_Function", False)):
        return _opaque(node, point, names)
    if kind not in _NODES:
        raise UndecidedError(kind)
    return _finite(_NODES[kind](mp, *[_walk(arg, point, names) for arg in node.args]))


def _opaque(node: Any, point: int, names: Names) -> Any:
    """f(x) and dx/dt have the value of a symbol that stands for the function and its arguments."""
    args = node.args if node.is_Derivative is False else (node.expr, *node.variables)
    values = [_arithmetic().nstr(_walk(arg, point, names), 12) for arg in args]
    name = "D" if type(node).__name__ == "Derivative" else node.func.__name__
    return symbol_value(f"{name}({';'.join(values)})", point)


def _finite(number: Any) -> Any:
    mp = _arithmetic()
    if mp.isnan(number) or mp.isinf(number):
        raise UndecidedError("not finite")
    return number


def _power(mp: Any, base: Any, exponent: Any) -> Any:
    if base == 0:
        if exponent.real <= 0:
            raise UndecidedError("0 to a power that is not positive")
        return mp.mpc(0)
    if abs(exponent) > 10**9 or abs(exponent) * abs(mp.log(abs(base), 2) or 1) > MAX_LOG2:
        raise TooLargeError("power too large")
    return base**exponent


def _factorial(mp: Any, n: Any) -> Any:
    if abs(n) > 3000:
        raise TooLargeError("factorial too large")
    return mp.gamma(n + 1)


def _binomial(mp: Any, n: Any, k: Any) -> Any:
    return _factorial(mp, n) / _factorial(mp, k) / _factorial(mp, n - k)


def _exponential(mp: Any, x: Any) -> Any:
    if abs(x) > MAX_LOG2:
        raise TooLargeError("exponential too large")
    return mp.exp(x)


def _trigonometric(name: str) -> Callable[..., Any]:
    def apply(mp: Any, x: Any) -> Any:
        if abs(x) > 10**15:
            raise TooLargeError("angle too large")
        return getattr(mp, name)(x)

    return apply


def _logarithm(mp: Any, x: Any, base: Any = None) -> Any:
    return mp.log(x) if base is None else mp.log(x) / mp.log(base)


def _whole(name: str) -> Callable[..., Any]:
    def apply(mp: Any, x: Any) -> Any:
        nearest = mp.nint(x.real)  # rounding may leave a whole number just below itself
        return mp.mpc(
            nearest if abs(x - nearest) < mp.mpf(10) ** -30 else getattr(mp, name)(x.real)
        )

    return apply


_CONSTANTS: dict[str, Callable[[Any], Any]] = {
    "Pi": lambda mp: mp.pi,
    "Exp1": lambda mp: mp.e,
    "ImaginaryUnit": lambda mp: mp.mpc(0, 1),
}
_NODES: dict[str, Callable[..., Any]] = {
    "Add": lambda mp, *xs: mp.fsum(xs),
    "Mul": lambda mp, *xs: mp.fprod(xs),
    "Pow": _power,
    "UnevaluatedExpr": lambda mp, x: x,
    "Abs": lambda mp, x: mp.mpc(abs(x)),
    "exp": _exponential,
    "log": _logarithm,
    "factorial": _factorial,
    "binomial": _binomial,
    "floor": _whole("floor"),
    "ceiling": _whole("ceil"),
    "Max": lambda mp, *xs: max(xs, key=lambda x: x.real),
    "Min": lambda mp, *xs: min(xs, key=lambda x: x.real),
    **{
        name: _trigonometric(name)
        for name in [
            "sin",
            "cos",
            "tan",
            "cot",
            "sec",
            "csc",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
            "asinh",
            "acosh",
            "atanh",
        ]
    },
}
