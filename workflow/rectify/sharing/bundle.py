"""Pack a finished study so that others can check its numbers without a GPU.

    rectify bundle config/mini.yaml [--to results/mini/mini.tar.gz]

The archive holds the study's tables, figures, report, scores, samples and benchmark problems, every
manifest, the study as it was resolved, and rebuild.sh: the commands behind the tables, as their
manifests have them. It runs them with the package's own modules (they are in it, with the list of
what they need) and says whether the tables are the same. `sha256sum -c SHA256SUMS` checks it, and
ro-crate-metadata.json tells repositories and other tools what each file is and how it was made. The
same results give the same archive, byte for byte.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.metadata
import json
import shlex
import tarfile
from io import BytesIO
from pathlib import Path

import yaml

from rectify.jobs import paths
from rectify.paper.figure import figures
from rectify.provenance.manifests import Manifests
from rectify.reruns.expected import shown_results
from rectify.sharing import crate
from rectify.step.code_files import BESIDE, PACKAGE, code_files, files_behind, imported_by
from rectify.step.command import step_parser
from rectify.step.environment import step_files
from rectify.step.errors import StepError
from rectify.step.files import replacing
from rectify.step.manifest import find_manifest, read_manifest, study_of
from rectify.study.load import load_study
from rectify.study.schema import Study

REBUILT = (
    "score", "tabulate_scores", "list_disagreements", "tabulate_health", "tabulate_overlaps",
    "tabulate_retention",
)  # fmt: skip
# what pandas imports by itself: for Parquet, Markdown and LaTeX
PANDAS_NEEDS = ("pyarrow", "tabulate", "jinja2")
NOTICES = ("LICENSE", "CITATION.cff")

README = """# Study '{name}'

The numbers of a run of rectify (a reproduction of arXiv 2508.05629), and what they were made from.

    sha256sum -c SHA256SUMS                  # is everything here as it was packed
    python3.11 -m venv .venv && .venv/bin/pip install -r requirements.txt
    PYTHON=.venv/bin/python ./rebuild.sh     # from the samples to the tables again; no GPU needed

`rebuild.sh` writes to `rebuilt/` and ends with an error if a table differs. `study.yaml` is the
study with all its settings. Every result has a manifest beside it (`*.manifest.json`); models and
training rows are not here, but their manifests are (and, as RO-Crate, all of it for machines in
`ro-crate-metadata.json`):

    PYTHONPATH=workflow .venv/bin/python -m rectify trace {table} --cell MODEL,METHOD,BENCHMARK
"""

SCRIPT = """#!/bin/sh
# Grades the samples of study '{name}' and makes its tables again, in rebuilt/; no GPU is needed.
# PYTHON: an interpreter with requirements.txt installed; WORKERS: processes that grade at a time.
set -eu
cd "$(dirname "$0")"
export PYTHONPATH="$PWD/workflow"
rm -rf rebuilt && mkdir -p rebuilt/{results} && cd rebuilt
# what is read and not made again
for part in config settings {results}/data {results}/models {results}/samples {results}/self \\
  {results}/divergence; do
  ln -s "$OLDPWD/$part" "$part"
done
rectify() {{ "${{PYTHON:-python3}}" -m rectify "$@"; }}

{commands}

