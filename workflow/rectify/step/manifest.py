"""A manifest beside every result: what made it, from what, with which code, when and where.

Every step starts through `rectify.step.command.run_step`, which keeps `X.manifest.json` beside the
folder X, or beside the files X.csv, X.md, ... that a step wrote, once the step has ended well. A
result's inputs are named with their hashes and with those of their own manifests, so that `rectify
trace` can follow a number to its sources.

Manifests are neither inputs nor outputs to Snakemake. They hold times, which must not make anything
run again; and results that were made without one, or copied without it, are no less finished. A
manifest says itself whether it is of the file that lies beside it: it has the file's hash.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rectify.step.environment import describe_code, machine, of_json, peak_memory, versions
from rectify.step.errors import StepError, first_line
from rectify.step.files import sha256, write_json

OUTPUTS = (
    "out",
    "correct",
    "pairs",
    "answers",
    "counts",
)  # the steps' options that name what they write
# and folders that are no input as a whole, and a figure's name, which a folder may have too
UNREAD = ("state", "tensorboard", "data_dir", "figure")
TRUSTED = 2**28  # bytes: so large a file is not read again while its size and time stay
MODEL_CARD = "README.md"  # written into a model's folder when its scores are known
TRAINING_LOG = "train.csv"  # holds times too: they differ where the weights are the same
STATED = (
    "step", "study", "settings_sha256", "settings", "options", "inputs", "outputs", "notes", "code",
    "versions", "machine", "started", "ended", "seconds", "cpu_seconds",
    "max_rss", "log",
)  # fmt: skip
LATER = ("cpu_seconds", "max_rss", "log")  # which the first manifests did not state
FORMER_STEPS = {  # names of steps in manifests from before steps had their rules' names
    "sample": "sample_rows",
    "contamination": "find_overlaps",
    "questions": "list_questions",
    "self_sample": "keep_answers",
    "initialise": "initialise_model",
    "fetch": "fetch_model",
    "check": "check_model",
    "histogram": "measure_probabilities",
    "summarise": "summarise_scores",
    "claims": "judge_claims",
    "tabulate": "tabulate_scores",
    "uncontaminated": "tabulate_overlaps",
    "disagreements": "list_disagreements",
    "plot": "plot_figure",
    "report": "render_report",
    "card": "write_cards",
}

NOTES: dict[str, Any] = {}
NOTED_INPUTS: list[str] = []


def note(**facts: Any) -> None:
    """Have the manifest of this process's step say what only the step knows."""
    NOTES.update(facts)


def note_input(path: str | Path) -> None:
    """Have it name an input that is no whole value in the command line."""
    NOTED_INPUTS.append(str(path))


@dataclass(frozen=True)
class File:
    """A file's hash, and by what it is taken for unchanged later."""

    sha256: str
    bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class Content:
    """What a file or folder holds; `read`: all of it was read for this, no hash was taken over.

    The hash of a folder is that of the lines `sha256sum` would print for its files, sorted by name,
    without hidden files, the model card and the training log. The log's own hash is in `files`.
    """

    sha256: str
    files: dict[str, File]
    read: bool


@functools.cache
def hashed(path: str, size: int, mtime_ns: int) -> File:
    """A file's hash, read once in a process while its size and time stay."""
    return File(sha256(path), size, mtime_ns)


def held(folder: Path) -> list[Path]:
    """The files that a folder's content is made of: at any depth, without hidden ones and the model
    card.
    """
    files = []
    for file in folder.rglob("*"):
        name = str(file.relative_to(folder))
        if not (name.startswith(".") or "/." in name or file.name == MODEL_CARD or file.is_dir()):
            files.append(file)
    return sorted(files, key=str)


def content(path: Path, known: dict[str, File] | None = None) -> Content:
    """The content of a file or folder; raises OSError if it cannot be read.

    A file of TRUSTED bytes or more whose size and time are those in `known`, the files' entries of
    its manifest, is not read again: its hash is taken over from there.
    """
    whole = not path.is_dir()
    found, read = {}, True
    for file in [path] if whole else held(path):
        name = path.name if whole else str(file.relative_to(path))
        state, before = file.stat(), (known or {}).get(name)
        same = before and (before.bytes, before.mtime_ns) == (state.st_size, state.st_mtime_ns)
        if same and state.st_size >= TRUSTED:
            found[name], read = before, False
        else:
            found[name] = hashed(os.path.realpath(file), state.st_size, state.st_mtime_ns)
    if whole:
        return Content(found[path.name].sha256, found, read)
    lasting = {name: file for name, file in found.items() if Path(name).name != TRAINING_LOG}
    lines = "".join(f"{file.sha256}  {name}\n" for name, file in lasting.items())
    return Content(hashlib.sha256(lines.encode()).hexdigest(), found, read)


def stem(result: Path) -> Path:
    """The X of a result: a folder's path, a file's without its ending."""
    return result if result.is_dir() else result.with_suffix("")


def beside(base: Path) -> Path:
    """Where the manifest of an X is."""
    return base.with_name(f"{base.name}.manifest.json")


