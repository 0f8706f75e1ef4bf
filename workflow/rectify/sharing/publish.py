"""Upload a trained model to the Hugging Face hub: its files, its card, its manifest.

    rectify publish results/mini/models/qwen2-mini/dft-seed0 --to ORG/NAME --dry-run
    rectify publish results/mini/models/qwen2-mini/dft-seed0 --to ORG/NAME

One commit to ORG/NAME, which is made (public) if it is not there. The token is that of `hf auth
login`, or HF_TOKEN; it needs the right to write. A learning curve's checkpoints stay here. Refuses
a model without a valid card, without its manifest, or changed since it was trained.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from rectify.sharing.model_card import check_card
from rectify.step.command import step_parser
from rectify.step.errors import StepError, first_line
from rectify.step.manifest import MODEL_CARD, content, find_manifest, output_of

MANIFEST = "manifest.json"


def files_to_publish(run: Path) -> dict[str, Path]:
    """What goes to the hub: names there, and the files here.

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
    return {file.name: file for file in own} | {MANIFEST: where}


def upload(files: dict[str, Path], to: str) -> str:
    """Put the files into a model repository on the hub, in one commit; returns its address.

    Raises StepError if the hub refuses, or cannot be reached.
    """
    api = HfApi()
    try:
        api.create_repo(to, repo_type="model", exist_ok=True)
        done = api.create_commit(
            repo_id=to,
            repo_type="model",
            operations=[CommitOperationAdd(name, str(file)) for name, file in files.items()],
            commit_message="Upload model, card and manifest",
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


def main(arguments: argparse.Namespace) -> None:
    """Run the command."""
    to = arguments.to
    try:
        validate_repo_id(to)
    except HFValidationError as error:
        raise StepError(f"--to: {first_line(error)}") from error
    if "/" not in to:
        raise StepError(f"--to: '{to}' names no organisation or user; it takes ORG/NAME")
    files = files_to_publish(Path(arguments.run))
    print(f"{'would go' if arguments.dry_run else 'going'} to {to}:")
    for name, file in files.items():
        print(f"{file.stat().st_size:15,d} bytes  {name}  ({file})")
    print(f"{sum(file.stat().st_size for file in files.values()):15,d} bytes in all", flush=True)
    if not arguments.dry_run:
        print(upload(files, to))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("publish", __doc__)
    options.add_argument("run", help="folder of a trained model")
    options.add_argument("--to", required=True, help="ORG/NAME on the hub")
    options.add_argument("--dry-run", action="store_true", help="only list what would go")
    return options
