"""Pack a finished study so that others can check its numbers without a GPU.

    rectify bundle config/mini.yaml [--to results/mini/mini.tar.gz]

The archive holds the study's tables, figures, report, scores, samples and benchmark problems, every
manifest, the study as it was resolved, and rebuild.sh, which grades the samples and makes the
tables again with the package's own modules (they are in it, with the list of what they need) and
says whether they are the same. `sha256sum -c SHA256SUMS` checks it. The same results give the same
archive, byte for byte.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import importlib.metadata
import json
import shlex
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import yaml

from rectify.jobs import layouts, paths
from rectify.jobs.settings import grader_files, graders
from rectify.step.code_files import PACKAGE, code_files, files_behind
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.files import replacing
from rectify.step.manifest import find_manifest
from rectify.study.load import load_study
from rectify.study.schema import Study

PUBLISHED = "config/published.csv"
STEPS = ("score", "tabulate_scores", "list_disagreements", "tabulate_overlaps", "trace")
# what pandas imports by itself: for Parquet, Markdown and LaTeX
PANDAS_NEEDS = ("pyarrow", "tabulate", "jinja2")

README = """# Study '{name}'

The numbers of a run of rectify (a reproduction of arXiv 2508.05629), and what they were made from.

    sha256sum -c SHA256SUMS                  # is everything here as it was packed
    python3.11 -m venv .venv && .venv/bin/pip install -r requirements.txt
    PYTHON=.venv/bin/python ./rebuild.sh     # from the samples to the tables again; no GPU needed

`rebuild.sh` writes to `rebuilt/` and ends with an error if a table differs. `study.yaml` is the
study with all its settings. Every result has a manifest beside it (`*.manifest.json`); models and
training rows are not here, but their manifests are:

    PYTHONPATH=workflow .venv/bin/python -m rectify trace {table} --cell MODEL,METHOD,BENCHMARK
