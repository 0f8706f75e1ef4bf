"""How a method's answers are, right or wrong: how long, whether they end, how they differ.

For each benchmark, and for their mean, in which each has the same weight (`QUANTITIES`). What a
quantity is uncertain by is clustered by problem, as an accuracy is: samples, repeats and seeds of
one problem are averaged first, and what the seeds differ by beyond chance comes on top. So each is
taken as a mean over problems of values [problems, seeds] (`values_of`):

- a share's are shares, and its interval is that of an accuracy (`interval` of
  rectify.statistics.spread);
- those of a mean length, or of the number of distinct answers, are means; their interval is a t
  interval over problems;
- the length of right answers is that of all of them together, a ratio of two sums; its values are
  linearised (Taylor), and so are those of wrong answers' length;
- the median is that of all answers; its values are linearised by the slope of the lengths'
  distribution around it, the width of Woodruff's (1952) interval (Francisco and Fuller 1991).

A difference to the base model is paired by problem and by seed, and its interval is that of the
tables' comparisons (rectify.statistics.comparisons). Coverage in simulation (lognormal lengths, 16
samples, one seed; means, medians and right answers' lengths): 92 to 95 % with 30 problems, 94 to
95 % with 100 or more; of their differences, 94 to 96 % with 30.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rectify.statistics.accuracy import GRADED, arranged, by_benchmark, score_tables
from rectify.statistics.comparisons import bootstrap, errors_of, interval_of
from rectify.statistics.pairs import Pair, check_paired, in_common
from rectify.statistics.spread import (
    Z,
    bounds,
    interval,
    mean_spread,
    spread_of,
    t_interval,
)
from rectify.step.errors import StepError

QUANTITIES = {  # and their titles
    "length": "Tokens",
    "median_length": "Median",
    "unfinished": "Unfinished, %",
    "unboxed": "No box, %",
    "loop": "In a loop, %",
    "distinct": "Distinct",
    "right_length": "Tokens, right",
    "wrong_length": "Tokens, wrong",
}
SHARES = ("unfinished", "unboxed", "loop")  # in percent
MEANING = (
    "Tokens: mean length of the answers, and of the right and the wrong ones; median: of all "
    "lengths; unfinished: ended by the limit of tokens; no box: without a boxed answer (to other "
    "graders: without any); in a loop: the last 60 characters or more are one piece of text, three "
    "times or more back to back; distinct: different final answers, as texts, among the samples of "
    "a problem"
)
NUMBERS = (
    "value", "stderr", "low", "high", "difference", "difference_low", "difference_high",
    "n_problems", "n_samples", "n_seeds",
)  # fmt: skip
FACTS = ("n_tokens", "correct", "unfinished", "unboxed", "loop", "first")  # of an answer
DENSITY = 0.05  # of the answers on either side, at least, tell how dense lengths are at the median


def read_answers(files: list[str]) -> pd.DataFrame:
    """The score files of one method, one for each trained model, as one table of numbers, with the
    `seed` and the `repeat` that their names say: the columns GRADED without `status`, and FACTS.

    `first`: the answer is there, and stands in no sample of the problem before. The texts are let
    go of file by file. Raises StepError naming the file, or the column, that is missing.
    """
    kept = (*GRADED, "answer", "n_tokens", "finish_reason", "loop")
    tables = []
    for file, table in zip(files, score_tables(files, kept), strict=True):
        if "loop" not in table:
            raise StepError(
                f"{file}: no column 'loop': it was made before there was one; score the samples "
                "again"
            )
        same = ["checkpoint", "benchmark", "problem_id", "answer"]
        table["first"] = table["answer"].notna() & ~table.duplicated(same)
        table["unfinished"] = table.pop("finish_reason") != "stop"
        table["unboxed"] = table.pop("status") == "no_answer"
        tables.append(table.drop(columns="answer"))
    return pd.concat(tables, ignore_index=True)


class Measured(NamedTuple):
    """One benchmark's problem_ids, its numbers of seeds and of samples of a problem, and each
    quantity's values [problems, seeds], whose mean it is: a share's are from 0 to 1, and NaN those
    of right (or wrong) answers where there is none at all.
    """

    problems: pd.Index
    seeds: int
    samples: int
    values: dict[str, np.ndarray]


def measured(answers: pd.DataFrame) -> Measured:
    """One benchmark's answers, measured; raises StepError as `arranged` does."""
    problems, arrays = arranged(answers, *FACTS)
    tokens, right, unfinished, unboxed, loop, first = arrays
    mean = {"length": tokens, "unfinished": unfinished, "unboxed": unboxed, "loop": loop}
    found = {name: array.mean(axis=(2, 3)) for name, array in mean.items()}
    found["median_length"] = median_values(tokens)
    found["distinct"] = first.sum(axis=3).mean(axis=2)
    found["right_length"] = ratio_values(tokens * right, right)
    found["wrong_length"] = ratio_values(tokens * (1 - right), 1 - right)
    return Measured(problems, tokens.shape[1], tokens.shape[3], found)


