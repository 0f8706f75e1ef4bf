"""DFT or SFT? What a base model's probabilities of the training tokens say before any training.

DFT weighs a token's loss by its probability p, so what the base model all but rules out it hardly
learns. In two worlds it is known which tokens these are, and what came of it. In mini they are
words: the base model knows the mathematics and not the expert's wording, and DFT wins. In limits
they are numbers as well, facts and an operation that these rows alone tell, and SFT wins. So the
rule looks at the share of the number tokens with p < SILENT.

`python -m bench.precheck` measures it on both studies' base models and says MINI and LIMITS anew
from their kept results. The gap between the highest share of mini's and the lowest of limits' is
cut into three: in its lower third and below the rule says DFT, in its upper third and above SFT,
else either. That is no more than a line between two points: a mixture of both kinds of rows has a
share, and on a mixture of both kinds of problems a difference, somewhere between them.

The bench also trains SFT and DFT on worlds that the rule is not made from. One is arithmetic with
wrong steps: mistakes that the base model makes itself are improbable too, but mostly above SILENT.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

SILENT = 0.01  # a probability, and so DFT's weight, below which a token is all but silenced
DRAWS = 2000  # of the bootstrap
REMARKED = 0.1  # share of the EOS tokens from which on it is remarked upon
COLUMNS = {  # of each class of tokens, and how a table calls them
    "mean_p": "mean p",
    "silenced": f"share with p < {SILENT}",
    "loss": "share of SFT's loss",
    "removed": "share of their pull that DFT takes away",
}
DFT, SFT, EITHER = "use DFT", "use SFT", "either: try both"


@dataclass(frozen=True)
class Regime:
    """A study's lowest and highest share of silenced number tokens among its base models, and the
    lowest and highest difference DFT - SFT of its models, in points of the average.
    """

    study: str
    lowest: float
    highest: float
    differences: tuple[float, float]


MINI = Regime("mini", 0.00014, 0.00849, (45.65, 47.37))
LIMITS = Regime("limits", 0.19324, 0.19758, (-49.24, -49.24))


def thresholds(won: Regime = MINI, lost: Regime = LIMITS) -> tuple[float, float]:
    """The shares up to which the rule says DFT, and from which on SFT: thirds of the gap between a
    regime where DFT won and one where it lost.

    Raises ValueError unless it did, and there is a gap.
    """
    if min(won.differences) <= 0 or max(lost.differences) >= 0 or won.highest >= lost.lowest:
        raise ValueError(f"{won} and {lost} are not told apart by the share: there is no rule")
    third = (lost.lowest - won.highest) / 3
    return won.highest + third, lost.lowest - third


def slowdown(p: float) -> float:
    """How many times SFT's steps DFT takes to lift a token from p < 1/2 to 1/2 by itself.

    By gradient flow on the token's own logit, dp/dt = w p (1 - p)^2, with w = 1 and w = p:
    integrals of 1 / (p (1 - p)^2) and 1 / (p (1 - p))^2. 4 from 0.1, 19 from 0.01, 128 from 0.001.
    """
    odds, left = math.log(p / (1 - p)), 1 / (1 - p)
    return (1 / p - left - 2 * odds) / (2 - odds - left)


def share_of(silenced: np.ndarray, tokens: np.ndarray) -> tuple[float, float, float]:
    """The share of silenced tokens and its 95 % interval, from their counts in each row that has
    tokens: [N] each.

    Bootstrap over rows, whose tokens are not independent. Where no token is silenced, or all are,
    it has no width: of rows like these at most about 3 / N are otherwise, so the interval reaches
    at least that far from 0 and 1.
    """
    count = len(tokens)
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), DRAWS)
    low, high = np.quantile((drawn @ silenced) / (drawn @ tokens), (0.025, 0.975))
    reach = min(3 / count, 1.0)
    share = silenced.sum() / tokens.sum()
    return float(share), float(min(low, 1 - reach)), float(max(high, reach))


def recommendation(low: float, high: float) -> str:
    """DFT, SFT or EITHER by the interval of the share of silenced number tokens: one of the first
    two only if all of it is on that side.
    """
    below, above = thresholds()
    return DFT if high <= below else SFT if low >= above else EITHER


def percent(share: float) -> str:
    """A share as it is printed."""
    return f"{100 * share:.1f} %"


def verdict(numbers: dict[str, Any], classes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is to be said: `say` (DFT, SFT or EITHER), a `sentence`, its `reasons` and how uncertain
    it is, `uncertainty`, in sentences.

    numbers: tokens, and of the number tokens share, low, high (None if there are none); classes: by
    name, each with its share `silenced`.
    """
    share, low, high = (numbers[key] for key in ("share", "low", "high"))
    below, above = map(percent, thresholds())
    rule = f"up to {below} the rule says “{DFT}”, from {above} on “{SFT}”"
    if share is None:
        say, seen = EITHER, "the responses hold no number, and the rule looks at nothing else"
        interval = f"Of improbable number tokens {rule}."
    else:
        say = recommendation(low, high)
        seen = (
            f"{percent(share)} of {numbers['tokens']:,} number tokens have a probability below "
            f"{SILENT}"
        )
        interval = (
            f"95 % interval of that share, by rows: {percent(low)} to {percent(high)}; {rule}, and "
            f"between, or where the interval reaches over a threshold, “{EITHER}”."
        )
    made = (
        f"The rule is made from two synthetic worlds and models of 0.4 million parameters: "
        f"{described(MINI)}; {described(LIMITS)}. It takes an improbable number for something to "
        "be learnt; in wrong rows it is something not to be. A short run of both methods says more."
    )
    return {
        "say": say,
        "sentence": f"{say[0].upper()}{say[1:]}: {seen}.",
        "reasons": reasons(say, share, classes),
        "uncertainty": [interval, made],
    }


def described(regime: Regime) -> str:
    """A regime in words."""
    low, high = sorted(map(abs, regime.differences))
    points = f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"
    where = "above" if regime.differences[0] > 0 else "below"
    return (
        f"{regime.study} ({percent(regime.lowest)} to {percent(regime.highest)}), where DFT ended "
        f"{points} points {where} SFT"
    )


def reasons(say: str, share: float | None, classes: dict[str, dict[str, Any]]) -> list[str]:
    """Why, in sentences."""
    times = f"{slowdown(SILENT):.0f}"
    words = classes.get("word", {}).get("silenced")
    found = []
    if say == SFT:
        found.append(
            f"The base model all but rules out {percent(share)} of the numbers: these rows tell "
            f"what it does not know. DFT, whose weight is p, takes {times} times SFT's steps, or "
            "more, to lift such a token by itself: it will hardly learn them."
        )
    elif say == DFT:
        found.append(
            "The base model holds nearly all of the numbers for possible: it knows what the rows "
            "say, if not how they say it. DFT strengthens that."
        )
    else:
        found.append(
            "The rows are between the two regimes, or too few to tell: DFT may leave aside what is "
            "to be learnt, SFT may give up what the base model knows."
        )
    if words is not None and say != SFT:
        found.append(
            f"Of the word tokens, {percent(words)} are below {SILENT}: this wording DFT leaves to "
            "the rows, and keeps the base model's own."
        )
    stop = classes.get("EOS", {}).get("silenced", 0)
    if stop >= REMARKED:
        found.append(
            f"Under DFT, watch the share of unfinished answers: {percent(stop)} of the EOS tokens "
            f"are below {SILENT}, so it will hardly learn to stop there."
        )
    return found
