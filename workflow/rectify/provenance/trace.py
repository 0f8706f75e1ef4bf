r"""Follow a number of a table or a figure back to its samples, models, rows and sources.

    rectify trace results/mini/tables/table1.csv --cell qwen2-mini,dft,six-steps
    rectify trace results/mini/tables/table3.csv --cell qwen2-mini,dft,mean \
        --setting offline
    rectify trace results/mini/figures/figure3.csv --cell dft,learning_rate,0.0002

Prints every file that the number came from, as its manifest describes it, and whether it has
changed since; that an accuracy follows from the verdicts; and some of the samples behind it. Ends
with status 2 where the chain does not hold. In a reference (rectify snapshot) most files are not
there, but all the manifests are. The cell is MODEL,METHOD,BENCHMARK in a table (contamination.csv
too; in health.csv MODEL,METHOD,BENCHMARK,QUANTITY), in a figure as follows (LOW is the lower end of
a bin), all as the CSV has them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rectify.data.rows import read_benchmarks
from rectify.paper.figure import listed
from rectify.provenance.cells import behind, keys_of, kind_of, same, scored
from rectify.provenance.chain import (
    ABSENT,
    Link,
    Locate,
    all_links,
    beside_results,
    describe,
    drawn,
    follow,
    in_reference,
)
from rectify.provenance.manifests import COLLECTED, read_collected
from rectify.statistics.accuracy import cells_by_benchmark, read_scores
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.manifest import find_manifest, output_of
from rectify.step.tables import read_parquet, read_texts

NAMED = 3  # files at which a chain does not hold, in its one line
SAMPLE = ["benchmark", "checkpoint", "problem_id", "sample"]


def open_result(path: Path) -> tuple[Path, Locate, dict[str, Any], dict[str, Any]]:
    """The folder that a result's paths start at, how they are found, its manifest, and its entry
    in that.

    Raises StepError if it has no manifest, or one that is of another place.
    """
    found = find_manifest(path)
    folder = path.resolve().parent.parent
    if found is None and (folder / COLLECTED).is_file():
        locate = in_reference(folder, read_collected(folder / COLLECTED))
        # as if it lay in a folder of results: only what is below it counts
        found = locate(f"results/{folder.name}/{path.parent.name}/{path.name}")[1]
        if found:
            return folder, locate, found[1], output_of(found[1], path)
    if found is None:
        raise StepError(
            f"{path}: no manifest of it beside it; it was made before manifests were kept, or "
            "copied without: make it again"
        )
    entry = output_of(found[1], path)
    whole, named = str(path.resolve()), entry["path"]
    if not Path(named).is_absolute() and not whole.endswith(f"/{named}"):
        raise StepError(
            f"{found[0]}: is of {named}, study '{found[1]['study']}', not of a file in this "
            "folder; a results folder holds one study's results"
        )
    root = Path(whole.removesuffix(named))
    return root, beside_results(root), found[1], entry


def find_row(
    table: pd.DataFrame, keys: list[str], values: list[str], setting: str | None
) -> pd.Series:
    """The row that `--cell` and `--setting` name; raises StepError unless it is exactly one."""
    if len(values) != len(keys):
        raise StepError(f"--cell: {','.join(values)}: it takes {','.join(keys).upper()} here")
    rows = table
    for key, value in zip(keys, values, strict=True):
        chosen = rows[[same(cell, value) for cell in rows[key]]]
        if chosen.empty:
            there = ", ".join(rows[key].unique())
            raise StepError(f"--cell: no {key} '{value}' there; there are {there}")
        rows = chosen
    if setting:
        there = ", ".join(rows["setting"].unique()) if "setting" in rows else "none"
        rows = rows[rows["setting"] == setting] if "setting" in rows else rows.head(0)
        if rows.empty:
            raise StepError(f"--setting: no '{setting}' of this cell; there are {there}")
    if len(rows) > 1:
        raise StepError(
            f"--cell: {','.join(values)} is {len(rows)} cells; say --setting, one of "
            f"{', '.join(rows['setting'].unique())}"
        )
    return rows.iloc[0]


def recompute(root: Path, scores: list[str], layout: dict[str, Any], row: pd.Series) -> str:
    """Whether the number follows from the verdicts, in a line; raises StepError if it does not."""
    frame = at_step(read_scores([str(root / file) for file in scores]), row)
    titles = layout["benchmarks"]
    names = list(titles) if isinstance(titles, dict) else [entry["name"] for entry in titles]
    cell = cells_by_benchmark(frame, names, layout["scoring"])[row.get("benchmark", "mean")]
    if abs(cell.accuracy - float(row["accuracy"])) > 1e-5:
        raise StepError(
            f"the score files say {cell.accuracy:.6f}, not the {row['accuracy']} that is printed: "
            "one of them has changed since"
        )
    return (
        f"{row['accuracy']} ± {row['stderr']} follows from these verdicts: {cell.n_problems} "
        f"problems x {cell.n_samples} samples x {cell.n_seeds} training seeds"
    )


def at_step(frame: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """The rows of a point of Figure 1: files of checkpoints hold all of them."""
    many = "step" in row and frame["checkpoint"].nunique() > 1
    return frame[frame["checkpoint"] == int(row["step"])] if many else frame


def samples_of(root: Path, link: Link, row: pd.Series) -> pd.DataFrame:
    """Every sample behind a score file, with its question, gold answer and verdict.

    Raises StepError for a file that is not there.
    """
    options = link.manifest["options"]
    texts = [read_parquet(root / file, *SAMPLE, "seed", "text") for file in options["samples"]]
    problems = read_benchmarks([str(root / file) for file in options["benchmarks"]])
    scores = read_parquet(root / link.path, *SAMPLE)
    joined = scores.merge(pd.concat(texts)[[*SAMPLE, "seed", "text"]], on=SAMPLE, how="left")
    joined = joined.merge(
        problems.rename(columns={"answer": "gold"}), on=["benchmark", "problem_id"], how="left"
    )
    benchmark = row.get("benchmark", "mean")
    joined = at_step(joined, row)
    return joined if benchmark == "mean" else joined[joined["benchmark"] == benchmark]


def printable(text: Any) -> str:
    """A model's text without what would steer a terminal."""
    kept = (c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in str(text))
    return "".join(kept).replace("\n", "\n    ")


