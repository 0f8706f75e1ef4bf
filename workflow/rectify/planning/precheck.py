r"""Before training: does what a base model knows of the training rows speak for DFT or for SFT?

    rectify precheck config/mini.yaml
    rectify precheck --settings SETTINGS --model FOLDER --rows rows.parquet \
        --overlaps contamination.csv --out precheck/model

The first prints it for every model of a study whose base model, rows and overlaps are there, with
the base model's accuracy and pass@k where it has been scored. The second is the DAG's: SETTINGS is
a file of JSON, `rectify show_settings config/mini.yaml precheck qwen2-mini` prints one; it writes
OUT.json, all numbers, and OUT.md, what a person reads. The model, that of the first seed where each
has its own, reads at most 500 rows. The rule, what it is made from and what it cannot know:
rectify/statistics/regimes.py. It is about the study's own training rows: methods that learn from
the model's answers have others.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from rectify.evaluation.knowledge import base_fact, markdown, measure
from rectify.jobs import paths
from rectify.jobs.runs import base_names, taught_models
from rectify.jobs.settings import SETTINGS
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_json, write_text
from rectify.study.load import load_study
from rectify.study.schema import Study


def said_of(study: Study, file: str) -> Iterator[str]:
    """What is said of each model of a study, which is in that file.

    Raises StepError naming what is not there, and what makes it.
    """
    rows, overlaps = paths.rows(study, "training"), paths.overlaps(study)
    for name in taught_models(study):
        base = base_names(study, name)[0]
        folder, scores = paths.model(study, name, base), paths.scores(study, name, base)
        for needed in (folder, rows, overlaps):
            if not Path(needed).exists():
                raise StepError(
                    f"{needed}: not there; make it, and what this prints, by "
                    f"`snakemake --cores all prechecks --configfile {file}`"
                )
        found = measure(folder, rows, overlaps, Settings(**SETTINGS["precheck"](study, name)))
        if Path(scores).exists():
            scoring = study.scoring.model_dump()
            found["facts"].append(base_fact([scores], list(study.benchmarks_of("test")), scoring))
        yield markdown(name, found)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    if arguments.study:
        for text in said_of(load_study(arguments.study), arguments.study):
            print(text)
        return
    given = ("settings", "model", "rows", "overlaps", "out")
    if missing := [f"--{name}" for name in given if getattr(arguments, name) is None]:
        raise StepError(f"name a study file, or what the DAG gives: no {', '.join(missing)}")
    settings = Settings(**arguments.settings)
    found = measure(arguments.model, arguments.rows, arguments.overlaps, settings)
    text = markdown(arguments.out.name, found)
    write_json(f"{arguments.out}.json", found)
    write_text(f"{arguments.out}.md", text)
    print(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("precheck", __doc__)
    options.add_argument("study", nargs="?", help="a study file")
    options.add_argument("--settings", type=settings_file, help="file of JSON")
    options.add_argument("--model", help="folder of the base model")
    options.add_argument("--rows", help="Parquet with columns problem, solution")
    options.add_argument("--overlaps", help="CSV of rectify find_overlaps")
    options.add_argument("--out", type=Path, help="of the files to write, without their endings")
    return options