def find_manifest(result: Path) -> tuple[Path, dict[str, Any]] | None:
    """The manifest (path and content) of a result, which itself may be gone; None if none is there.

    Raises StepError if there is something else in its place.
    """
    for path in (beside(result), beside(result.with_suffix(""))):
        if path.is_file() and output_of(manifest := read_manifest(path), result):
            return path, manifest
    return None


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest; raises StepError if the file is none."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest = dict.fromkeys(LATER) | manifest
        manifest |= {key: manifest[key] for key in STATED}  # all are there
        manifest["step"] = FORMER_STEPS.get(manifest["step"], manifest["step"])
        for output in manifest["outputs"]:
            output["files"] = {name: File(**file) for name, file in output["files"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StepError(f"{path}: not a manifest: {first_line(error)}") from error
    return manifest


def output_of(manifest: dict[str, Any], result: Path) -> dict[str, Any] | None:
    """A manifest's entry of a result, found by its name: folders of results may be moved."""
    own = [entry for entry in manifest["outputs"] if Path(entry["path"]).name == result.name]
    return own[0] if own else None


def study_of(path: str) -> str | None:
    """The study that a path belongs to, as rectify.jobs.paths.results names its folder."""
    parts = Path(path).parts
    return parts[1] if parts[0] == "results" and len(parts) > 2 else None


def strings(value: Any) -> Iterator[str]:
    """All strings and paths in an option's value, or in settings."""
    if isinstance(value, str | Path):
        yield str(value)
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def inputs_of(arguments: argparse.Namespace) -> list[str]:
    """The files and folders that a command line names, in its settings too, and those noted."""
    found = dict.fromkeys(NOTED_INPUTS)
    for option, value in vars(arguments).items():
        for text in strings(value) if option not in (*OUTPUTS, *UNREAD) else ():
            # a bare word in the settings is the name of something else
            if os.path.exists(text) and (option != "settings" or "/" in text):
                found[text] = None
    return list(found)


def outputs_of(arguments: argparse.Namespace) -> list[Path]:
    """What a step has written: --out and the like, or all files that begin with it."""
    found = []
    for option in OUTPUTS:
        if named := getattr(arguments, option, None):
            path = Path(named)
            endings = path.parent.glob("*.*")
            parts = sorted(p for p in endings if stem(p) == path)
            found += [path] if path.exists() else parts
    return found


def describe_input(path: str) -> dict[str, Any]:
    """An input's hash, and its own manifest's.

    `read` is false where a hash was taken over from that manifest: the weights of a large model are
    read once, when they have been written.
    """
    parent, known = None, None
    if found := find_manifest(Path(path)):
        parent = {"path": str(found[0]), "sha256": sha256(found[0])}
        known = output_of(found[1], Path(path))["files"]
    now = content(Path(path), known)
    return {"path": path, "sha256": now.sha256, "read": now.read, "manifest": parent}


def describe_output(path: Path) -> dict[str, Any]:
    """An output's hash, and its files'."""
    now = content(path)
    files = {name: asdict(file) for name, file in now.files.items()}
    return {"path": str(path), "sha256": now.sha256, "files": files}


def log_file() -> str | None:
    """The file below this folder that standard output goes to, as a rule's does; else None."""
    with contextlib.suppress(OSError, ValueError):
        log = Path(os.readlink("/proc/self/fd/1")).relative_to(Path.cwd())
        return str(log) if log.is_file() else None
    return None


@contextlib.contextmanager
def kept(step: str, arguments: argparse.Namespace) -> Iterator[None]:
    """Keep a manifest of what a step with this command line does in the block, if it ends well.

    Commands that name no output, or nothing that it is made from, have none. Of the processes that
    train a model together the first one writes it. Whatever hinders it is said in one line, and the
    result stands.
    """
    settings = getattr(arguments, "settings", None)
    named = next((out for key in OUTPUTS if (out := getattr(arguments, key, None))), None)
    if not named or not (settings or inputs_of(arguments)) or os.environ.get("RANK", "0") != "0":
        yield
        return
    started = datetime.now(UTC)
    NOTES.clear()
    NOTED_INPUTS.clear()
    # as it is now: it may be edited before a long step ends
    code = describe_code(step, getattr(arguments, "figure", None))
    yield
    ended, written = datetime.now(UTC), outputs_of(arguments)
    options = {key: value for key, value in vars(arguments).items() if key != "settings"}
    try:
        manifest = {
            "step": step,
            "study": study_of(str(named)),
            "settings_sha256": of_json(settings) if settings else None,
            "settings": settings,
            "options": json.loads(json.dumps(options, default=str)),
            "inputs": [describe_input(path) for path in inputs_of(arguments)],
            "outputs": [describe_output(path) for path in written],
            "notes": dict(NOTES),
            "code": code,
            "versions": versions(),
            "machine": machine(),
            "started": started.isoformat(timespec="seconds"),
            "ended": ended.isoformat(timespec="seconds"),
            "seconds": round((ended - started).total_seconds(), 3),
            "cpu_seconds": round(sum(os.times()[:4]), 3),  # imports and ended children too
            "max_rss": round(peak_memory(), 2),  # MiB
            "log": log_file(),
        }
        for base in dict.fromkeys(map(stem, written)):
            write_json(beside(base), manifest)
    except Exception as error:  # a full disk, a GPU's driver: no reason to lose a training
        print(f"rectify {step}: no manifest is kept: {first_line(error)}", file=sys.stderr)
