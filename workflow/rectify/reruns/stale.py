"""Which results of a study have to be made again, by their manifests."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from rectify.provenance.differences import unequal
from rectify.reruns.expected import Result, as_stated
from rectify.step.environment import step_files
from rectify.step.errors import StepError, first_line
from rectify.step.manifest import Content, content, find_manifest, output_of

# the page shows the times of the study's jobs, which are no result that it could be held to
TIMES = "benchmarks"


class Verifier:
    """Judges results one after another, each after those that it is made from."""

    def __init__(self) -> None:
        """Nothing has been judged, and no file has been read."""
        self.stale: dict[str, str] = {}
        self.manifests = cache(find_manifest)
        self.contents = cache(self._content)
        self.code = cache(step_files)

    def _content(self, path: str, linked: tuple = ()) -> Content:
        """What a file or folder holds now. Of large files that its manifest knows, or those of
        `linked`, only size and time are looked at.
        """
        found = self.manifests(Path(path))
        known = output_of(found[1], Path(path))["files"] if found else dict(linked)
        return content(Path(path), known)

    def judge(self, result: Result) -> str | None:
        """Why a result has to be made again; None if it has not."""
        try:
            why = next(filter(None, (self.changed(file, result) for file in result.outputs)), None)
        except (OSError, StepError) as error:
            why = first_line(error)
        if why:
            self.stale |= dict.fromkeys(result.outputs, why)
        return why

    def changed(self, file: str, result: Result) -> str | None:
        """The first thing about one of a result's files that is not as it has to be."""
        if not os.path.exists(file):
            return f"{file} is not there"
        if (found := self.manifests(Path(file))) is None:
            return "no manifest beside it"
        manifest = found[1]
        if manifest["step"] != result.step:
            return f"made by step {manifest['step']}, not {result.step}"
        settings = next(unequal(manifest["settings"], as_stated(result.settings), "settings"), None)
        if settings:
            return f"{settings} (made with | is)"
        for key, value in result.options.items():
            if manifest["options"].get(key) != value:
                return f"{key}: {manifest['options'].get(key)} | {value} (made with | is)"
        then, now = manifest["code"]["files"], self.code(result.step, result.options.get("figure"))
        if edited := [name for name in {**now, **then} if now.get(name) != then.get(name)]:
            return f"made with other code: {edited[0]}"
        if output_of(manifest, Path(file))["sha256"] != self.contents(file).sha256:
            return "changed since it was made"
        return self.changed_inputs(manifest, result)

    def changed_inputs(self, manifest: dict[str, Any], result: Result) -> str | None:
        """The first input that is another one, of other content, or stale itself."""
        now = {os.path.normpath(path) for path in result.inputs}
        then = {os.path.normpath(entry["path"]): entry["sha256"] for entry in manifest["inputs"]}
        if result.step == "render_report":
            then.pop(TIMES, None)
        for path in sorted(then.keys() ^ now):
            return f"{'no longer' if path in then else 'not yet'} made from {path}"
        # a fetched model is links to what it was fetched from
        linked = (
            tuple(manifest["outputs"][0]["files"].items()) if result.step == "fetch_model" else ()
        )
        for path, sha256 in then.items():
            if {path, os.path.dirname(path)} & self.stale.keys():
                return f"made from {path}, which has to be made again"
            if not os.path.exists(path):
                return f"made from {path}, which is not there"
            if self.contents(path, linked).sha256 != sha256:
                return f"made from other content of {path}"
        return None


def stale_results(results: Iterable[Result]) -> dict[str, str]:
    """The files of results (each after those it is made from) that have to be made again: why."""
    verifier = Verifier()
    for result in results:
        verifier.judge(result)
    return verifier.stale
