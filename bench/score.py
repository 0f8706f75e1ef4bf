"""Scoring: samples per second with 1 and 2 workers, with and without de-duplication.

    python -m bench.score

`typical`: 16 samples of each problem, as a model's are: most end in one of a few boxed numbers or
fractions, some in an expression, some in none. `hostile`: the same with a share of answers that a
grader has to bound, refuse or leave unrun (tests/grading/hostile.py). `no repeats` gives every
sample a problem of its own, so that no verdict is found twice. `distinct`: answers of which none is
given twice, right and nearly right rewritings of the benchmarks' golds (tests/grading).
"""

from __future__ import annotations

import argparse
import csv
import random
import runpy
import time

from bench.common import ROOT, parser, publish

SAMPLES = 16
GRADING = ROOT / "tests" / "grading"
GOLDS = (
    "42",
    r"\frac{3}{4}",
    r"x^2-5x+6",
    r"(1,2]",
    r"2\sqrt{3}",
    "1,250",
    r"\text{Tuesday}",
    "0.125",
)


def response(source: random.Random, gold: str) -> str:
    """A worked answer: mostly right or near, sometimes in other words, sometimes unfinished."""
    words = " ".join(
        f"Step {n}: {source.randint(1, 99)} + {n}." for n in range(source.randint(5, 40))
    )
    kind = source.random()
    if kind < 0.1:
        return words
    wrong = str(source.randint(1, 60))
    rewritten = gold.replace(r"\frac", r"\dfrac").replace(",", r"{,}")
    answer = gold if kind < 0.5 else wrong if kind < 0.8 else rewritten
    return rf"{words} The answer is \boxed{{{answer}}}."


def items(count: int, hostile_share: float, repeats: bool) -> list[tuple[str, str, str, str]]:
    """(benchmark, problem, gold, response) of `count` samples."""
    source = random.Random(0)
    hostile = list(runpy.run_path(str(GRADING / "hostile.py"))["HOSTILE"].values())
    found = []
    for index in range(count):
        problem = index // SAMPLES
        gold = GOLDS[problem % len(GOLDS)]
        text = response(source, gold)
        if source.random() < hostile_share:
            text = rf"\boxed{{{source.choice(hostile)}}}"
        found.append(("math500", str(problem if repeats else index), gold, text))
    return found


def distinct(count: int) -> list[tuple[str, str, str, str]]:
    """(benchmark, problem, gold, response) of `count` answers, those to one gold together."""
    source = random.Random(0)
    texts = runpy.run_path(str(GRADING / "rewritings.py"))
    with (GRADING / "golds.csv").open(encoding="utf-8", newline="") as file:
        golds = [(row["benchmark"], row["gold"]) for row in csv.DictReader(file)]
    found: dict[tuple[str, str, str], None] = {}
    for benchmark, gold in golds:
        for write in (texts["equivalents"], texts["near_misses"]):
            for _, _, answer in write(texts["core"](gold), source):
                found[benchmark, gold, answer] = None
    kept = sorted(source.sample(range(len(found)), count))
    answers = list(found)
    return [
        (benchmark, gold, gold, rf"{response(source, gold)} No: $\boxed{{{answer}}}$.")
        for benchmark, gold, answer in (answers[place] for place in kept)
    ]


def measure(rows: list[tuple[str, str, str, str]], workers: int) -> dict[str, float]:
    """Seconds, and samples per second, of grading the rows."""
    from rectify.grading.pool import grade_many

    started = time.perf_counter()
    verdicts = grade_many(rows, workers)
    seconds = time.perf_counter() - started
    odd = sum(verdict.status not in ("ok", "no_answer") for verdict in verdicts)
    return {"seconds": seconds, "samples_per_s": len(rows) / seconds, "not_ok": odd}


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    count = 800 if arguments.quick else 100_000
    few = 48 if arguments.quick else 3_200
    mixes = {
        "typical": items(count, 0.0, True),
        "typical, no repeats": items(count // 4, 0.0, False),
        "distinct": distinct(count // 5),
        "1 % hostile": items(few, 0.01, True),
        "10 % hostile": items(few, 0.10, True),
    }
    rows = []
    for name, samples in mixes.items():
        for workers in (1, 2):
            rows.append(
                {
                    "mix": name,
                    "workers": workers,
                    "samples": len(samples),
                    **measure(samples, workers),
                }
            )
            print(rows[-1], flush=True)
    publish("score", arguments, rows)


if __name__ == "__main__":
    main(parser("score", __doc__).parse_args())
