"""What an archive holds and how it came about, as RO-Crate metadata.

RO-Crate 1.1 with its profile Process Run Crate 0.5: every file with its hash and size, and for each
manifest an action that made its outputs of its inputs with a step of rectify. It is made from the
archive's files alone, so that the same files give the same text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from rectify.provenance.manifests import Manifests
from rectify.step.code_files import PACKAGE

FILE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}  # which 1.1 has no term for
CITATION = PACKAGE.parents[1] / "CITATION.cff"
FORMATS = {
    ".csv": "text/csv", ".html": "text/html", ".json": "application/json", ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet", ".pdf": "application/pdf", ".png": "image/png",
    ".py": "text/x-python", ".sh": "application/x-sh", ".tex": "application/x-tex",
    ".txt": "text/plain", ".yaml": "application/yaml",
}  # fmt: skip

Held = dict[str, tuple[str, int]]  # an archive's files by name: sha256 and bytes


def crate_text(study: str, held: Held, manifests: Manifests) -> str:
    """The metadata of a study's archive; `manifests`: those in it, by their names there."""
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms |= TERMS
    cited = yaml.safe_load(CITATION.read_text(encoding="utf-8"))
    root = crate.root_dataset
    root["name"] = f"Study '{study}' of rectify"
    root["description"] = (
        "Tables, figures, samples and scores of a study that fine-tunes language models with DFT "
        "and its rivals, and how each was made."
    )
    # the moment of packing would be another each time
    root["datePublished"] = max(manifest["ended"] for manifest in manifests.values())
    root["author"] = [author(crate, entry, place) for place, entry in enumerate(cited["authors"])]
    licence = cited["license"]
    address = f"https://spdx.org/licenses/{licence}"
    root["license"] = entity(crate, address, "CreativeWork", name=f"{licence} licence")
    root["conformsTo"] = entity(
        crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"
    )
    for name, (sha256, size) in held.items():
        known = {"sha256": sha256, "contentSize": str(size)}
        if kind := FORMATS.get(Path(name).suffix):
            known["encodingFormat"] = kind
        crate.add_file(dest_path=name, properties=known)
    # a step that wrote several results has left the same manifest beside each
    once = {held[name][0]: name for name in sorted(manifests, reverse=True)}
    root["mentions"] = [
        action(crate, name, manifests[name], held) for name in sorted(once.values())
    ]
    return json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n"


def entity(crate: ROCrate, place: str, kind: str, **known: Any) -> Entity:
    """Something beside the files that the metadata speaks of, entered once."""
    if place in crate:
        return crate.get(place)
    return crate.add(ContextEntity(crate, place, properties={"@type": kind, **known}))


def author(crate: ROCrate, entry: dict[str, str], place: int) -> Entity:
    """An author as CITATION.cff has one: a person, or a name that stands for several."""
    person = [entry[key] for key in ("given-names", "family-names") if key in entry]
    name = entry.get("orcid") or f"#author-{place + 1}"
    kind = "Person" if person else "Organization"
    return entity(crate, name, kind, name=" ".join(person) or entry["name"])


def action(crate: ROCrate, name: str, manifest: dict[str, Any], held: Held) -> Entity:
    """What a step did, by its manifest, which has this name in the archive."""
    inputs = [thing(crate, entry, held) for entry in manifest["inputs"]]
    outputs = [thing(crate, entry, held) for entry in manifest["outputs"]]
    return crate.add_action(
        instrument(crate, manifest),
        identifier=f"#{quote(name.removesuffix('.manifest.json'))}",
        object=inputs,
        result=outputs,
        properties={
            "name": f"rectify {manifest['step']}",
            "description": f"By {name}, which has all settings, versions and the machine.",
            "startTime": manifest["started"],
            "endTime": manifest["ended"],
        },
    )


def instrument(crate: ROCrate, manifest: dict[str, Any]) -> Entity:
    """The step of rectify that a manifest is of, at the commit and with the code that it had."""
    code, step = manifest["code"], manifest["step"]
    commit = f"commit {code['commit']}{', changed' if code['dirty'] else ''}; "
    version = f"{commit if code['commit'] else ''}code {code['sha256']}"
    name = f"#rectify-{step}-{quote(version.replace(' ', '-'))}"
    said = {"name": f"rectify {step}", "softwareVersion": version}
    return entity(crate, name, "SoftwareApplication", **said)


def thing(crate: ROCrate, entry: dict[str, Any], held: Held) -> Entity:
    """An input or output: the archive's file, or what is not in it, such as a model, by its name
    and hash. Of what lay outside of the checkout the name alone is given.
    """
    path, sha256 = entry["path"], entry["sha256"]
    if held.get(path, ("",))[0] == sha256:
        return crate.get(quote(path))
    path = Path(path).name if path.startswith("/") else path
    name = f"#{quote(path)}@{sha256[:16]}"
    return entity(crate, name, "CreativeWork", name=path, sha256=sha256)
