"""The manifests of a study, gathered: those beside its results, or all in one file.

They are known by their paths below the results' folder. `manifests.jsonl`, which `rectify snapshot`
writes, has all in one file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rectify.step.environment import of_json
from rectify.step.errors import StepError, first_line
from rectify.step.manifest import (
    FORMER_STEPS,
    STATED,
    read_manifest,
    study_of,
)

COLLECTED = "manifests.jsonl"

SHARED = ("settings", "code", "versions", "machine")  # the same in many manifests

Manifests = dict[str, dict[str, Any]]


def load_manifests(folder: Path) -> Manifests:
    """The manifests of a results folder, but for the sizes and times of output files.

    Raises StepError for a file that is not what its name says.
    """
    found = read_collected(folder / COLLECTED) if (folder / COLLECTED).is_file() else {}
    for path in sorted(folder.rglob("*.manifest.json")):
        manifest = read_manifest(path)
        manifest["outputs"] = [
            {key: output[key] for key in ("path", "sha256")} for output in manifest["outputs"]
        ]
        found[str(path.relative_to(folder))] = {key: manifest[key] for key in STATED}
    return found


def collected(manifests: Manifests) -> str:
    """Manifests as JSON lines: what many of them share, by its hash, then each manifest."""
    shared, lines = {}, []
    for path, manifest in sorted(manifests.items()):
        keys = {key: of_json(manifest[key])[:16] for key in SHARED}
        shared |= {keys[key]: manifest[key] for key in SHARED}
        lines.append({"path": path, "manifest": manifest | keys})
    return "".join(
        json.dumps(line, ensure_ascii=False) + "\n"
        for line in [{"shared": dict(sorted(shared.items()))}, *lines]
    )


def read_collected(path: Path) -> Manifests:
    """What `collected` has written; raises StepError if the file is something else."""
    try:
        first, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        found = {}
        for line in lines:
            own = line["manifest"]
            shared = {key: first["shared"][own[key]] for key in SHARED}
            found[line["path"]] = (
                own | shared | {"step": FORMER_STEPS.get(own["step"], own["step"])}
            )
        return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StepError(f"{path}: not a file of manifests: {first_line(error)}") from error


def below(path: str) -> str:
    """A path below the results folder of its study; others as they are."""
    return path.split("/", 2)[2] if study_of(path) else path


def ancestry(manifests: Manifests, names: Iterable[str]) -> Manifests:
    """Some of the manifests and all those that they lead to, as far as they are there."""
    found: Manifests = {}
    waiting = list(names)
    while waiting:
        if (name := waiting.pop()) in manifests and name not in found:
            found[name] = manifests[name]
            parents = [entry["manifest"] for entry in manifests[name]["inputs"]]
            waiting += [below(parent["path"]) for parent in parents if parent]
    return found
