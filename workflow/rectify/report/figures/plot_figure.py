"""Draw a figure: PDF and PNG, with its points as CSV.

    rectify plot_figure FIGURE --settings SETTINGS --out figure1

FIGURE is figure1 (accuracy over training), figure2 (token probabilities on the training set),
figure3 (learning rates and batch sizes), monitors (the weights over training), gallery (weights by
token probability, and what they do to the probabilities) or findings (in how many pretrainings the
paper's findings come out). SETTINGS is a file of JSON, as
the rule `plot_figure` gives it: which files hold the points. Writes figure1.pdf, figure1.png,
figure1.csv.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from rectify.report.figures.figure1 import draw_figure1, figure1_points
from rectify.report.figures.figure2 import draw_figure2, figure2_points
from rectify.report.figures.figure3 import draw_figure3, figure3_points
from rectify.report.figures.findings import draw_findings, findings_points
from rectify.report.figures.gallery import draw_gallery, gallery_points
from rectify.report.figures.monitors import draw_monitors, monitor_points
from rectify.step.command import settings_file, step_parser
from rectify.step.files import replacing, write_text

# by name: (points of a layout, figure of the points and the layout); see rectify.jobs.layouts
FIGURES = {
    "figure1": (figure1_points, draw_figure1),
    "figure2": (figure2_points, draw_figure2),
    "figure3": (figure3_points, draw_figure3),
    "monitors": (monitor_points, draw_monitors),
    "gallery": (gallery_points, draw_gallery),
    "findings": (findings_points, draw_findings),
}


def save(figure: Figure, path: str) -> None:
    """Write a figure; without the time of writing, so that the same points give the same bytes."""
    kind = Path(path).suffix.removeprefix(".")
    metadata = {"CreationDate": None} if kind == "pdf" else None
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind, metadata=metadata)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    compute, draw = FIGURES[arguments.figure]
    points = compute(arguments.settings)
    write_text(f"{arguments.out}.csv", points.to_csv(index=False, float_format="%.8g"))
    figure = draw(points, arguments.settings)
    for ending in ("pdf", "png"):
        save(figure, f"{arguments.out}.{ending}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("plot_figure", __doc__)
    options.add_argument("figure", choices=list(FIGURES), help="which figure")
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options
