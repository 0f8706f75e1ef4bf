"""What a method has kept of what its base model could do.

Accuracy on benchmarks that training should not hurt, with the difference to the base model, paired
by problem and by training seed, and a verdict on it (`verdict_on`): a test of non-inferiority by
its 95 % interval. And KL(base || trained) per token of a text, the ratio of two sums over the
text's rows: what it is uncertain by is clustered by row (linearised, Taylor), and what the training
seeds differ by beyond chance comes on top, as of an accuracy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from rectify.statistics.accuracy import arranged, cells_by_benchmark, seed_and_repeat
from rectify.statistics.comparisons import compare
from rectify.statistics.health import ratio_values
from rectify.statistics.spread import bounds, spread_of, t_interval
from rectify.step.errors import StepError
from rectify.step.tables import read_parquet

KEPT, LOST, INCONCLUSIVE = "kept", "lost", "inconclusive"
ACCURACY, KL = "accuracy", "kl"  # quantities
TEXT = "text"  # what the KL is measured on, in place of a benchmark
MEANING = (
    "Kept: the interval of the difference to the base model is above minus {margin:g} points; "
    "lost: it is below; inconclusive: neither. KL: of the base model's distribution of the next "
    "token from the trained one's, KL(base || trained), nats per token of a text"
)


def verdict_on(low: float, high: float, margin: float) -> str:
    """What the interval of a difference to the base model says, all in percentage points."""
    if low > -margin:
        return KEPT
    return LOST if high < -margin else INCONCLUSIVE


def accuracies(
    scores: pd.DataFrame,
    base: pd.DataFrame | None,
    benchmarks: list[str],
    scoring: dict[str, str],
    margin: float,
) -> Iterator[dict[str, Any]]:
    """A line for each benchmark and `mean` of a method's scores (all seeds), in percent; `base` are
    the base model's, None of that itself, for which there is no difference and no verdict.

    Raises StepError as `compare` of rectify.statistics.comparisons does.
    """
    differences = {} if base is None else compare(scores, base, benchmarks, scoring)
    for name, cell in cells_by_benchmark(scores, benchmarks, scoring).items():
        line = {"benchmark": name, "quantity": ACCURACY, "value": cell.accuracy}
        line |= {key: getattr(cell, key) for key in ("stderr", "low", "high")}
        if own := differences.get(name):
            line |= {
                "difference": own.difference,
                "difference_low": own.low,
                "difference_high": own.high,
                "verdict": verdict_on(own.low, own.high, margin),
            }
        yield line | {"n_problems": cell.n_problems, "n_seeds": cell.n_seeds}


def divergence(files: list[str]) -> dict[str, Any]:
    """The line of a method's KL, from the files of rectify measure_divergence, one for each model.

    Raises StepError naming the file, or the column, that is missing, and for models that were
    measured on different rows.
    """
    tables = []
    for file in files:
        seed, repeat = seed_and_repeat(file)
        own = read_parquet(file, "row", "tokens", KL).rename(columns={"row": "problem_id"})
        tables.append(own.assign(seed=seed, repeat=repeat, sample=0))
    try:
        rows, (sums, tokens) = arranged(pd.concat(tables, ignore_index=True), KL, "tokens")
    except StepError as error:
        raise StepError(f"{files[0]}: other rows than the other models': {error}") from error
    spread = spread_of(ratio_values(sums, tokens), t_interval)
    own = bounds(spread)
    return {
        "benchmark": TEXT, "quantity": KL, "value": spread.mean, "stderr": own.stderr,
        "low": max(own.low, 0.0), "high": own.high, "n_problems": len(rows),
        "n_seeds": len(spread.seeds),
    }  # fmt: skip
