"""Equivalent and near-miss rewritings of the benchmarks' golds, with their labels.

The generator works on the gold's text with its own small patterns, never with the grader's reader,
so that a misreading there cannot hide itself. Usage, from the repository root:

    PYTHONPATH=workflow python tests/grading/rewritings.py [--holdout] [--show KIND]

prints false negatives and positives by kind and by benchmark, on the golds used for tuning or, with
--holdout, on the quarter of the golds (by hash) that was kept unseen.
"""

import argparse
import hashlib
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
from equivalents import equivalents
from gold_files import golds
from gold_text import core
from near_misses import near_misses

SEED = 20250812


class Case(NamedTuple):
    """One graded response. `label`: whether it is right; `kind`: the rewriting's name."""

    benchmark: str
    gold: str
    answer: str
    label: bool
    kind: str


def held_out(gold: str) -> bool:
    """Whether a gold belongs to the quarter that tuning never saw."""
    return hashlib.sha256(f"holdout:{gold}".encode()).digest()[0] < 64


def cases(holdout: bool) -> Iterator[Case]:
    """Every rewriting of every distinct gold of one side of the split, without repeats."""
    seen = set()
    for benchmark, _, gold in golds():
        if held_out(gold) != holdout or (benchmark, gold) in seen:
            continue
        seen.add((benchmark, gold))
        draw = random.Random(f"{SEED}:{gold}")
        text = core(gold)
        made = {gold: True}
        for label, kind, answer in [*equivalents(text, draw), *near_misses(text, draw)]:
            if made.setdefault(answer, label) is label:
                yield Case(benchmark, gold, answer, label, kind)


def report(graded: Iterable[Case], show: str | None) -> tuple[Counter, Counter]:
    """Grade the cases, print error rates, and return (errors, totals) by (label, kind)."""
    from rectify.grading.verdict import grade

    errors, totals = Counter(), Counter()
    for case in graded:
        verdict = grade(case.gold, rf"So the answer is $\boxed{{{case.answer}}}$.", case.benchmark)
        keys = [(case.label, case.kind), (case.label, case.benchmark), (case.label, "all")]
        totals.update(keys)
        if verdict.corrected != case.label:
            errors.update(keys)
            if show in (case.kind, "all"):
                print(
                    f"{case.label!s:5} {case.benchmark:13} {case.kind:22} "
                    f"{case.gold!r} <- {case.answer!r} {verdict.status}"
                )
    for label, name in ((True, "false negatives"), (False, "false positives")):
        print(f"{name}: {errors[label, 'all']} of {totals[label, 'all']}")
        for (of, kind), count in sorted(totals.items(), key=lambda kv: -errors[kv[0]] / kv[1]):
            if of is label and errors[of, kind] and kind != "all":
                print(
                    f"  {kind:24} {errors[of, kind]:5} of {count:5} {errors[of, kind] / count:7.2%}"
                )
    return errors, totals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--holdout", action="store_true", help="the golds kept unseen while tuning")
    parser.add_argument("--show", metavar="KIND", help="print the errors of one kind, or of all")
    options = parser.parse_args()
    report(cases(options.holdout), options.show)


if __name__ == "__main__":
    main()