"""

HEAD = """#!/bin/sh
# Grades the samples of study '{name}' and makes its tables again, in rebuilt/; no GPU is needed.
# PYTHON: an interpreter with requirements.txt installed; WORKERS: processes that grade at a time.
set -eu
cd "$(dirname "$0")"
export PYTHONPATH="$PWD/workflow"
rm -rf rebuilt && mkdir -p rebuilt/{results} && cd rebuilt
# what the tables' notes tell of the training
for part in models self data; do ln -s "$OLDPWD/{results}/$part" "{results}/$part"; done
rectify() {{ "${{PYTHON:-python3}}" -m rectify "$@"; }}
"""

TAIL = """
for file in results/*/tables/*.csv results/*/tables/*.md results/*/tables/*.tex; do
  cmp "$file" "../$file"
done
echo "the tables are those of the bundle, byte for byte"
"""


def result_files(study: Study) -> list[str]:
    """The results that are packed: tables, figures and all that the tables are rebuilt from."""
    shown = [
        paths.table(study, name, kind) for name in study.tables for kind in ("csv", "md", "tex")
    ]
    if study.tables:
        both = ("disagreements", "contamination")
        shown += [paths.table(study, name, kind) for name in both for kind in ("csv", "md")]
        shown += [paths.statistics(study, name) for name in layouts.STATISTICS]
        shown += [paths.overlaps(study)]
    shown += [paths.claims(study)] if study.claims else []
    shown += [paths.report(study)]
    for name in layouts.figure_names(study):
        shown += [paths.figure(study, name, kind) for kind in ("csv", "pdf", "png")]
    scores = layouts.scores_shown(study)
    rl = [row["training"] for row in layouts.shown_rows(study) if row["training"]]
    return [
        *shown,
        *scores,
        *(file for score in scores for file in paths.samples_behind(study, score)),
        *paths.benchmark_files(study),
        *sorted({file for training in rl for file in training["rows"]}),
        *(f"{folder}/train.csv" for training in rl for folder in training["models"]),
    ]


def rebuild_script(study: Study) -> str:
    """The shell script that makes the tables from the samples, in a folder of its own."""
    lines = [HEAD.format(name=study.study, results=paths.results(study))]
    problems = [f"../{file}" for file in paths.benchmark_files(study)]
    tables = {name: layouts.table_layout(study, name) for name in study.tables}
    files = [row["scores"] for table in tables.values() for row in table["rows"]]
    scores = sorted(set(layouts.files_in(files)))
    # a user's grader lies in the archive as it does here
    own = [text.replace("=", "=../", 1) if ".py:" in text else text for text in graders(study)]
    for file in scores:
        samples = [f"../{part}" for part in paths.samples_behind(study, file)]
        words = ["--samples", *samples, "--benchmarks", *problems, "--out", file]
        words += ["--graders", *own] if own else []
        lines.append(f'rectify score --workers "${{WORKERS:-2}}" {shlex.join(words)}')
    for name in tables:
        words = ["--published", f"../{PUBLISHED}", "--settings", f"../layouts/{name}.json"]
        words += ["--out", paths.table(study, name).removesuffix(".csv")]
        lines.append(f"rectify tabulate_scores {shlex.join(words)}")
    if tables:
        words = ["--scores", *scores, "--benchmarks", *problems]
        words += ["--out", paths.table(study, "disagreements").removesuffix(".csv")]
        lines.append(f"rectify list_disagreements {shlex.join(words)}")
        words = ["--settings", "../layouts/contamination.json"]
        words += ["--overlaps", f"../{paths.overlaps(study)}"]
        words += ["--out", paths.table(study, "contamination").removesuffix(".csv")]
        lines.append(f"rectify tabulate_overlaps {shlex.join(words)}")
    return "\n".join(lines) + TAIL


def imports_of(files: list[Path]) -> set[str]:
    """Top-level names that modules import, but for the standard library's and this package's."""
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"rectify"}


def requirements(code: list[str]) -> str:
    """What the modules need, in the versions that are installed here."""
    names = imports_of([PACKAGE.parents[1] / file for file in code])
    found = importlib.metadata.packages_distributions()
    packages = {found[name][0] for name in names} | set(PANDAS_NEEDS)
    lines = [f"{name}=={importlib.metadata.version(name)}" for name in packages]
    return "\n".join(sorted(lines, key=str.lower)) + "\n"


def contents(study: Study) -> dict[str, Path | bytes]:
    """Every file of the archive but the checksums, by name: where it is, or what it holds.

    Raises StepError for a result that is not there, or that has no manifest of it beside it.
    """
    found: dict[str, Path | bytes] = {name: Path(name) for name in result_files(study)}
    for name in found:
        if not Path(name).is_file():
            raise StepError(f"{name}: no such file; finish the study first (make reproduce)")
    # a folder that a step wrote as a whole has one for all its files
    if lost := [n for n in found if not any(map(find_manifest, (Path(n), Path(n).parent)))]:
        more = f" and {len(lost) - 1} more" if lost[1:] else ""
        raise StepError(
            f"{lost[0]}{more}: no manifest; every result of a bundle has one: make it again"
        )
    folder = Path(paths.results(study))
    found |= {str(path): path for path in folder.rglob("*.manifest.json")}
    # the door and the rooms' faces: without them another rectify that is installed would come first
    door = [PACKAGE / "__main__.py", *PACKAGE.rglob("__init__.py")]
    code = {str(file.relative_to(PACKAGE.parents[1])) for file in door}
    code |= {*files_behind("step.manifest"), *(file for step in STEPS for file in code_files(step))}
    code = sorted(code)
    found |= {name: PACKAGE.parents[1] / name for name in (*code, "LICENSE")}
    found |= {name: Path(name) for name in grader_files(study)}
    found[PUBLISHED] = Path(PUBLISHED)
    table = paths.table(study, next(iter(study.tables), "table1"))
    texts = {
        "README.md": README.format(name=study.study, table=table),
        "requirements.txt": requirements(code),
        "study.yaml": yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False),
        "rebuild.sh": rebuild_script(study),
    }
    shown = {name: layouts.table_layout(study, name) for name in study.tables}
    shown |= {"contamination": layouts.overlap_layout(study)} if study.tables else {}
    for name, layout in shown.items():
        texts[f"layouts/{name}.json"] = json.dumps(layout, indent=2, ensure_ascii=False)
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
    root, sums, files = f"rectify-{study.study}", {}, contents(study)
    with (
        replacing(to) as temporary,
        temporary.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name in sorted(files):
            held = files[name]
            data = held.read_bytes() if isinstance(held, Path) else held
            sums[name] = hashlib.sha256(data).hexdigest()
            add(archive, f"{root}/{name}", data)
        lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
        add(archive, f"{root}/SHA256SUMS", lines.encode())
    return list(sums)


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