for file in results/*/tables/*.csv results/*/tables/*.md results/*/tables/*.tex; do
  cmp "$file" "../$file"
done
echo "the tables are those of the bundle, byte for byte"
"""


def behind(files: list[str], steps: set[str], found: Manifests | None = None) -> Manifests:
    """The manifests of these steps that files come from, each after those of what it has read.

    What other steps have made is not followed.
    """
    found = {} if found is None else found
    for file in files:
        where, manifest = find_manifest(Path(file)) or (None, {})
        if str(where) not in found and manifest.get("step") in steps:
            behind([entry["path"] for entry in manifest["inputs"]], steps, found)
            found[str(where)] = manifest
    return found


def files_at(path: str) -> list[str]:
    """A file, or of a folder its CSV: the statistics, a training's log."""
    folder = Path(path)
    return sorted(map(str, folder.glob("*.csv"))) if folder.is_dir() else [path]


def result_files(study: Study) -> list[str]:
    """The results that are packed: all that is shown and the scores behind it, and what the scores
    and tables were made from.
    """
    results = list(shown_results(study))
    shown = [path for result in results for path in result.outputs]
    found = behind(shown, {"score", *(result.step for result in results)})
    for manifest in found.values():
        shown += [output["path"] for output in manifest["outputs"]]
        if manifest["step"] in REBUILT:
            shown += [entry["path"] for entry in manifest["inputs"]]
    return [file for path in dict.fromkeys(shown) for file in files_at(path)]


def rebuilding(study: Study) -> dict[str, str]:
    """The shell script that makes the tables from the samples, and the settings that it reads."""
    results = shown_results(study)
    tables = [file for result in results if result.step in REBUILT for file in result.outputs]
    commands, texts = [], {}
    for manifest in behind(tables, set(REBUILT)).values():
        options = dict(manifest["options"])
        line = f"rectify {manifest['step']}"
        if options.pop("workers", None):
            line += ' --workers "${WORKERS:-2}"'
        if manifest["settings"]:
            options["settings"] = f"settings/{Path(options['out']).name}.json"
            texts[options["settings"]] = json.dumps(manifest["settings"], indent=2)
        for option, value in options.items():
            if value is None:
                continue
            words = value if isinstance(value, list) else [value]
            if option == "graders":  # a user's own file lies in the archive as it does here
                words = [text.replace("=", "=../", 1) if ".py:" in text else text for text in words]
            line += f" --{option} {shlex.join(words)}"
        commands.append(line)
    texts["rebuild.sh"] = SCRIPT.format(
        name=study.study, results=paths.results(study), commands="\n".join(commands)
    )
    return texts


def requirements(code: set[str]) -> str:
    """What the modules need, in the versions that are installed here."""
    names = {name for file in code for name in imported_by(PACKAGE.parents[1] / file)}
    found = importlib.metadata.packages_distributions()
    needed = {name.split(".")[0] for name in names} - {"rectify"}
    packages = {found[name][0] for name in needed if name in found} | set(PANDAS_NEEDS)
    lines = [f"{name}=={importlib.metadata.version(name)}" for name in packages]
    return "\n".join(sorted(lines, key=str.lower)) + "\n"


def contents(study: Study) -> dict[str, Path | bytes]:
    """Every file of the archive but the checksums, by name: where it is, or what it holds.

    Raises StepError for a result that is not there, or that has no manifest of it beside it.
    """
    names = result_files(study)
    for name in names:
        if not Path(name).is_file():
            raise StepError(f"{name}: no such file; finish the study first (make reproduce)")
    own = [name for name in names if study_of(name)]
    # a folder that a step wrote as a whole has one for all its files
    if lost := [n for n in own if not any(map(find_manifest, (Path(n), Path(n).parent)))]:
        more = f" and {len(lost) - 1} more" if lost[1:] else ""
        raise StepError(
            f"{lost[0]}{more}: no manifest; every result of a bundle has one: make it again"
        )
    found: dict[str, Path | bytes] = {name: Path(name) for name in names}
    folder = Path(paths.results(study))
    found |= {str(path): path for path in folder.rglob("*.manifest.json")}
    # the door and the rooms' faces: without them another rectify that is installed would come first
    door = [PACKAGE / "__main__.py", *PACKAGE.rglob("__init__.py")]
    code = {str(file.relative_to(PACKAGE.parents[1])) for file in door}
    # by the door, and by what every step starts with
    imported = ("step.garbage", "step.warm", *(name.removeprefix("rectify.") for name in BESIDE))
    code |= {file for module in imported for file in files_behind(module)}
    code |= {file for step in (*REBUILT, "trace") for file in code_files(step)}
    # trace asks the figures' modules, whose drawing it has no need of, nor of what that imports
    drawn = {file for name in figures() for file in step_files("plot_figure", name)}
    found |= {name: PACKAGE.parents[1] / name for name in (*code, *drawn, *NOTICES)}
    table = paths.table(study, next(iter(study.tables), "table1"))
    texts = {
        "README.md": README.format(name=study.study, table=table),
        "requirements.txt": requirements(sorted(code)),
        "study.yaml": yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False),
        **rebuilding(study),
    }
    return found | {name: text.encode() for name, text in texts.items()}


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file, with nothing of this machine or this moment."""
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mode = 0o755 if name.endswith(".sh") else 0o644
    archive.addfile(entry, BytesIO(data))


def pack(study: Study, to: Path) -> list[str]:
    """Write the archive of a study; the names of its files.

    Raises StepError for a result that is not there.
    """
    root, files = f"rectify-{study.study}", contents(study)
    stated = {name: read_manifest(Path(name)) for name in files if name.endswith(".manifest.json")}
    held: crate.Held = {}
    with (
        replacing(to) as temporary,
        temporary.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):

        def put(name: str, data: bytes) -> None:
            held[name] = hashlib.sha256(data).hexdigest(), len(data)
            add(archive, f"{root}/{name}", data)

        for name in sorted(files):
            own = files[name]
            put(name, own.read_bytes() if isinstance(own, Path) else own)
        put(crate.FILE, crate.crate_text(study.study, held, stated).encode())
        lines = "".join(f"{digest}  {name}\n" for name, (digest, _) in held.items())
        add(archive, f"{root}/SHA256SUMS", lines.encode())
    return list(held)


def main(arguments: argparse.Namespace) -> None:
    """Run the command."""
    study = load_study(arguments.study)
    to = Path(arguments.to or f"{paths.results(study)}/{study.study}.tar.gz")
    names = pack(study, to)
    count = sum(name.endswith(".manifest.json") for name in names)
    print(f"{to}: {len(names)} files, {count} of them manifests, {to.stat().st_size / 1e6:.1f} MB")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("bundle", __doc__)
    options.add_argument("study", help="a study file")
    options.add_argument("--to", help="archive to write (results/STUDY/STUDY.tar.gz)")
    return options
