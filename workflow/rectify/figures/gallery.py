"""Each objective's weight by token probability, and what training with it does to probabilities.

Some weights depend on more than the token's own probability. They are shown at made cases, and the
axis says so: a sequence is TOKENS tokens of one probability, the reference gives each of them one
of REFERENCES, and a batch has one sequence, or one reward, for each point of the curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rectify.contract import load_objective, parameters_of, required, weigh
from rectify.figures.look import WIDTH, scale_by_decades, style
from rectify.io import read_parquet

if TYPE_CHECKING:
    from torch import Tensor

POINTS = 100  # of a curve: probabilities 0.01, 0.02, ..., 1
TOKENS = 10
REFERENCES = (0.1, 0.5, 0.9)
REWARDS = (0.0, 0.5, 1.0)
SHADES = (0.35, 0.65, 1.0)  # opacity of a panel's lines, one for each reference or reward


def cases(needed: set[str]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """What an objective is given, with the name of each case: [POINTS, TOKENS], float64.

    Row i is a sequence of tokens of probability (i + 1) / POINTS.
    """
    import torch  # here, for the other figures do without it

    p = torch.arange(1, POINTS + 1, dtype=torch.float64) / POINTS
    logp = p.log()[:, None].expand(POINTS, TOKENS)
    common = {
        "logp": logp,
        "mask": torch.ones_like(logp, dtype=torch.bool),
        "batch_reward": torch.linspace(0, 1, POINTS, dtype=torch.float64),
    }
    for reference in REFERENCES if "ref_logp" in needed else REFERENCES[:1]:
        for reward in REWARDS if "reward" in needed else REWARDS[:1]:
            ref_logp = torch.full_like(logp, math.log(reference))
            named = [f"$p_{{\\mathrm{{ref}}}}$ = {reference:g}"] * ("ref_logp" in needed)
            named += [f"reward {reward:g}"] * ("reward" in needed)
            own = {
                "ref_logp": ref_logp,
                "batch_log_ratio": (logp - ref_logp).sum(dim=1),
                "reward": torch.full_like(logp[:, :1], reward),
            }
            yield ", ".join(named), common | own


def weight_curves(objective: Callable) -> dict[str, list[float]]:
    """A loaded objective's weight at each probability, by case; one alone if all are the same."""
    curves = {
        name: weigh(objective, given)[:, 0].tolist() for name, given in cases(required(objective))
    }
    first, *others = curves.values()
    if all(math.isclose(a, b) for other in others for a, b in zip(first, other, strict=True)):
        return {"": first}
    return curves


def assumptions(objective: Callable) -> str:
    """What a loaded objective's curve assumes beside the token's probability, in words."""
    needed, kl_weight = required(objective), parameters_of(objective).get("kl_weight")
    said = {
        f"{TOKENS} equal tokens": needed & {"mask", "batch_log_ratio"},
        "batch: one sequence for each $p$": "batch_log_ratio" in needed,
        "batch: rewards evenly from 0 to 1": "batch_reward" in needed,
        f"KL, times {kl_weight}, comes in addition": kl_weight,
    }
    return "; ".join(text for text, holds in said.items() if holds)


def shares(files: list[str]) -> pd.Series:
    """Share of all tokens in percent, indexed by bin (low, high)."""
    counts = pd.concat([read_parquet(file, "low", "high", "count") for file in files])
    bins = counts.groupby(["low", "high"])["count"].sum()
    return 100 * bins / bins.sum()


def gallery_points(settings: dict[str, Any]) -> pd.DataFrame:
    """One row per point: method, quantity, case, low, high, value.

    `weight` has one probability as low and high; `change` is a bin's share of the tokens after
    training minus that before, in percentage points, over all seeds.
    """
    points, base = [], shares([settings["base"]])
    for entry in settings["objectives"]:
        method = entry["method"]
        curves = weight_curves(load_objective(entry["objective"], entry["parameters"]))
        for case, weights in curves.items():
            for index, weight in enumerate(weights, start=1):
                p = index / POINTS
                points.append((method, "weight", case, p, p, weight))
        for (low, high), change in (shares(entry["files"]) - base).items():
            points.append((method, "change", "", low, high, change))
    return pd.DataFrame(points, columns=["method", "quantity", "case", "low", "high", "value"])


def draw_weight(axis: Axes, points: pd.DataFrame, look: dict[str, Any], said: str) -> None:
    """An objective's weight, a line for each case."""
    curves = points.groupby("case", sort=False)
    for shade, (case, curve) in zip(SHADES[-len(curves) :] * 3, curves, strict=False):
        axis.plot(curve["low"], curve["value"], color=look["color"], alpha=shade, label=case)
    axis.set_xlim(0, 1)
    scale_by_decades(axis, points["value"])
    if axis.get_yscale() == "linear":
        axis.set_ylim(min(0, points["value"].min()), 1.1 * max(1, points["value"].max()))
    if len(curves) > 1:
        axis.legend(fontsize=6, handlelength=1)
    axis.set_title(look["label"], loc="left", fontweight="bold")
    axis.set_ylabel("weight")
    axis.set_xlabel("token probability $p$" + (f"\n({said})" if said else ""))


def draw_change(axis: Axes, points: pd.DataFrame, look: dict[str, Any]) -> None:
    """The change of each bin's share."""
    axis.bar(range(len(points)), points["value"], width=1, color=look["color"], edgecolor="w")
    axis.axhline(0, color="black", linewidth=0.6)
    edges = [*points["low"], points["high"].iloc[-1]]
    small = {1e-4: "$10^{-4}$", 1e-3: "$10^{-3}$"}
    labels = [small.get(edge, f"{edge:g}") for edge in edges]
    axis.set_xticks([at - 0.5 for at in range(len(edges))], labels, fontsize=6, rotation=90)
    axis.grid(visible=False, axis="x")
    axis.set_ylabel("change (points)")
    axis.set_xlabel("probability of the training token")


def draw_gallery(points: pd.DataFrame, settings: dict[str, Any]) -> Figure:
    """For each objective a panel of its weight and one of the change; of many, two to a line."""
    entries = settings["objectives"]
    pairs = 1 if len(entries) <= 4 else 2
    rows = -(-len(entries) // pairs)
    figure, axes = plt.subplots(
        rows, 2 * pairs, figsize=(WIDTH * (0.8 + 0.2 * pairs), 1.8 * rows), layout="constrained",
        squeeze=False,
    )  # fmt: skip
    panels = axes.reshape(-1, 2)
    for (left, right), entry in zip(panels, entries, strict=False):
        own = points[points["method"] == entry["method"]].groupby("quantity")
        look = style(settings, entry["method"])
        said = assumptions(load_objective(entry["objective"], entry["parameters"]))
        draw_weight(left, own.get_group("weight"), look, said)
        right.sharey(panels[0][1])
        draw_change(right, own.get_group("change"), look)
    for axis in panels[len(entries) :].flat:
        axis.axis("off")
    return figure
