"""Each objective's weight by token probability, and what training with it does to probabilities.

Some weights depend on more than the token's own probability. They are shown at made cases, and the
axis says so: a sequence is TOKENS tokens of one probability, the reference (or another model that
is asked) gives each of them one of REFERENCES, the rest of a distribution is spread evenly over a
VOCABULARY's other tokens, and a batch has one sequence, or one reward, for each point of the curve.
A weight that is the same for all tokens of a row, whatever their probability, is shown by reward.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rectify.objectives.inputs import DISTRIBUTION, REFERENCE
from rectify.objectives.signature import load_objective, parameters_of, required, weigh
from rectify.paper.figure import WeightsBlock
from rectify.step.blocks import Positive, Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 5
CAPTION = (
    "For each objective, its weight by the token's probability, and the change that training with "
    "it makes to the share of training tokens in each bin of probability."
)
COLUMNS = ["method", "quantity", "case", "low", "high", "value"]
KEYS = ["method", "quantity", "case", "low"]
POINTS = 100  # of a curve: probabilities 0.01, 0.02, ..., 1
TOKENS = 10
REFERENCES = (0.1, 0.5, 0.9)
REWARDS = (0.0, 0.5, 1.0)
TIMES = (0.0, 0.5, 1.0)
VOCABULARY = 100
OF_REWARDS = {"reward", "batch_reward", "train_reward"}
WHOLE = {prefix + name for name in DISTRIBUTION for prefix in ("", "ref_")}
# the other models whose probability of the token a weight may take, and by what it does
OTHERS = {
    "$p_{\\mathrm{ref}}$": set(REFERENCE) | {"batch_log_ratio"},
    "$p_{\\mathrm{old}}$": {"old_logp"},
    "$p_{\\mathrm{writer}}$": {"behaviour_logp"},
}
LARGE = 20  # a curve that exceeds it has a log axis


class Gallery(WeightsBlock):
    """Each objective's weight by token probability, and the change of the probabilities."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods shown, which have an `objective`"""
    rows: Positive | None = None
    """training rows measured, the first ones; Figure 2's if it is made, else all if not given"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""
    weigh_rows: list[str] = []
    """those of the methods of which the page says what they hardly learn from: the training rows of
    lowest and of highest weight, and classes of tokens, after training with the first seed"""

    def check(self, study: Study, key: str) -> None:
        """Raise ValueError, naming the key, also for rows weighed of a method that is not shown."""
        if lost := [name for name in self.weigh_rows if name not in self.methods]:
            raise ValueError(f"{key}.weigh_rows: '{lost[0]}' is not in {key}.methods; add it there")
        super().check(study, key)


BLOCK = Gallery


def layout(figure: Gallery, study: Study, results: Results) -> dict[str, Any]:
    """For each method, its objective and the histograms of its runs; and the base models'."""
    objectives = []
    for method in figure.methods:
        runs = results.runs(figure.model, method, figure.seeds)
        objectives.append(
            {
                "method": method,
                "objective": study.methods[method].objective,
                "parameters": study.methods[method].parameters,
                "files": results.histograms(figure.model, runs),
            }
        )
    bases = results.runs(figure.model, "base", figure.seeds)
    return {"base": results.histograms(figure.model, bases), "objectives": objectives}


def by_reward(objective: Callable) -> bool:
    """Whether a loaded objective's weight is a function of rewards alone."""
    needed = required(objective)
    return bool(needed) and needed <= OF_REWARDS


def spread(p: Tensor) -> Tensor:
    """Log-probabilities of VOCABULARY tokens: the first's p, the others share the rest evenly."""
    import torch

    rest = ((1 - p) / (VOCABULARY - 1))[:, None].expand(len(p), VOCABULARY - 1)
    return torch.cat([p[:, None], rest], dim=1).log()