def show(samples: pd.DataFrame, path: str, count: int) -> Iterator[str]:
    """Some of the samples, evenly spread, with their answers and verdicts."""
    chosen = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int)
    for sample in samples.iloc[chosen].itertuples():
        verdict = "right" if sample.correct else "wrong"
        harness = "right" if sample.harness else "wrong"
        yield ""
        yield f"{path}: {sample.benchmark}, problem {sample.problem_id}, sample {sample.sample}"
        yield f"  question: {printable(sample.problem)}"
        yield f"  response (seed {sample.seed}): {printable(sample.text)}"
        yield (
            f"  extracted: {printable(sample.answer)}; gold: {printable(sample.gold)}; verdict: "
            f"{verdict} ({sample.status}; the harness's rules: {harness})"
        )


def said_of_broken(broken: list[Link]) -> str:
    """The first of the links at which a chain does not hold, and how many there are."""
    first = "; ".join(f"{link.path} ({describe(link)[0]})" for link in broken[:NAMED])
    more = len(broken) - NAMED
    return f"{first}; and {more} more, marked above" if more > 0 else first


def main(arguments: argparse.Namespace) -> None:
    """Run the command."""
    path = Path(arguments.result)
    root, locate, manifest, entry = open_result(path)
    kind = kind_of(manifest)
    if (keys := keys_of(kind)) is None:
        raise StepError(f"{path}: neither a study's table nor a figure's points")
    table, layout = read_texts(path), manifest["settings"]
    row = find_row(table, keys, arguments.cell.split(","), arguments.setting)
    chain = follow(locate, entry, behind(kind, layout, table, row))
    print(", ".join(f"{key} {value}" for key, value in row.items() if value))
    print("\n".join(drawn(chain)))
    links = list(all_links(chain))
    scores = [link for link in chain.parents if link.manifest and link.manifest["step"] == "score"]
    here = [link for link in scores if link.state != ABSENT]
    for link in here:
        try:
            print("\n".join(show(samples_of(root, link, row), link.path, arguments.show)))
        except StepError as error:
            print(f"\n{link.path}: its samples cannot be shown: {error}")
    if broken := [link for link in links if link.broken]:
        raise StepError(f"{path}: the chain does not hold: {said_of_broken(broken)}")
    gone = sum(link.state == ABSENT for link in links)
    print(f"\n{len(links)} files and folders: {len(links) - gone} unchanged, {gone} {ABSENT}")
    if scores and here == scores and "accuracy" in row and kind != "tabulate_rates":
        files = scored(kind, layout, row) or [link.path for link in scores]
        print(recompute(root, files, layout, row))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    cells = listed(lambda figure: ",".join(figure.KEYS).upper())
    options = step_parser("trace", f"{__doc__}\n{cells}")
    options.add_argument("result", help="CSV of a table or a figure")
    options.add_argument("--cell", required=True, help="the row of the CSV, see above")
    options.add_argument(
        "--setting", help="sft, offline, online, released, where there are several"
    )
    options.add_argument("--show", type=int, default=3, help="samples of each run to show (3)")
    return options
