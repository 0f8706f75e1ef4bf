"""Bring a base model into the study: a local folder, or a model on the hub at its revision.

    rectify fetch_model --settings SETTINGS --out FOLDER

SETTINGS is a file of JSON: path (a local folder, or ORG/NAME) and revision (the hub's commit);
`rectify show_settings config/mini.yaml fetch_model qwen2-mini base-seed0` prints it. FOLDER
becomes a folder of links to the model's files, which stay where they are: for a hub model, in the
Hugging Face cache (HF_HOME), which studies share and whose files carry their checksums. With
HF_HUB_OFFLINE=1 nothing else than that cache is looked at.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rectify.step.command import settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.files import replacing

FILES = ("*.json", "*.jinja", "*.model", "*.txt", "additional_chat_templates/*.jinja")
WEIGHTS = ("*.safetensors", "*.bin")  # the second only where a model has no other


def locate(path: str, revision: str | None) -> Path:
    """The local folder of a model, downloaded first if need be; raises StepError if it cannot."""
    if Path(path).is_dir():
        return Path(path)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

    def download(patterns: tuple[str, ...]) -> Path:
        return Path(snapshot_download(path, revision=revision, allow_patterns=list(patterns)))

    try:
        folder = download((*FILES, WEIGHTS[0]))
        return folder if list(folder.glob(WEIGHTS[0])) else download((*FILES, WEIGHTS[1]))
    except GatedRepoError as error:
        raise StepError(
            f"{path}: this model is gated; accept its licence on its hub page, then run "
            "`hf auth login` or set HF_TOKEN"
        ) from error
    except LocalEntryNotFoundError as error:
        raise StepError(
            f"{path} at {revision}: not in the cache, and the hub cannot be reached; where it can, "
            f"run `hf download {path} --revision {revision}`, or name a local folder in the study"
        ) from error
    except PermissionError as error:
        raise StepError(f"{error.filename}: the cache is not writable; set HF_HOME") from error
    except Exception as error:  # dozens of classes: missing, disk full, ...
        reason = " ".join(str(error).split())
        raise StepError(f"{path} at {revision}: the model cannot be fetched: {reason}") from error


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    source = locate(arguments.settings["path"], arguments.settings.get("revision"))
    with replacing(arguments.out) as temporary:
        temporary.mkdir()
        for file in sorted(file for pattern in (*FILES, *WEIGHTS) for file in source.glob(pattern)):
            link = temporary / file.relative_to(source)
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(file.resolve())
    print(f"{arguments.out}: links to {source.resolve()}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("fetch_model", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--out", required=True, help="folder to write")
    return options
