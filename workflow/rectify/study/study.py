"""Check a study, and print it with all its settings.

    rectify study config/mini.yaml              # check it, print it resolved
    rectify study --schema                      # the JSON schema for editors
    rectify study --schema claims               # that of a study's file of claims
    rectify study --keys                        # every key, as Markdown

What is wrong is said in one line that names the file and the key.
"""

from __future__ import annotations

import argparse

import yaml

from rectify.paper.claims_file import Claim
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.study.docs import claims_schema, json_schema, keys_markdown
from rectify.study.load import load_study
from rectify.study.schema import BLOCKS, Study

SCHEMAS = {"study": lambda: json_schema(Study), "claims": lambda: claims_schema(Claim)}


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
    else:
        print(yaml.safe_dump(load_study(arguments.study).model_dump(mode="json"), sort_keys=False))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("study", __doc__)
    options.add_argument("study", nargs="?", help="a study file")
    options.add_argument("--name", action="store_true", help="print the study's name")
    options.add_argument(
        "--schema", nargs="?", const="study", choices=SCHEMAS, help="print the JSON schema"
    )
    options.add_argument("--keys", action="store_true", help="print every key, as Markdown")
    return options