def ratio_values(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Values [problems, seeds] whose mean is the ratio of the sum of all `sums` to that of all
    `counts`, [problems, seeds, repeats, samples] each, and that vary as it does from sample to
    sample of problems; NaN where nothing is counted.
    """
    sums, counts = sums.mean(axis=(2, 3)), counts.mean(axis=(2, 3))
    if not counts.any():
        return np.full(counts.shape, np.nan)
    ratio = sums.mean() / counts.mean()
    return ratio + (sums - ratio * counts) / counts.mean()


def median_values(tokens: np.ndarray) -> np.ndarray:
    """Values [problems, seeds] whose mean is the median of all lengths [problems, seeds, repeats,
    samples], and that vary as it does.

    A problem's value is off the median by how much its share of shorter answers (half of those of
    the median's length among them) is off that of all problems, times the slope of the quantiles:
    the width of the interval between those at one half less and more 1.96 standard errors of that
    share (DENSITY at least), by the width of this range.
    """
    median = float(np.median(tokens))
    below = ((tokens < median) + 0.5 * (tokens == median)).mean(axis=(2, 3))
    problems = below.mean(axis=1)
    error = problems.std(ddof=1) / np.sqrt(len(problems)) if len(problems) > 1 else 0.0
    reach = min(max(Z * error, DENSITY), 0.5)
    lower, upper = np.quantile(tokens, [0.5 - reach, 0.5 + reach])
    return median + (below.mean() - below) * (upper - lower) / (2 * reach)


def differences(
    first: dict[str, Measured], second: dict[str, Measured], quantity: str
) -> dict[str, tuple[float, float, float]]:
    """(first - second, low, high) of a quantity, by benchmark, `mean` among them; NaN where one of
    them has no value.

    One seed goes with every seed. Raises StepError if the methods' problems differ, or are fewer
    than two.
    """
    pairs = []
    for one, two in zip(first.values(), second.values(), strict=True):
        check_paired(one.problems, two.problems)
        off = one.values[quantity] - two.values[quantity]
        pairs.append(Pair(off, off.mean(axis=1), 1, (one.seeds, two.seeds)))
    resamples = bootstrap(pairs)
    found = {
        name: difference_of([pair], drawn)
        for name, pair, drawn in zip(first, pairs, resamples, strict=True)
    }
    return found | {"mean": difference_of(pairs, resamples.mean(axis=0))}


def difference_of(pairs: list[Pair], resamples: np.ndarray) -> tuple[float, float, float]:
    """The mean of some benchmarks' differences with its 95 % interval; NaN where one is."""
    mean = float(np.mean([pair.steps.mean() for pair in pairs]))
    if np.isnan(mean):
        return np.nan, np.nan, np.nan
    return mean, *interval_of(mean, resamples, errors_of(pairs))


def health(
    answers: pd.DataFrame,
    base: pd.DataFrame | None,
    benchmarks: list[str],
    scoring: dict[str, str],
) -> Iterator[dict[str, Any]]:
    """benchmark, quantity and NUMBERS of a method's answers, all seeds, shares in percent.

    Answers, and the base model's, as `read_answers` gives them; `scoring` is a study's. Differences
    are of the seeds that both have, NaN without a base model or with one problem of a benchmark.
    NaN, too, is what has no value. Raises StepError if the problems differ from the base model's,
    or if they have no seed in common.
    """

    def each(own: pd.DataFrame) -> dict[str, Measured]:
        parts = by_benchmark(own, benchmarks, scoring)
        return {name: measured(part) for name, part in parts.items()}

    found = each(answers)
    counts = {name: (len(own.problems), own.samples, own.seeds) for name, own in found.items()}
    problems, samples, seeds = zip(*counts.values(), strict=True)
    single = base is None or min(problems) < 2
    pair = None if single else [each(own) for own in in_common(answers, base)]
    counts["mean"] = (sum(problems), max(samples), max(seeds))
    for quantity in QUANTITIES:
        share = quantity in SHARES
        scale, most = (100, 1.0) if share else (1, np.inf)
        interval_over = interval if share else t_interval
        spreads = {
            name: spread_of(own.values[quantity], interval_over) for name, own in found.items()
        }
        spreads["mean"] = mean_spread(list(spreads.values()))
        off = differences(*pair, quantity) if pair else dict.fromkeys(spreads, (np.nan,) * 3)
        for name, spread in spreads.items():
            own = bounds(spread)
            numbers = (spread.mean, own.stderr, max(own.low, 0.0), min(own.high, most), *off[name])
            row = (*(scale * number for number in numbers), *counts[name])
            yield {"benchmark": name, "quantity": quantity} | dict(zip(NUMBERS, row, strict=True))
