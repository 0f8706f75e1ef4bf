"""Put all that a study found on one self-contained page, which works from a file.

    rectify render_report config/mini.yaml       # results/mini/report.html of what is there
    rectify render_report --settings SETTINGS --benchmarks benchmarks --out report.html

SETTINGS is a file of JSON: the study's layout (rectify.jobs.layouts.report_layout), which
names the files shown. What is missing is said on the page, and the rest of it is made; so that a
study some of whose steps failed has its page by the first command.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import jinja2

from rectify.jobs import layouts, paths
from rectify.report.page import records, sections
from rectify.report.page.health import health
from rectify.report.page.precheck import precheck
from rectify.report.page.retention import retention
from rectify.report.page.samples import browser
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_text
from rectify.study.load import load_study

FOLDER = Path(__file__).parent / "templates"
LAYOUT = (
    "study", "scoring", "claims", "tables", "figures", "captions", "row_weights", "statistics",
    "learning_rates", "health", "retention", "precheck", "disagreements", "contamination",
    "problems", "rows",
)  # fmt: skip
Part = TypeVar("Part")


def parts(layout: dict[str, Any], benchmarks: Path) -> dict[str, Any]:
    """What each section shows, None where a file is missing; `missing` has a line for each."""
    missing: list[str] = []

    def attempt(what: str, read: Callable[..., Part], *arguments: Any) -> Part | None:
        try:
            return read(*arguments)
        except StepError as error:
            missing.append(f"{what}: {error}")
            return None

    tables = [attempt(f"Table {t['name']}", sections.table, t) for t in layout["tables"]]
    shown: dict[str, Any] = {"tables": [table for table in tables if table]}
    if layout["claims"]:
        shown["verdicts"] = attempt(
            "Verdicts", sections.verdicts, layout["claims"], layout["study"]
        )
    if layout["learning_rates"]:
        rates = attempt("Learning rates", records.learning_rates, layout)
        shown["learning_rates"] = rates
    before = [attempt(f"Precheck of {e['model']}", precheck, e) for e in layout["precheck"]]
    if layout["precheck"]:
        shown["prechecks"] = [found for found in before if found]
    if layout["retention"]:
        shown["retention"] = attempt("Retention", retention, layout)
    if layout["tables"]:
        shown["comparisons"] = attempt("Comparisons", sections.comparisons, layout)
        shown["variance"] = attempt("Variance", sections.variance, layout)
        shown["health"] = attempt("Health", health, layout)
        shown["grading"] = attempt("Grading", records.grading, layout)
        disagreements = attempt("Disagreements", records.as_rows, layout["disagreements"])
        shown["disagreements"] = disagreements
        shown["contamination"] = attempt("Contamination", records.contamination, layout)
        shown["browser"] = attempt("Samples", browser, layout, missing)
    figures = [
        attempt(f"Figure {name}", sections.figure, name, file)
        for name, file in layout["figures"].items()
    ]
    shown["figures"] = [figure for figure in figures if figure]
    weighed = [
        attempt(f"Rows by their weight, {entry['method']}", sections.row_weights, entry)
        for entry in layout["row_weights"]
    ]
    shown["row_weights"] = [entry for entry in weighed if entry]
    shown["costs"] = attempt("Costs", records.costs, benchmarks, layout["study"])
    shown["step_times"] = attempt("Step times", records.step_times, layout["study"])
    return {**shown, "missing": missing}


def embedded(value: Any) -> str:
    """JSON that may stand in a script element: nothing in it can end the element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def p_text(value: float | None) -> str:
    """A p value in words short enough for a table."""
    if value is None:
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}" if value < 0.01 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def render(layout: dict[str, Any], shown: dict[str, Any]) -> str:
    """The page."""
    tables = {table["name"]: table["caption"] for table in layout["tables"]}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"p": p_text, "duration": duration, "embedded": embedded}
    return environment.get_template("page.html").render(
        study=layout["study"],
        grader=layout["scoring"]["grader"],
        captions=layout["captions"] | tables,
        titles=sections.titles(layout),
        **shown,
    )


class StudyFile(argparse.Action):
    """Takes a study file for its layout and for where its page is."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: Any
    ) -> None:
        """Set --settings, and --out if it was not said."""
        try:
            study = load_study(values)
        except StepError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        namespace.settings = layouts.report_layout(study)
        namespace.out = namespace.out or paths.report(study)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    if arguments.settings is None or not arguments.out:
        raise StepError("name a study file, or --settings and --out")
    settings = Settings(**arguments.settings)
    layout = {key: getattr(settings, key) for key in LAYOUT}
    shown = parts(layout, Path(arguments.benchmarks))
    write_text(arguments.out, render(layout, shown))
    for line in shown["missing"]:
        print(f"missing: {line}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("render_report", __doc__)
    options.add_argument(
        "study", nargs="?", action=StudyFile, default=argparse.SUPPRESS, help="a study file"
    )
    options.add_argument("--settings", type=settings_file, help="or a file of its layout, JSON")
    options.add_argument(
        "--benchmarks", default="benchmarks", help="folder of Snakemake's benchmarks"
    )
    options.add_argument("--out", help="HTML file to write (results/STUDY/report.html)")
    return options
