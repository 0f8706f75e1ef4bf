"""Coverage of the 95 % intervals in simulation: cells and comparisons, by problems, training seeds
and what the seeds differ by.

    python -m bench.coverage

Problems' accuracies are uniform from 20 to 80 %, their differences from -10 to 10 points around 0;
seeds move all problems alike, by a normal effect of the standard deviation given, and each problem
by another of 5 points; every problem is answered 16 times. Covered: the share of draws in which the
interval has the truth; significant: in which a comparison of methods that are alike has p < 0.05.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np

from bench.common import parser, publish

SAMPLES = 16
INTERACTION = 0.05


def answered(rng: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    """Accuracies in SAMPLES answers."""
    return rng.binomial(SAMPLES, np.clip(chances, 0, 1)) / SAMPLES


def simulate(problems: int, seeds: int, effect: float, draws: int) -> dict[str, float]:
    """Percentages of so many draws."""
    from rectify.statistics.accuracy import cell_of
    from rectify.statistics.comparisons import bootstrap, difference_of, sign_flip
    from rectify.statistics.pairs import Pair

    rng = np.random.default_rng([problems, seeds, round(1000 * effect)])
    cells, covered, significant, scale = 0, 0, 0, SAMPLES * seeds
    for _ in range(draws):
        shared = rng.uniform(0.2, 0.8, (problems, 1)) + rng.normal(0, effect, seeds)
        own = rng.uniform(-0.1, 0.1, (problems, 1)) + rng.normal(0, effect, seeds)
        own = own + rng.normal(0, INTERACTION, (problems, seeds))
        second, first = answered(rng, shared), answered(rng, shared + own)
        cell = cell_of(second, SAMPLES)
        cells += cell.low <= 50 <= cell.high
        steps = np.rint((first - second).mean(axis=1) * scale).astype(int)
        pair = Pair(first - second, steps, scale, (seeds, seeds))
        found = difference_of([pair], bootstrap([pair])[0], sign_flip(steps))
        covered += found.low <= 0 <= found.high
        significant += found.p_value < 0.05
    counts = {"cells": cells, "comparisons": covered, "significant": significant}
    return {f"{name}_percent": float(100 * count / draws) for name, count in counts.items()}


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    draws, rows = 50 if arguments.quick else 2000, []
    for seeds, problems, effect in product((1, 3, 10), (20, 60, 272), (0.0, 0.02, 0.06)):
        if seeds > 1 or not effect:  # one seed cannot tell: what it says is of that model
            found = simulate(problems, seeds, effect, draws)
            rows.append(
                {"seeds": seeds, "problems": problems, "seed_sd_points": 100 * effect} | found
            )
            print(rows[-1], flush=True)
    publish("coverage", arguments, rows, draws=draws)


if __name__ == "__main__":
    main(parser("coverage", __doc__).parse_args())
