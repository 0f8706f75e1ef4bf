"""Grade one response against a gold answer: grade(gold, response) -> Verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Verdict:
    """The extracted answer, whether it is right, and how grading went."""

    answer: str | None
    corrected: bool
    harness: bool
    status: str


def extract_boxed(text: str) -> str | None:
    """The content of the last balanced \\boxed{...}, or None."""
    for match in reversed(list(re.finditer(r"\\boxed\s*\{", text))):
        depth, start = 1, match.end()
        for index in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[index], 0)
            if depth == 0:
                return text[start:index]
    return None


@lru_cache(maxsize=100_000)
def equal(gold: str, answer: str) -> bool:
    """math-verify on one pair."""
    from math_verify import parse, verify

    return gold.strip() == answer.strip() or verify(
        parse(f"${gold}$"), parse(f"\\boxed{{{answer}}}")
    )


def grade(gold: str, response: str, benchmark: str | None = None) -> Verdict:
    """Grade one response."""
    answer = extract_boxed(response)
    if answer is None:
        return Verdict(None, False, False, "no_answer")
    right = equal(gold, answer)
    return Verdict(answer, right, right, "ok")


def grade_many(items: Iterable[tuple], workers: int = 2, progress: bool = False) -> list[Verdict]:
    """Grade (benchmark, problem, gold, response) items in order."""
    return [grade(gold, response, benchmark) for benchmark, _, gold, response in items]
