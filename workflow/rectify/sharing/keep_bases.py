"""Keep a finished study's pretrained base models as files, for `pretrain.kept` of any study.

    rectify keep_bases config/mini.yaml --to config/bases

Copies every base model that the study has pretrained, with its manifest, to TO/<model>/base-seed0
and so on, and gathers in TO/manifests.jsonl the manifests of the rows and first weights behind all
that are kept there. Base models of other names stay.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from rectify.jobs import paths
from rectify.jobs.runs import pretrained_bases
from rectify.provenance.manifests import (
    COLLECTED,
    ancestry,
    collected,
    load_manifests,
    read_collected,
)
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.files import replacing, write_text
from rectify.step.manifest import beside
from rectify.study.load import load_study


def main(arguments: argparse.Namespace) -> None:
    """Run the command."""
    study, to = load_study(arguments.study), Path(arguments.to)
    results = Path(paths.results(study))
    models = results / "models"
    made = [pair for pair in pretrained_bases(study) if models.joinpath(*pair).is_dir()]
    if not made:
        raise StepError(
            f"{models}: no base model that '{study.study}' has pretrained; set "
            "pretrain.kept to null, run it, then keep"
        )
    manifests = load_manifests(results)
    behind = read_collected(to / COLLECTED) if (to / COLLECTED).is_file() else {}
    for model, base in made:
        folder, copy = models / model / base, to / model / base
        copy.parent.mkdir(parents=True, exist_ok=True)
        with replacing(copy) as temporary:
            # but for the marks of Snakemake's own
            shutil.copytree(folder, temporary, ignore=shutil.ignore_patterns(".*"))
        shutil.copyfile(beside(folder), beside(copy))
        behind |= ancestry(manifests, [str(beside(folder).relative_to(results))])
        size = sum(file.stat().st_size for file in copy.iterdir())
        print(f"{copy}: {size / 1e6:.1f} MB")
    write_text(to / COLLECTED, collected(behind))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("keep_bases", __doc__)
    options.add_argument("study", help="the study's file")
    options.add_argument("--to", required=True, help="folder to keep them in")
    return options
