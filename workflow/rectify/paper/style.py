"""What all figures look like: sizes, and each method's colour, marker and line."""

from __future__ import annotations

from typing import Any

import matplotlib

matplotlib.use("Agg")


import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by the colour-blind, and three darker ones; each method keeps
# its own everywhere, and where there are more methods than colours another line
COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255",
    "#F0E442", "#5D3A9B",
)  # fmt: skip
BASE_COLOUR = "#767676"
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", ":")
DECADES = 12
WIDTH = 6.75  # inches: the text width of a two-column paper

plt.rcParams.update(
    {
        "font.size": 8,
        "axes.titlesize": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.linewidth": 0.4,
        "grid.alpha": 0.4,
        "lines.linewidth": 1.2,
        "lines.markersize": 3.5,
        "legend.frameon": False,
        "pdf.fonttype": 42,  # text stays text
        "svg.hashsalt": "rectify",
        "figure.dpi": 200,
    }
)


def style(settings: dict[str, Any], method: str) -> dict[str, Any]:
    """Colour, marker, line and label of a method; `methods` lists all of a study's, in order."""
    if method == "base":
        return {"color": BASE_COLOUR, "marker": "x", "label": "Base"}
    index = list(settings["methods"]).index(method)
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": LINES[index // len(COLOURS) % len(LINES)],
        "label": settings["methods"][method],
    }


def scale_by_decades(axis: Axes, values: pd.Series) -> None:
    """A log axis where positive values span more than a decade and none is negative; else from 0.

    A log axis shows DECADES at most: weights that underflow would hide all others.
    """
    positive = values[values > 0]
    if (values < 0).any() or positive.empty or positive.max() <= 10 * positive.min():
        axis.set_ylim(min(0, 1.1 * values.min()), max(1.1 * values.max(), 1e-3))
        return
    axis.set_yscale("log")
    most = 3 * positive.max()
    axis.set_ylim(max(positive.min() / 3, most / 10**DECADES), most)


ACCURACY = "average@{n} (%)"
