"""A study: everything that is run and shown, described by one YAML file under config/.

    python -m rectify.study config/mini.yaml              # check it, print it resolved
    python -m rectify.study config/mini.yaml --settings train qwen2-mini dft-seed0
    python -m rectify.study --schema                      # the JSON schema for editors
    python -m rectify.study --schema claims               # that of a study's file of claims
    python -m rectify.study --keys                        # every key, as Markdown

`--settings STEP NAME...` prints what the DAG gives a step.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import yaml

from rectify.claims_file import Claim
from rectify.cli import run_step, step_parser
from rectify.io import StepError
from rectify.settings import SETTINGS
from rectify.study import BLOCKS, Study, load_study
from rectify.study.docs import claims_schema, json_schema, keys_markdown

SCHEMAS = {"study": lambda: json_schema(Study), "claims": lambda: claims_schema(Claim)}


def settings_of(study: Study, step: str, names: list[str]) -> dict[str, Any]:
    """The settings that the DAG gives a step; raises StepError for a step or names not there."""
    if step not in SETTINGS:
        raise StepError(f"--settings: no step '{step}'; there are {', '.join(SETTINGS)}")
    try:
        return SETTINGS[step](study, *names)
    except (KeyError, TypeError) as error:
        raise StepError(
            f"--settings: {step} needs names that the study has (a model, and for train a run, for "
            "pretrain a base such as base-seed0; for sample, rows such as training), not "
            f"'{' '.join(names)}'"
        ) from error


def main(arguments: argparse.Namespace) -> None:
    """Print what was asked for."""
    if arguments.schema:
        print(SCHEMAS[arguments.schema](), end="")
    elif arguments.keys:
        print(keys_markdown(BLOCKS), end="")
    elif arguments.study is None:
        raise StepError("name a study file, such as config/mini.yaml")
    elif arguments.name:
        print(load_study(arguments.study).study)
    elif arguments.settings:
        step, *names = arguments.settings
        print(json.dumps(settings_of(load_study(arguments.study), step, names), indent=2))
    else:
        print(yaml.safe_dump(load_study(arguments.study).model_dump(mode="json"), sort_keys=False))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("study", __doc__)
    options.add_argument("study", nargs="?", help="a study file")
    options.add_argument(
        "--settings", nargs="+", metavar=("STEP", "NAME"), help="print what a step is given"
    )
    options.add_argument("--name", action="store_true", help="print the study's name")
    options.add_argument(
        "--schema", nargs="?", const="study", choices=SCHEMAS, help="print the JSON schema"
    )
    options.add_argument("--keys", action="store_true", help="print every key, as Markdown")
    return options


if __name__ == "__main__":
    run_step(main, parser())
