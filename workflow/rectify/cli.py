"""The command line of a step: `python -m rectify.<step> --help`, and errors in one line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from rectify.io import StepError


def run_step(main: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser) -> None:
    """Parse the command line and run a step; bad input ends it with one line and status 2."""
    arguments = parser.parse_args()
    try:
        main(arguments)
        sys.stdout.flush()
    except StepError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def step_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """An argument parser for `python -m rectify.<name>` that shows the module's docstring."""
    return argparse.ArgumentParser(
        prog=f"rectify.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def json_or_file(text: str) -> dict:
    """A JSON object given on the command line or as the name of a file."""
    try:
        return json.loads(text if text.lstrip().startswith("{") else Path(text).read_text())
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"neither JSON nor a file of it: {error}") from error
