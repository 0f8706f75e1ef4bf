"""Where the two verdicts differ, counted over graded samples."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from rectify.grading.notation.limits import UnreadableError
from rectify.grading.verdict import Verdict, read_gold

EXAMPLES = 3


class Disagreement(NamedTuple):
    """Samples on which the verdicts differ. `accepts`: the verdict that says right ("corrected" or
    "harness"); `kind`: what sets gold and answer apart; `examples`: up to 3 "gold <- answer".
    """

    benchmark: str
    kind: str
    accepts: str
    count: int
    examples: str


def disagreements(graded: Iterable[tuple[str | None, str, Verdict]]) -> list[Disagreement]:
    """The table for a study's (benchmark, gold, verdict), most frequent first."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for benchmark, gold, verdict in graded:
        if verdict.corrected != verdict.harness:
            accepts = "corrected" if verdict.corrected else "harness"
            key = (benchmark or "", kind(gold, verdict), accepts)
            groups.setdefault(key, []).append(f"{gold.strip()} <- {verdict.answer}")
    rows = [
        Disagreement(*key, len(found), " | ".join(list(dict.fromkeys(found))[:EXAMPLES]))
        for key, found in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.count, row[:3]))


def kind(gold: str, verdict: Verdict) -> str:
    """What sets the verdicts apart, from the status, the gold's type and the answer's spelling."""
    if verdict.status != "ok":
        return {"no_answer": "no box"}.get(verdict.status, verdict.status)
    answer, plain = verdict.answer or "", re.sub(r"[\s$,]", "", gold)
    if re.search(r"\\times\s*10|\d[eE][+-]?\d", answer + gold):
        return "power of ten"
    if not verdict.corrected and _ratio(plain, answer) in (0.01, 100):
        return "x100 or /100"
    if not verdict.corrected and (ratio := _ratio(plain, answer)) and abs(ratio - 1) < 1e-3:
        return "relative 1e-4"
    try:
        name = type(read_gold(gold)).__name__.lower()
    except UnreadableError:
        return "unreadable gold"
    return {"items": "list, set or interval", "based": "base", "union": "interval"}.get(name, name)


def _ratio(gold: str, answer: str) -> float | None:
    try:
        return round(float(re.sub(r"[\s,%\\$]", "", answer)) / float(gold), 9)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
