"""math-verify's parser: a formula's LaTeX as an unevaluated sympy tree."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rectify.grading.alarm import paused


@lru_cache(maxsize=1)
def load() -> tuple[Callable[..., Any], Any, type]:
    """Import the parser, once, when the first formula comes that needs it: it takes most of a
    second. Returns (latex2sympy, its conversion config, sympy's Expr).
    """
    with paused():
        from latex2sympy2_extended.latex2sympy2 import ConversionConfig, latex2sympy
        from math_verify import verify  # noqa: F401  (scalars.py's last resort)
        from sympy import Expr

    return latex2sympy, ConversionConfig(lowercase_symbols=False), Expr
