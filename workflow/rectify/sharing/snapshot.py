"""Keep a finished study's numbers as a reference, in small text files that can be committed.

    rectify snapshot results/mini --to results/reference/mini

Copies tables (CSV, Markdown), figures' points (CSV), the claims' verdicts, the counts of the
models' own answers, and the manifests behind them (`manifests.jsonl`: all in one file, what many
share once, without the sizes and times of output files, nor the folders outside of the checkout
that data lay in), and gathers the times of the study's jobs in `benchmarks.csv`. Files of these
kinds that were there before go; others, such as images, stay. `rectify compare` takes such a
folder.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from rectify.provenance.job_times import job_times
from rectify.provenance.manifests import COLLECTED, ancestry, collected, load_manifests
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_text

KEPT = (
    "tables/*.csv", "tables/*.md", "figures/*.csv", "row_weights/*/*.csv", "row_weights/*/*.md",
    "precheck/*.md", "self/*/*/counts.json", "claims.json",
)  # fmt: skip


def without_folders(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest whose options and inputs name what lay outside of the checkout by its name alone:
    its hash says what it was, and where it lay is nobody's business.
    """

    def named(value: Any) -> Any:
        return Path(value).name if isinstance(value, str) and value.startswith("/") else value

    options = {key: named(value) for key, value in manifest["options"].items()}
    inputs = [entry | {"path": named(entry["path"])} for entry in manifest["inputs"]]
    return manifest | {"options": options, "inputs": inputs}


def main(arguments: argparse.Namespace) -> None:
    """Run the command."""
    results, to = Path(arguments.results), Path(arguments.to)
    files = sorted(file for pattern in KEPT for file in results.glob(pattern))
    if not files:
        raise StepError(f"{results}: no {' or '.join(KEPT)} in it; finish the study first")
    manifests = load_manifests(results)
    names = [str(file.relative_to(results).with_suffix(".manifest.json")) for file in files]
    if lost := [name for name in names if name not in manifests]:
        raise StepError(f"{results}/{lost[0]}: no such manifest; make its result again")
    for old in (file for pattern in KEPT for file in to.glob(pattern)):
        old.unlink()
    for file in files:
        copy = to / file.relative_to(results)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    own = ancestry(manifests, names)
    kept = {name: without_folders(manifest) for name, manifest in own.items()}
    write_text(to / COLLECTED, collected(kept))
    study = own[names[0]]["study"]
    times = job_times(Path(arguments.benchmarks), study, manifests)
    if len(times):
        write_text(to / "benchmarks.csv", times.to_csv(index=False))
    size = sum(file.stat().st_size for file in to.rglob("*") if file.suffix != ".png")
    print(f"{to}: {len(files)} files, {len(own)} manifests, {len(times)} jobs; {size / 1e3:.0f} kB")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("snapshot", __doc__)
    options.add_argument("results", help="folder of a finished study's results")
    options.add_argument("--to", required=True, help="folder to keep them in")
    options.add_argument("--benchmarks", default="benchmarks", help="Snakemake's benchmark files")
    return options