def scalars(objective: Callable, p: Tensor, prefix: str = "") -> dict[str, Tensor]:
    """The scalars of `spread` that a loaded objective names with a prefix: [POINTS, 1] each."""
    from rectify.objectives.distribution import distribution_scalars

    needed = required(objective)
    names = [name for name in DISTRIBUTION if prefix + name in needed]
    found = distribution_scalars(spread(p), p.log(), names, parameters_of(objective).get("k"))
    return {prefix + name: values[:, None] for name, values in found.items()}


def cases(objective: Callable) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """What a loaded objective is given, with the name of each case: [POINTS, TOKENS], float64.

    Row i is a sequence of tokens of probability (i + 1) / POINTS, which is also its reward if the
    weight is shown by reward.
    """
    import torch

    needed = required(objective)
    grid = torch.arange(1, POINTS + 1, dtype=torch.float64) / POINTS
    logp = grid.log()[:, None].expand(POINTS, TOKENS)
    others = [name for name, of in OTHERS.items() if needed & of]
    of_reference = [REFERENCES if others else (None,)]
    rewards = REWARDS if "reward" in needed and not by_reward(objective) else (None,)
    times = TIMES if "progress" in needed else (None,)
    for other, reward, time in product(*of_reference, rewards, times):
        named = {**dict.fromkeys(others, other), "reward": reward, "progress": time}
        of_other = torch.full_like(grid, other or 1)
        other_logp = of_other.log()[:, None].expand(POINTS, TOKENS)
        yield (
            ", ".join(f"{name} = {value:g}" for name, value in named.items() if value is not None),
            {
                "logp": logp,
                "mask": torch.ones_like(logp, dtype=torch.bool),
                "ref_logp": other_logp,
                "old_logp": other_logp,
                "behaviour_logp": other_logp,
                **scalars(objective, grid),
                **scalars(objective, of_other, "ref_"),
                "batch_log_ratio": (logp - other_logp).sum(dim=1),
                "batch_logp": logp,
                "batch_ref_logp": other_logp,
                "batch_old_logp": other_logp,
                "reward": (grid if reward is None else torch.full_like(grid, reward))[:, None],
                "batch_reward": grid,
                "train_reward": grid,
                "uniform": torch.arange(TOKENS).expand(POINTS, TOKENS) / TOKENS,
                "step": torch.zeros(()),
                "progress": torch.tensor(time or 0.0),
            },
        )


def weight_curves(objective: Callable) -> dict[str, list[float]]:
    """A loaded objective's POINTS weights by case; one curve alone if all are the same."""
    curves = {name: weigh(objective, given).mean(1).tolist() for name, given in cases(objective)}
    first, *others = curves.values()
    if all(math.isclose(a, b) for other in others for a, b in zip(first, other, strict=True)):
        return {"": first}
    return curves


def assumptions(objective: Callable) -> str:
    """What a loaded objective's curve assumes beside the token's probability, in words."""
    needed, kl_weight = required(objective), parameters_of(objective).get("kl_weight")
    said = {
        f"a sequence of {TOKENS} such tokens": needed & {"mask", "batch_log_ratio"},
        "one such sequence for each $p$ in the batch": needed & {"batch_log_ratio", "batch_logp"},
        f"the rest spread evenly over {VOCABULARY - 1} tokens": needed & WHOLE,
        "rewards evenly from 0 to 1 in the batch": needed & {"batch_reward", "train_reward"},
        "a mean over the tokens": needed & {"uniform", "behaviour_logp"},
        "the same for every token probability": by_reward(objective),
        f"plus {kl_weight} KL to the base, not shown": kl_weight,
    }
    return "\n".join(text for text, holds in said.items() if holds)


