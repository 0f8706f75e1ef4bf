"""The comparison rules by name. Each is a function whose docstring says in one line why it
holds.
"""

from collections.abc import Callable
from typing import Any

RULES: dict[str, Callable[[Any, Any], bool]] = {}


def rule(function: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Enter a comparison, `(gold, answer) -> bool`, in RULES."""
    RULES[function.__name__] = function
    return function
