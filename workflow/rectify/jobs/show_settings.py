"""What the DAG gives a rule's job: its settings, as they are in the file of the step's --settings.

    rectify show_settings config/mini.yaml train_model qwen2-mini dft-seed0 > settings.json
    rectify show_settings config/mini.yaml sample_rows benchmarks/two-steps

The names are those of what the job makes: a model, and a run or a base model of it; rows; a table
or a figure; or none.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from rectify.jobs.settings_files import RULES
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.study.load import load_study
from rectify.study.schema import Study


def settings_of(study: Study, rule: str, names: list[str]) -> dict[str, Any]:
    """The settings that the DAG gives a rule's job; raises StepError for names not there."""
    try:
        return RULES[rule](study, *names)
    except (KeyError, TypeError) as error:
        raise StepError(
            f"{rule}: no '{' '.join(names)}' in the study; it takes a model, for train_model a run "
            "of it, for pretrain_model a base such as base-seed0; sample_rows takes rows such as "
            "training"
        ) from error


def main(arguments: argparse.Namespace) -> None:
    """Run the command."""
    settings = settings_of(load_study(arguments.study), arguments.rule, arguments.names)
    print(json.dumps(settings, indent=2))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("show_settings", __doc__)
    options.add_argument("study", help="a study file")
    options.add_argument("rule", choices=list(RULES), help="a rule of the DAG")
    options.add_argument("names", nargs="*", help="what its job makes")
    return options
