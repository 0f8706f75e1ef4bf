"""Upload a trained model to the Hugging Face hub: its files, its card, its manifest.

    rectify publish results/mini/models/qwen2-mini/dft-seed0 --to ORG/NAME --dry-run
    rectify publish results/mini/models/qwen2-mini/dft-seed0 --to ORG/NAME [--samples ORG/DATASET]

One commit to ORG/NAME, which is made (public) if it is not there. The card's scores on data sets of
the hub go along once more as the hub's leaderboards read them, in .eval_results. With --samples the
model's samples and their verdicts are uploaded first, as a data set of their own, which is made
(public) as well. The token is that of `hf auth login`, or HF_TOKEN; it needs the right to write. A
learning curve's checkpoints stay here. Refuses a model without a valid card, without its manifest,
or changed since it was trained.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.constants import ENDPOINT
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from rectify.sharing import sample_set
from rectify.sharing.eval_results import FILE as EVAL_RESULTS
from rectify.sharing.eval_results import entries_of, left_out, text_of
from rectify.sharing.model_card import check_card
from rectify.step.command import step_parser
from rectify.step.errors import StepError, first_line
from rectify.step.manifest import MODEL_CARD, content, find_manifest, output_of

MANIFEST = "manifest.json"
MESSAGES = {
    "model": "Upload model, card and manifest",
    "dataset": "Upload samples, scores and their manifests",
}
Files = dict[str, Path | bytes]  # by the names on the hub: where each is, or what it holds


class Upload(NamedTuple):
    """One commit: to which repository, of which kind (model, dataset), and its files."""

    to: str
    kind: str
    files: Files


def files_to_publish(run: Path) -> tuple[dict[str, Path], dict[str, Any]]:
    """What goes to the hub of a model, by the names there; and its manifest.

    Raises StepError unless `run` is a trained model's folder with a card, and as its manifest has
    it.
    """
    if not (run / "config.json").is_file():
        raise StepError(f"{run}: no model folder; name one such as results/mini/models/MODEL/RUN")
    check_card(run / MODEL_CARD)
    found = find_manifest(run)
    if found is None:
        raise StepError(f"{run}: no manifest beside it; train the model again, or copy it along")
    where, manifest = found
    made = output_of(manifest, run)
    if content(run, made["files"]).sha256 != made["sha256"]:
        raise StepError(f"{run}: changed since {where} was written; train the model again")
    own = sorted(file for file in run.iterdir() if file.is_file() and file.name[0] != ".")
    return {file.name: file for file in own} | {MANIFEST: where}, manifest


def uploads_of(run: Path, to: str, samples: str | None) -> tuple[list[Upload], str | None]:
    """What goes where: the model's samples and scores, if asked for, then the model; and a line
    about the benchmarks that no leaderboard hears of. Raises StepError as `files_to_publish` does.
    """
    files, manifest = files_to_publish(run)
    results = check_card(run / MODEL_CARD).eval_results or []
    found = []
    if samples:
        own: Files = {**sample_set.files_of(run, output_of(manifest, run)["sha256"])}
        titles = [result.dataset_name for result in results]
        own[MODEL_CARD] = sample_set.card_of(run, to, manifest["study"], titles).encode()
        found.append(Upload(samples, "dataset", own))
    source = f"{ENDPOINT}/datasets/{samples}" if samples else None
    entries = entries_of(results, sample_set.scored_at(run), source)
    more = {EVAL_RESULTS: text_of(entries).encode()} if entries else {}
    return [*found, Upload(to, "model", {**files, **more})], left_out(results)


def upload(to: str, kind: str, files: Files) -> str:
    """Put the files into a repository on the hub in one commit; returns its address.

    Raises StepError if the hub refuses, or cannot be reached.
    """
    api = HfApi()
    try:
        api.create_repo(to, repo_type=kind, exist_ok=True)
        done = api.create_commit(
            repo_id=to,
            repo_type=kind,
            operations=[
                CommitOperationAdd(name, str(held) if isinstance(held, Path) else held)
                for name, held in files.items()
            ],
            commit_message=MESSAGES[kind],
        )
    except LocalTokenNotFoundError as error:
        raise StepError(f"{to}: no token; run `hf auth login` or set HF_TOKEN") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        advice = {
            401: "the token is missing or not valid: run `hf auth login` or set HF_TOKEN",
            403: "the token may not write there: it needs the right to write, and you to be in ORG",
        }.get(status, first_line(error))
        raise StepError(f"{to}: the hub refuses: {advice}") from error
    except Exception as error:  # no network, HF_HUB_OFFLINE, ...: dozens of classes
        raise StepError(f"{to}: cannot be uploaded: {first_line(error)}") from error
    return str(done.commit_url)


def checked_name(option: str, name: str) -> str:
    """A repository's name on the hub; raises StepError, naming the option, unless it is one."""
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise StepError(f"{option}: {first_line(error)}") from error
    if "/" not in name:
        raise StepError(f"{option}: '{name}' names no organisation or user; it takes ORG/NAME")
    return name


def size_of(held: Path | bytes) -> int:
    """A file's size in bytes."""
    return held.stat().st_size if isinstance(held, Path) else len(held)


def listed(files: Files) -> str:
    """The files with their sizes, a line each, and the sum."""
    lines = [
        f"{size_of(held):15,d} bytes  {name}{f'  ({held})' if isinstance(held, Path) else ''}"
        for name, held in files.items()
    ]
    return "\n".join([*lines, f"{sum(map(size_of, files.values())):15,d} bytes in all"])


def main(arguments: argparse.Namespace) -> None:
    """Run the command."""
    to, samples = checked_name("--to", arguments.to), arguments.samples
    samples = checked_name("--samples", samples) if samples else None
    uploads, line = uploads_of(Path(arguments.run), to, samples)
    verb = "would go" if arguments.dry_run else "going"
    for own in uploads:
        print(f"{verb} to {'the data set ' if own.kind == 'dataset' else ''}{own.to}:")
        print(listed(own.files), flush=True)
    if line:
        print(line, flush=True)
    if not arguments.dry_run:
        for own in uploads:
            print(upload(*own), flush=True)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("publish", __doc__)
    options.add_argument("run", help="folder of a trained model")
    options.add_argument("--to", required=True, help="ORG/NAME on the hub")
    options.add_argument("--samples", help="ORG/DATASET on the hub, for samples and scores")
    options.add_argument("--dry-run", action="store_true", help="only list what would go")
    return options
