"""A table as LaTeX, laid out as in the paper."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from rectify.report.tables.markdown import DIGITS, layout, notes


def escaped(text: str) -> str:
    """Plain text for LaTeX."""
    return re.sub(r"[&%$#_{}]", r"\\\g<0>", text.replace("\\", r"\textbackslash "))


def latex(cells: pd.DataFrame, settings: dict[str, Any]) -> str:
    """A booktabs table; the best method of each model and benchmark in bold."""
    groups = cells.groupby(["model", "benchmark"])["accuracy"]
    best = (cells["accuracy"] == groups.transform("max")) & (groups.transform("nunique") > 1)
    marked = cells.assign(best=best)

    def text(cell: Any) -> str:
        value = f"{cell.accuracy:.{DIGITS}f}"
        return f"\\textbf{{{value}}}" if cell.best else value

    frame = layout(marked, settings, text).rename(columns=escaped)
    frame["Model"] = frame["Model"].where(~frame["Model"].duplicated(), "").map(escaped)
    frame["Method"] = frame["Method"].map(escaped)
    words = 2 + ("Setting" in frame)
    return (
        frame.style.hide(axis="index").to_latex(
            hrules=True,
            column_format="l" * words + "r" * (frame.shape[1] - words),
            caption=escaped(settings["caption"]),
            label=f"tab:{settings['name']}",
            position_float="centering",
        )
        + f"% {notes(cells)}\n"
    )
