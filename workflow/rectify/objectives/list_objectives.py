"""List every objective: formula, parameters, source, and where implementations of it differ.

    rectify list_objectives             # the page config/objectives/README.md
    rectify list_objectives --variants  # its last table alone

The last table has loss and gradient of each implementation on the same made logits.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator

from rectify.objectives.built_in import FAMILIES, RULES
from rectify.objectives.inputs import GIVEN
from rectify.objectives.rules.table import ANY, Rule
from rectify.objectives.signature import parameters_of
from rectify.step.command import step_parser

PAGE = """\
# Objectives

Written by `rectify list_objectives` (`make docs`).

Every objective gives each response token a weight w of its NLL; w carries no gradient, p is the
token's probability, logarithms are natural. The loss is the sum of w times NLL over the response
tokens, divided by their number in the whole batch. Weights have no unit, and nor have parameters,
but for EAFT's `scale` and mode-seeking-distance's, which are in nats. "Code" is the repository and
commit that the formula was checked against; without one, it could not be.
"""
NO_FORMULAS = """
Not in the table, as they are no formulas: Liger's loss with `reduction="none"`, by which tokens can
be weighted, has wrong gradients before 0.8.2; TRL's PR #5823 leaves EAFT out under Liger without a
word; ASFT's README says that DeepSpeed can make DFT's variants ineffective; ms-swift #6233 reports
5 points between ZeRO-2 on and off."""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A Markdown table, line by line."""
    head = list(head)
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def number(value: float) -> str:
    """Four digits; nothing for what is not a number."""
    return "" if math.isnan(value) else f"{value:.4g}"


def parameters(rule: Rule) -> str:
    """Each parameter with its default and its range."""
    found = []
    for name, default in parameters_of(rule.weight).items():
        low, high = rule.ranges.get(name, ANY)
        shown = "adaptive" if default is None else str(default).lower()
        limits = "" if isinstance(default, bool) else f" [{low:g}, {high:g}]"
        found.append(f"`{name}` {shown}{limits}")
    return ", ".join(found)


def page() -> Iterator[str]:
    """The page, line by line."""
    yield PAGE
    head = ["name", "weight", "parameters: default [range]", "source", "code", "notes"]
    for family in FAMILIES:
        yield f"## {family.__doc__.splitlines()[0].rstrip('.')}\n"
        rows = [
            (
                f"`{name}`",
                f"`{rule.formula}`",
                parameters(rule),
                rule.source,
                rule.code or "",
                rule.differs or "",
            )
            for name, rule in RULES.items()
            if rule.weight.__module__ == family.__name__
        ]
        yield from table(head, rows)
        yield ""
    yield "## What an objective may take\n"
    yield from table(["name", "shape and meaning"], ((f"`{k}`", v) for k, v in GIVEN.items()))
    yield "\n## Where implementations differ\n"
    yield (
        "Loss and gradient (by the logits) on the same made logits: two sequences, a micro-batch\n"
        "each. Ratio and cosine are those of the gradient to the rule's first line.\n"
    )
    yield from variants()
    yield NO_FORMULAS


def variants() -> Iterator[str]:
    """The table of variants, line by line."""
    from rectify.objectives.variants import compared  # torch, which the names do without

    head = ["rule", "implementation", "here", "loss", "gradient norm", "ratio", "cosine"]
    rows = []
    for variant, *numbers in compared():
        given = ", ".join(f"{k}: {str(v).lower()}" for k, v in variant.parameters.items())
        here = [f"`{part}`" for part in (variant.objective, given, variant.setting) if part]
        shown = ", ".join(here) or "not to be had"
        rows.append((variant.rule, variant.where, shown, *map(number, numbers)))
    yield from table(head, rows)


def main(arguments: argparse.Namespace) -> None:
    """Print it."""
    print("\n".join(variants() if arguments.variants else page()))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("list_objectives", __doc__)
    options.add_argument("--variants", action="store_true", help="the table of variants alone")
    return options