def shares(files: list[str]) -> pd.Series:
    """Share of all tokens in percent, indexed by bin (low, high)."""
    import pandas as pd

    from rectify.step.tables import read_parquet

    counts = pd.concat([read_parquet(file, "low", "high", "count") for file in files])
    bins = counts.groupby(["low", "high"])["count"].sum()
    return 100 * bins / bins.sum()


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """Points of the curves of weights, and the change of each bin.

    `weight` has one probability as low and high, `weight_by_reward` one reward; `change` is a bin's
    share of the tokens after training minus that before, in percentage points, over all seeds.
    """
    import pandas as pd

    found, base = [], shares(layout["base"])
    for entry in layout["objectives"]:
        method = entry["method"]
        objective = load_objective(entry["objective"], entry["parameters"])
        quantity = "weight_by_reward" if by_reward(objective) else "weight"
        for case, weights in weight_curves(objective).items():
            for index, weight in enumerate(weights, start=1):
                at = index / POINTS
                found.append((method, quantity, case, at, at, weight))
        for (low, high), change in (shares(entry["files"]) - base).items():
            found.append((method, "change", "", low, high, change))
    return pd.DataFrame(found, columns=COLUMNS)


def draw_weight(
    axis: Axes, points: pd.DataFrame, look: dict[str, Any], objective: Callable
) -> None:
    """A loaded objective's weight, a line for each case."""
    from rectify.paper.style import LINES, scale_by_decades

    curves = points.groupby("case", sort=False)
    for index, (case, curve) in enumerate(curves):
        line = LINES[index % len(LINES)]
        axis.plot(curve["low"], curve["value"], color=look["color"], linestyle=line, label=case)
    axis.set_xlim(0, 1)
    low, high = min(0, points["value"].min()), max(1, points["value"].max())
    if high > LARGE:
        scale_by_decades(axis, points["value"])
    else:
        axis.set_ylim(1.1 * low, (1.35 if len(curves) > 1 else 1.1) * high)  # room for the legend
    if len(curves) > 1:
        axis.legend(loc="upper center", ncols=3, fontsize=6, handlelength=2, columnspacing=1)
    axis.set_title(look["label"], loc="left", fontweight="bold")
    axis.set_ylabel("weight")
    axis.set_xlabel("reward" if by_reward(objective) else "token probability $p$")
    axis.text(
        0.5, -0.42, assumptions(objective), transform=axis.transAxes, ha="center", va="top",
        fontsize=6, color="0.4",
    )  # fmt: skip


def draw_change(axis: Axes, points: pd.DataFrame, look: dict[str, Any]) -> None:
    """The change of each bin's share."""
    axis.bar(range(len(points)), points["value"], width=0.9, color=look["color"])
    axis.axhline(0, color="black", linewidth=0.6)
    edges = [*points["low"], points["high"].iloc[-1]]
    small = {1e-4: "$10^{-4}$", 1e-3: "$10^{-3}$"}
    labels = [small.get(edge, f"{edge:g}") for edge in edges]
    axis.set_xticks([at - 0.5 for at in range(len(edges))], labels, fontsize=6, rotation=90)
    axis.locator_params(axis="y", nbins=6)
    axis.grid(visible=False, axis="x")
    axis.set_ylabel("change (% points)")
    axis.set_xlabel("training token's probability")


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """For each objective a panel of its weight and one of the change; of many, two to a line."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import WIDTH, style

    entries = layout["objectives"]
    pairs = 1 if len(entries) <= 4 else 2
    rows = -(-len(entries) // pairs)
    figure, axes = plt.subplots(
        rows, 2 * pairs, figsize=(WIDTH * (1 + pairs) / 2, 1.9 * rows), layout="constrained",
        squeeze=False,
    )  # fmt: skip
    panels = axes.reshape(-1, 2)
    for (left, right), entry in zip(panels, entries, strict=False):
        own = points[points["method"] == entry["method"]]
        changes = own["quantity"] == "change"
        look = style(layout, entry["method"])
        objective = load_objective(entry["objective"], entry["parameters"])
        draw_weight(left, own[~changes], look, objective)
        right.sharey(panels[0, 1])
        draw_change(right, own[changes], look)
    for axis in panels[len(entries) :].flat:
        axis.axis("off")
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The histograms of a change; a weight is the objective's own, read from no file."""
    own = [entry["files"] for entry in layout["objectives"] if entry["method"] == row["method"]]
    if row["quantity"] != "change":
        return []
    return [*layout["base"], *(file for files in own for file in files)]
