"""The table of built-in objectives: each by its name, with formula, source and ranges."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Rule:
    """A row of the table.

    formula: the weight w of a token's NLL, p its probability; source: where the rule is from;
    code: the repository and commit whose code it was checked against, None where there is none;
    differs: how this is not what the source has, or what could not be verified; ranges: what each
    parameter may be, ends included.
    """

    weight: Callable[..., Tensor]
    formula: str
    source: str
    code: str | None
    differs: str | None
    ranges: dict[str, tuple[float, float]]


RULES: dict[str, Rule] = {}

ANY = (-math.inf, math.inf)
POSITIVE = (0.0, math.inf)
UNIT = (0.0, 1.0)
COUNT = (1, math.inf)
SWITCH = (0, 1)


def objective(
    name: str,
    formula: str,
    source: str,
    code: str | None = None,
    differs: str | None = None,
    **ranges: tuple[float, float],
) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Enter a weight function in the table, under its name in the field."""

    def enter(weight: Callable[..., Tensor]) -> Callable[..., Tensor]:
        RULES[name] = Rule(weight, formula, source, code, differs, ranges)
        return weight

    return enter
