"""Which printed percentages a count of right samples can give, under each way of rounding."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

RUNS = 16  # samples of each problem, i.e. runs over a benchmark


def rounded_runs(problems: int) -> set[int]:
    """What one run over so many problems can score, in tenths of a percent, rounded to them.

    Ties (17 of 272 is 6.25) count both ways: up, and to the even digit, as Python rounds.
    """
    scores = [Fraction(1000 * right, problems) for right in range(problems + 1)]
    half = Fraction(1, 2)
    return {math.floor(score + half) for score in scores} | {
        math.ceil(score - half) for score in scores
    }


@lru_cache
def rounded_sums(problems: int) -> int:
    """What RUNS runs, each rounded to 0.1, can add up to in tenths: bit s is set for the sum s.

    By dynamic programming over the runs: a sum is attainable if it is one of the previous runs'
    sums plus one of the scores that a run can have.
    """
    sums = 1
    for _ in range(RUNS):
        added = 0
        for score in rounded_runs(problems):
            added |= sums << score
        sums = added
    return sums


def means_near(percent: Fraction, problems: int, way: str) -> Iterator[Fraction]:
    """Attainable means in percent, before they are printed: some below `percent`, some above.

    `way` is `exact` (all samples' mean) or `per_run` (each run rounded to 0.1 before the mean).
    """
    if way == "exact":
        parts = RUNS * problems
        possible = (1 << (parts + 1)) - 1
    else:
        parts, possible = 1000 * RUNS, rounded_sums(problems)
    start = min(max(math.floor(percent * parts / 100), -1), parts)
    for step in (-1, 1):
        part, found = start + (step == 1), 0
        while 0 <= part <= parts and found < 2:
            if possible >> part & 1:
                found += 1
                yield Fraction(100 * part, parts)
            part += step


def ways_to_print(printed: Decimal, problems: int) -> set[str]:
    """How the printed percentage can have come about; empty if in none of these ways.

    `exact`: the mean of all samples, rounded; `per_run`: the mean of runs that were each rounded
    to 0.1, rounded; `cut_off`: either mean without the digits that follow. Halves may be rounded
    up or down.
    """
    unit = Fraction(1, 10 ** digits(printed))
    value = Fraction(printed)
    means = {way: list(means_near(value, problems, way)) for way in ("exact", "per_run")}
    ways = {way for way in means if any(abs(mean - value) <= unit / 2 for mean in means[way])}
    if any(0 <= mean - value < unit for near in means.values() for mean in near):
        ways.add("cut_off")
    return ways


def neighbours(printed: Decimal, problems: int) -> tuple[Decimal, Decimal]:
    """The nearest printed percentages below and above that some way of rounding gives."""
    value = Fraction(printed)
    means = [mean for way in ("exact", "per_run") for mean in means_near(value, problems, way)]
    texts = [rounded(mean, digits(printed)) for mean in means]
    below = max((text for text in texts if text < printed), default=Decimal(0))
    return below, min((text for text in texts if text > printed), default=Decimal(100))


def digits(printed: Decimal) -> int:
    """Digits after the point."""
    return max(-int(printed.as_tuple().exponent), 0)


def rounded(value: Fraction, places: int) -> Decimal:
    """A fraction as it is printed with so many digits after the point, halves up."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
