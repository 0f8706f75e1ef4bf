"""Results that another study has made of the same things: taken from there, not made anew.

What a step makes is decided by its settings, its inputs, its code, the packages and the processors,
all of which its manifest states. The hash of these is a result's key, and the file of that name in
MADE lists the manifests of the results that have it. A step that finds one there whose results are
still as stated takes them; the manifest of what it took says where from (`taken_from`). So a second
study pays only for what is new in it. Nothing is stored twice: a model's files are linked, and a
study's folder may be deleted at any time.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from rectify.step.environment import code_sha256, machine, of_json, versions
from rectify.step.errors import StepError
from rectify.step.files import replacing
from rectify.step.manifest import (
    OUTPUTS,
    UNREAD,
    beside,
    content,
    describe_input,
    held,
    inputs_of,
    note,
    note_input,
    outputs_of,
    read_manifest,
    stem,
    study_of,
)

MADE = Path("results/.made")
STEPS = (  # the long ones
    "train", "dpo", "grpo", "ppo", "decode", "score", "measure_probabilities", "measure_divergence",
    "weigh_rows",
)  # fmt: skip


def take(step: str, arguments: argparse.Namespace) -> bool:
    """Write what a step would make if it has been made of the same things; whether it has."""
    if not shared(step, arguments):
        return False
    with contextlib.suppress(StepError, OSError):  # then it is made
        own = {
            "step": step,
            "settings": arguments.settings if "settings" in arguments else None,
            "options": vars(arguments),
            "inputs": [describe_input(path) for path in inputs_of(arguments)],
            "code": {"sha256": code_sha256(step)},
            "versions": versions(),
            "machine": machine(),
        }
        wanted = key_of(own)
        return any(taken(path, wanted, own["inputs"], arguments) for path in made(wanted))
    return False


def taken(
    path: Path, wanted: str, inputs: list[dict[str, Any]], arguments: argparse.Namespace
) -> bool:
    """Take what a manifest states, if it has that key and is still so; whether it has been."""
    with contextlib.suppress(StepError, FileNotFoundError):
        found = read_manifest(path)
        more = noted_inputs(found, inputs)
        if key_of(found) != wanted or not as_stated(found, more):
            return False
        sources = [Path(output["path"]) for output in found["outputs"]]
        targets = [own_path(output["path"], found, arguments) for output in found["outputs"]]
        if sources == targets:  # asked for once more: made once more
            return False
        for source, target in zip(sources, targets, strict=True):
            copy(source, target)
        for entry in more:
            note_input(entry["path"])
        note(**found["notes"] | {"taken_from": str(path)})
        print(f"taken from {path}: made of the same inputs and settings, by the same code")
        return True
    return False


def offer(step: str, arguments: argparse.Namespace) -> None:
    """List what a step has made, for others to take."""
    if not shared(step, arguments):
        return
    for base in dict.fromkeys(map(stem, outputs_of(arguments))):
        path = beside(base)
        with contextlib.suppress(StepError, OSError):  # there is none, or no place to say so
            name = key_of(read_manifest(path))
            if path not in made(name):
                MADE.mkdir(parents=True, exist_ok=True)
                with (MADE / name).open("a", encoding="utf-8") as file:
                    file.write(f"{path}\n")


def shared(step: str, arguments: argparse.Namespace) -> bool:
    """Whether it is one of STEPS, of a study, and not trained by several processes together."""
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    return step in STEPS and alone and study_of(str(arguments.out)) is not None


def made(key: str) -> list[Path]:
    """The manifests of the results that have a key."""
    with contextlib.suppress(FileNotFoundError):
        return list(map(Path, (MADE / key).read_text(encoding="utf-8").splitlines()))
    return []


def key_of(manifest: dict[str, Any]) -> str:
    """The hash of what decides a result.

    An input counts by its name, without folders, and content; outputs do not.
    """
    inputs = {entry["path"]: entry["sha256"] for entry in manifest["inputs"]}

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: named(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [named(part) for part in value]
        if isinstance(value, str | Path):
            found = inputs.get(str(value))
            return [Path(value).name, found] if found else str(value)
        return value

    left_out = (*OUTPUTS, *UNREAD, "settings")
    options = {key: value for key, value in manifest["options"].items() if key not in left_out}
    return of_json(
        [
            manifest["step"], named(manifest["settings"]), named(options),
            manifest["code"]["sha256"], manifest["versions"], manifest["machine"],
        ]
    )  # fmt: skip


def noted_inputs(manifest: dict[str, Any], inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A manifest's inputs beside those that a command line names as well: what only the step knew,
    such as the file of a user's own function.
    """
    named = {entry["sha256"] for entry in inputs}
    return [entry for entry in manifest["inputs"] if entry["sha256"] not in named]


def as_stated(manifest: dict[str, Any], noted: list[dict[str, Any]]) -> bool:
    """Whether a manifest's results are as it states, and the inputs that its step noted."""
    return all(
        content(Path(entry["path"]), entry.get("files")).sha256 == entry["sha256"]
        for entry in (*manifest["outputs"], *noted)
    )


def own_path(path: str, manifest: dict[str, Any], arguments: argparse.Namespace) -> Path:
    """Where a step writes what another one wrote to a path."""
    (option,) = [key for key in OUTPUTS
                 if stem(Path(path)) == stem(Path(manifest["options"].get(key) or ""))]  # fmt: skip
    own = Path(getattr(arguments, option))
    return own if path == manifest["options"][option] else Path(f"{own}{Path(path).suffix}")


def copy(source: Path, target: Path) -> None:
    """Copy a file, or a folder, whose files are linked where that can be."""
    with replacing(target) as temporary:
        if source.is_dir():
            link_files(source, temporary)
        else:
            shutil.copyfile(source, temporary)


def link_files(source: Path, target: Path) -> None:
    """Link what a folder holds into another, or copy it, where it cannot be linked."""
    for file in held(source):
        new = target / file.relative_to(source)
        new.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, new)
        except OSError:  # another disk, or one without links
            shutil.copyfile(file, new)
