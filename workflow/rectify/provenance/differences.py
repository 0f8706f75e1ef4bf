"""Why two runs of a study differ: the first field that does in the manifests behind a result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from rectify.provenance.manifests import Manifests, below
from rectify.step.manifest import (
    OUTPUTS,
    UNREAD,
    strings,
)


def unequal(first: Any, second: Any, key: str) -> Iterator[str]:
    """The keys at which two values differ, in the first one's order, with both values."""
    if first == second:
        return
    if isinstance(first, dict) and isinstance(second, dict):
        for name in dict.fromkeys([*first, *second]):
            yield from unequal(first.get(name), second.get(name), f"{key}.{name}")
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for index, pair in enumerate(zip(first, second, strict=True)):
            yield from unequal(*pair, f"{key}[{index}]")
    else:
        one, two = (json.dumps(value, ensure_ascii=False)[:40] for value in (first, second))
        yield f"{key}: {one} | {two}"


def machines(first: dict[str, Any], second: dict[str, Any]) -> list[dict[str, Any]]:
    """The machines of two manifests, by what both state.

    A step that does not use torch does not know its kernels, nor did the first manifests.
    """
    pair = first["machine"], second["machine"]
    both = [key for key in pair[0] if None not in (pair[0][key], pair[1].get(key))]
    return [{key: machine[key] for key in both} for machine in pair]


def own_fields(
    first: dict[str, Any], second: dict[str, Any], wanted: Callable[[str], bool]
) -> Iterator[str]:
    """The fields at which two manifests of the same result differ by themselves, in their order.

    Not by what earlier steps made, and not by what decides nothing: times, the names of the outputs
    and of the folders for a run's state and log, and the commit, where the modules are the same.
    """
    yield from unequal(first["settings"], second["settings"], "settings")
    inputs = [{entry["path"]: entry for entry in each["inputs"]} for each in (first, second)]
    silent = {*OUTPUTS, *UNREAD}

    def options(manifest: dict[str, Any]) -> dict[str, Any]:
        return {
            key: value
            for key, value in manifest["options"].items()
            if key not in silent and not {*inputs[0], *inputs[1]} & {*strings(value)}
        }

    yield from unequal(options(first), options(second), "options")
    for path in filter(wanted, dict.fromkeys([*inputs[0], *inputs[1]])):
        pair = [each.get(path, {"sha256": None, "manifest": None}) for each in inputs]
        if None in (pair[0]["manifest"], pair[1]["manifest"]):
            one, two = ((entry["sha256"] or "none")[:16] for entry in pair)
            yield from [f"inputs.{path}: {one} | {two}"] if one != two else []
    yield from unequal(first["notes"], second["notes"], "notes")
    yield from unequal(first["code"]["files"], second["code"]["files"], "code")
    yield from unequal(first["versions"], second["versions"], "versions")
    yield from unequal(*machines(first, second), "machine")


def differing(
    first: Manifests,
    second: Manifests,
    name: str,
    wanted: Callable[[str], bool],
    seen: set[str] | None = None,
) -> Iterator[tuple[str, list[str] | None]]:
    """The steps behind a result that made something else in two runs, from the sources on.

    (manifest, fields that differ); None for the fields where a run has no such manifest. Inputs of
    the same content are not followed; `wanted` says whether a path is in the chain at all.
    """
    seen = set() if seen is None else seen
    if name in seen:
        return
    seen.add(name)
    if name not in first or name not in second:
        yield name, None
        return
    others = {entry["path"]: entry for entry in second[name]["inputs"]}
    for entry in first[name]["inputs"]:
        other = others.get(entry["path"], entry)
        followed = entry["manifest"] and other["manifest"] and wanted(entry["path"])
        if followed and entry["sha256"] != other["sha256"]:
            parent = below(entry["manifest"]["path"])
            yield from differing(first, second, parent, wanted, seen)
    yield name, list(own_fields(first[name], second[name], wanted))


def likely_cause(
    first: Manifests, second: Manifests, name: str, wanted: Callable[[str], bool]
) -> str:
    """The first field that differs in the manifests behind a result, in words."""
    steps = list(differing(first, second, name, wanted))
    missing = [step for step, fields in steps if fields is None]
    lack = f"no manifest in both: {', '.join(missing)}" if missing else ""
    for step, fields in steps:
        if fields:
            said = f"{step.removesuffix('.manifest.json')}: {fields[0]}"
            more = sum(len(each or ()) for _, each in steps) - 1
            said += f" ({more} more further on)" if more else ""
            return f"{said}; {lack}" if missing else said
    if missing:
        return lack
    made = steps[0][0].removesuffix(".manifest.json")
    return f"no field differs; {made} was made otherwise of the same (threads, GPU kernels)"
