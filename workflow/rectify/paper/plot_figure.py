"""Draw a figure: PDF and PNG, with its points as CSV.

    rectify plot_figure FIGURE --settings SETTINGS --out figure1

SETTINGS is a file of JSON, as the rule `plot_figure` gives it: which files hold the points. Writes
figure1.pdf, figure1.png, figure1.csv. FIGURE is one of
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rectify.paper.figure import figures, listed, shows
from rectify.step.command import settings_file, step_parser
from rectify.step.files import replacing, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, path: str) -> None:
    """Write a figure; without the time of writing, so that the same points give the same bytes."""
    kind = Path(path).suffix.removeprefix(".")
    metadata = {"CreationDate": None} if kind == "pdf" else None
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind, metadata=metadata)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    module = figures()[arguments.figure]
    points = module.points(arguments.settings)
    write_text(f"{arguments.out}.csv", points.to_csv(index=False, float_format="%.8g"))
    figure = module.draw(points, arguments.settings)
    for ending in ("pdf", "png"):
        save(figure, f"{arguments.out}.{ending}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("plot_figure", f"{__doc__}\n{listed(shows)}")
    options.add_argument("figure", choices=list(figures()), help="which figure")
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options
