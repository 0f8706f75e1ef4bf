"""Accuracy gained by training against how far it has gone from the base model (KL)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from rectify.paper.figure import FigureBlock
from rectify.step.blocks import Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 9
CAPTION = (
    "Points of average@n gained over the base model, a mean over the benchmarks, against KL(base "
    "|| trained) per token of a text that the base model knows (`retention.rows`): a point for "
    "each method and training seed. Bars are 95 % intervals over problems and over the text's "
    "rows. Up and to the left is better: more learned, less moved."
)
COLUMNS = [
    "method", "seed", "value", "stderr", "low", "high", "kl", "kl_stderr", "kl_low", "kl_high",
]  # fmt: skip
KEYS = ["method", "seed"]


class Retention(FigureBlock):
    """Accuracy gained against KL to the base model, a point for each method and seed."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared"""
    seeds: Seeds | None = None
    """training seeds; all of a method's if not given"""

    def check(self, study: Study, key: str) -> None:
        """Raise ValueError, naming the key, also without a text, and for what is not trained."""
        if not study.retention.rows:
            raise ValueError(
                f"{key}: needs a text that the base model knows; name one in retention.rows"
            )
        for method in self.methods:
            if method == "base" or study.methods[method].checkpoint:
                raise ValueError(f"{key}.methods: '{method}' is not trained here; leave it out")
        super().check(study, key)


BLOCK = Retention


def layout(figure: Retention, study: Study, results: Results) -> dict[str, Any]:
    """For each method and seed its scores, its base model's, and how far it is from that."""
    dots = []
    for method in figure.methods:
        for run in results.runs(figure.model, method, figure.seeds):
            seed = int(run.rpartition("seed")[2])
            base = results.runs(figure.model, "base", [seed])
            dots.append(
                {
                    "method": method,
                    "seed": seed,
                    "scores": results.scores(figure.model, [run]),
                    "base": results.scores(figure.model, base),
                    "divergence": results.divergences(figure.model, [run]),
                }
            )
    return {"dots": dots}


def points(layout: dict[str, Any]) -> pd.DataFrame:
    """A row for each method and seed; the gain in percentage points, the KL in nats per token."""
    import pandas as pd

    from rectify.statistics.accuracy import read_scores
    from rectify.statistics.comparisons import compare
    from rectify.statistics.retention import divergence
    from rectify.statistics.spread import Z

    names, scoring = list(layout["benchmarks"]), layout["scoring"]
    found = []
    for dot in layout["dots"]:
        gain = compare(read_scores(dot["scores"]), read_scores(dot["base"]), names, scoring)["mean"]
        far = divergence(dot["divergence"])
        found.append(
            {
                "method": dot["method"],
                "seed": dot["seed"],
                "value": gain.difference,
                "stderr": (gain.high - gain.low) / (2 * Z),
                "low": gain.low,
                "high": gain.high,
                "kl": far["value"],
                **{f"kl_{key}": far[key] for key in ("stderr", "low", "high")},
            }
        )
    return pd.DataFrame(found).reindex(columns=COLUMNS)


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    """A dot with bars for each method and seed, a look for each method."""
    import matplotlib.pyplot as plt

    from rectify.paper.style import WIDTH, style

    figure, axis = plt.subplots(figsize=(0.7 * WIDTH, 2.8), layout="constrained")
    for method, own in points.groupby("method", sort=False):
        axis.errorbar(
            own["kl"],
            own["value"],
            xerr=[(own["kl"] - own["kl_low"]).clip(lower=0), own["kl_high"] - own["kl"]],
            yerr=[own["value"] - own["low"], own["high"] - own["value"]],
            elinewidth=0.7,
            **{**style(layout, method), "linestyle": "none"},
        )
    axis.axhline(0, color="0.4", linewidth=0.8, linestyle=":")
    axis.set_xlabel("KL(base || trained), nats per token")
    axis.set_ylabel("gained over base (points)")
    axis.legend()
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    """The run's scores and KL, and the base model's scores."""
    own = next(
        dot
        for dot in layout["dots"]
        if dot["method"] == row["method"] and str(dot["seed"]) == str(row["seed"])
    )
    return [*own["scores"], *own["base"], *own["divergence"]]
