"""Is every result of a study made with the settings, code and inputs that the study now gives?

    rectify verify config/mini.yaml
    rectify verify config/mini.yaml results/mini/tables/table1.csv

Holds the manifest beside each result (or beside those named, and all behind them) against the
study. One line on standard error, and exit status 1, for each that is missing or has been made with
other settings, code or inputs, has been changed since, or is made from one that is so. Cards and
the marker of the checks have no manifest, and are not looked at.
"""

from __future__ import annotations

import argparse
import sys

from rectify.reruns.needed import results_of
from rectify.reruns.stale import stale_results
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.study.load import load_study
from rectify.study.schema import Study


def main(arguments: argparse.Namespace) -> None:
    """Run the step; exits with status 1 if a result has to be made again."""
    results = results_of(arguments.study, arguments.results)
    stale = stale_results(results)
    lines = {result.outputs[0]: stale.get(result.outputs[0]) for result in results}
    for file, why in lines.items():
        if why:
            print(f"rectify verify: {file}: {why}", file=sys.stderr)
    if stale:
        print("rectify verify: run snakemake to have these made anew", file=sys.stderr)
        sys.exit(1)
    print(f"{len(lines)} results are what {arguments.study.study} says")


def study_argument(file: str) -> Study:
    """A study from its file."""
    try:
        return load_study(file)
    except StepError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("verify", __doc__)
    options.add_argument("study", type=study_argument, help="a study file")
    options.add_argument("results", nargs="*", help="results; all of the study if none is named")
    return options
