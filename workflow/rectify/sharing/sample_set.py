"""A model's samples and their verdicts as a data set for the hub: its files and its card."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import DatasetCard, DatasetCardData

from rectify.provenance.manifests import below
from rectify.step.errors import StepError
from rectify.step.manifest import content, find_manifest, output_of

BODY = """
# Samples and scores of {model}

Answers of [{model}](https://huggingface.co/{model}), run `{run}` of study '{study}' of rectify, to
the problems of {benchmarks}, and the verdicts on them.

- `samples`: a row for each answer. `benchmark`, `problem_id` and `sample` say which, `text` is the
  answer, `finish_reason` whether it came to its end, `n_tokens` its length.
- `scores`: a row for each of them with its verdicts, `correct` and the published harness's rules'
  `harness`; `status` says how grading ended.

Beside each file lies its manifest: settings, code, versions, and hashes of all that it was made
from. The problems themselves are not here. No licence is named: it is the uploader's to choose.
"""


class Stated(NamedTuple):
    """A file with its manifest: where that lies, and what it says."""

    file: Path
    beside: Path
    manifest: dict[str, Any]


def scores_file(run: Path) -> Path:
    """Where the scores of the model in a folder results/STUDY/models/MODEL/RUN lie."""
    model = run.resolve().parent
    study = Path(os.path.relpath(model.parent.parent))
    return study / "scores" / model.name / f"{run.name}.parquet"


def scored_at(run: Path) -> str | None:
    """When a model was scored, ISO 8601; None if its scores have no manifest here."""
    found = find_manifest(scores_file(run))
    return found[1]["ended"] if found else None


def stated(file: Path) -> Stated:
    """A file with its manifest; raises StepError if either is missing, or the file has changed."""
    if not file.is_file():
        raise StepError(f"{file}: no such file; finish the study (make reproduce)")
    found = find_manifest(file)
    if found is None:
        raise StepError(f"{file}: no manifest beside it; make it again")
    where, manifest = found
    if content(file).sha256 != output_of(manifest, file)["sha256"]:
        raise StepError(f"{file}: changed since {where} was written; make it again")
    return Stated(file, where, manifest)


def files_of(run: Path, sha256: str) -> dict[str, Path]:
    """What goes into the data set, by the names there: the model's scores on the tables' benchmarks
    and the samples that they are of, each with its manifest. `sha256`: the model's content.

    Raises StepError for a file that is not there, is not as its manifest has it, or is of another
    model.
    """
    scores = stated(scores_file(run))
    study = scores.file.parents[2]
    samples = [stated(study / below(path)) for path in scores.manifest["options"]["samples"]]
    for file, where, manifest in samples:
        if sha256 not in {entry["sha256"] for entry in manifest["inputs"]}:
            raise StepError(f"{file}: {where} has it of another model than {run}; make it again")
    placed = [("samples", part) for part in samples] + [("scores", scores)]
    return {f"{folder}/{path.name}": path for folder, own in placed for path in own[:2]}


def card_of(run: Path, model: str, study: str, benchmarks: list[str]) -> str:
    """The data set's card; `model`: the model's name on the hub, `benchmarks`: their titles."""
    data = DatasetCardData(
        pretty_name=f"Samples and scores of {model}",
        task_categories=["text-generation"],
        tags=["rectify"],
        configs=[
            {"config_name": name, "data_files": f"{name}/*.parquet"}
            for name in ("samples", "scores")
        ],
    )
    body = BODY.format(model=model, run=run.name, study=study, benchmarks=", ".join(benchmarks))
    return str(DatasetCard(f"---\n{data.to_yaml()}\n---\n{body}"))
