"""Many samples: the same verdicts for any number of workers, each distinct answer graded once."""

import random
import time

import pytest
from gold_files import golds
from rectify.grading import pool, verdict
from rectify.grading.pool import grade_many
from rectify.grading.verdict import grade
from rewritings import cases

SAMPLES, RATE = 30_000, 1_000


def test_verdicts_keep_the_input_order_and_match_grade():
    items = [("math_oai", str(k), str(k % 3), rf"\boxed{{{k % 2}}}") for k in range(60)]
    assert grade_many(items, workers=2) == [grade(g, r, b) for b, _, g, r in items]


def test_one_and_several_workers_agree():
    items = [
        (None, "p", r"\frac{1}{2}", rf"\boxed{{{a}}}")
        for a in ("1/2", "0.5", "2", "", "x", "\\frac")
    ]
    assert grade_many(items, workers=1) == grade_many(items, workers=3)


def test_repeated_answers_are_graded_once(monkeypatch):
    scheduled = []
    monkeypatch.setattr("pebble.ProcessPool.schedule", _counting(scheduled))
    items = [("aime24", "p1", "25", rf"different prose {k} \boxed{{25}}") for k in range(50)]
    assert all(v.corrected for v in grade_many(items, workers=1))
    assert len(scheduled) == 1


def _counting(scheduled):
    import pebble

    original = pebble.ProcessPool.schedule

    def schedule(self, function, args, **options):
        scheduled.append(args)
        return original(self, function, args=args, **options)

    return schedule


def test_nothing_to_grade():
    assert grade_many([], workers=2) == []
    assert pool.KILL_SECONDS >= 10 * (verdict.ALARM_SECONDS + verdict.HARNESS_SECONDS)


@pytest.mark.timed
@pytest.mark.usefixtures("benchmark_files")
def test_throughput_on_sixteen_sample_decoding():
    """100,000 samples of which a sixth are distinct; the bound is half of what two idle cores
    do.
    """
    items = repeated_samples(SAMPLES)
    started = time.monotonic()
    verdicts = grade_many(items, workers=2)
    rate = len(verdicts) / (time.monotonic() - started)
    print(f"{rate:.0f} samples/s")
    assert rate > RATE / 2


def repeated_samples(count: int, share: float = 0.165) -> list[tuple[str, str, str, str]]:
    """Samples of the golds' rewritings, wrong integers among them, repeated as real decoding
    repeats them: `share` of them are distinct (problem, answer) pairs.
    """
    draw = random.Random(0)
    pools: dict[tuple[str, str], list[str]] = {(b, g): [g] for b, _, g in golds()}
    for case in [*cases(False), *cases(True)]:
        pools[case.benchmark, case.gold].append(case.answer)
    distinct = [(b, g, a) for (b, g), answers in pools.items() for a in answers]
    while len(distinct) < share * count:
        benchmark, gold, _ = distinct[draw.randrange(len(distinct))]
        distinct.append((benchmark, gold, str(draw.randint(0, 10**6))))
    distinct = draw.sample(distinct, int(share * count))
    filler = "We compute step by step. " * 60
    return [
        (b, g, g, rf"{filler} sample {k}: $\boxed{{{a}}}$")
        for k, (b, g, a) in ((k, distinct[k % len(distinct)]) for k in range(count))
    ]
