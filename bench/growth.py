"""Cost growth: a study's tables, statistics and page from 10^5, 10^6 and 10^7 sample rows: time and
peak memory.

    python -m bench.growth

The rows are those of score files of the paper's shape: five benchmarks of 1,517 problems in all
with 16 samples each, for as many runs as it takes. Every step is a process of its own, run as the
rules run it. The page shows samples of one run of each row, as many as fit: it hardly grows.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.common import ROOT, parser, publish, run

BENCHMARKS = {
    "math500": 500,
    "minerva_math": 272,
    "olympiadbench": 675,
    "aime24": 30,
    "amc23": 40,
}
SAMPLES = 16
MODELS = 5
METHODS = ("base", "sft", "dft")
PUBLISHED = ROOT / "config/published.csv"
# the steps that read scores: their settings by the table's, and the rest of their command lines by
# the folder to write to
STEPS: dict[str, tuple[Callable[[dict, Path], dict], Callable[[Path], list]]] = {
    "tabulate_scores": (
        lambda table, folder: table,
        lambda folder: ["--published", PUBLISHED, "--out", folder / "table1"],
    ),
    "tabulate_health": (
        lambda table, folder: table,
        lambda folder: ["--out", folder / "health"],
    ),
    "summarise_scores": (
        lambda table, folder: {"tables": [table]},
        lambda folder: ["--out", folder],
    ),
    "render_report": (
        lambda table, folder: page_layout(table, folder),
        lambda folder: ["--benchmarks", folder / "none", "--out", folder / "report.html"],
    ),
}


def write_scores(file: Path, seed: int) -> int:
    """Write a score file of one run; returns its rows."""
    import numpy as np
    import pandas as pd
    from rectify.step.tables import write_parquet

    source, tables = np.random.default_rng(seed), []
    for name, count in BENCHMARKS.items():
        rows = count * SAMPLES
        correct = source.random(rows) < np.repeat(source.beta(0.5, 1, count), SAMPLES)
        tables.append(
            pd.DataFrame(
                {
                    "benchmark": name,
                    "checkpoint": 0,
                    "problem_id": np.repeat(np.arange(count), SAMPLES),
                    "sample": np.tile(np.arange(SAMPLES), count),
                    "answer": source.integers(0, 10**6, rows).astype(str),
                    "correct": correct,
                    "harness": correct,
                    "status": "ok",
                    "n_tokens": source.integers(50, 3000, rows),
                    "finish_reason": "stop",
                    "loop": False,
                }
            )
        )
    table = pd.concat(tables, ignore_index=True)
    write_parquet(file, table)
    if seed < MODELS * len(METHODS):  # of these the page shows samples
        texts = "So it is \\boxed{" + table["answer"] + "}."
        samples = table[["benchmark", "checkpoint", "problem_id", "sample"]].assign(text=texts)
        write_parquet(file.with_suffix(".samples"), samples)
    return len(table)


def write_problems(folder: Path) -> None:
    """Write the benchmarks' problems."""
    import pandas as pd
    from rectify.step.tables import write_parquet

    for name, count in BENCHMARKS.items():
        problems = [f"What is {number}?" for number in range(count)]
        rows = {"problem_id": range(count), "problem": problems, "answer": "1"}
        write_parquet(folder / f"{name}.parquet", pd.DataFrame(rows))


def page_layout(table: dict, folder: Path) -> dict:
    """The settings of the page: the table with its statistics and samples."""
    rows = [
        {**row, "scores": row["scores"][0], "samples": [f"{row['scores'][0][:-8]}.samples"]}
        for row in table["rows"]
    ]
    return {
        "study": "growth", "scoring": table["scoring"], "claims": None, "figures": {},
        "captions": {},
        "tables": [{**table, "csv": str(folder / "table1.csv")}],
        "statistics": {
            name: str(folder / f"{name}.csv") for name in ("comparisons", "variance", "statuses")
        },
        "health": str(folder / "health.csv"), "learning_rates": None,
        "disagreements": str(folder / "none.csv"),
        "contamination": {"cells": str(folder / "none.csv"), "pairs": str(folder / "none.csv")},
        "problems": [str(folder / f"{name}.parquet") for name in BENCHMARKS],
        "rows": rows,
    }  # fmt: skip


def layout(files: list[str]) -> dict:
    """The settings of a table whose rows share these score files: one seed of a method each."""
    rows = []
    cells = [(f"model-{m}", method) for m in range(MODELS) for method in METHODS]
    for index, (model, method) in enumerate(cells):
        own = files[index :: len(cells)]
        if own:
            rows.append(
                {
                    "model": model, "model_title": model, "published": None, "method": method,
                    "method_title": method, "setting": "-" if method == "base" else "sft",
                    "scores": own, "training": None,
                }
            )  # fmt: skip
    return {
        "name": "table1", "caption": "Growth.", "rows": rows,
        "scoring": {"grader": "corrected", "rounding": "exact"},
        "benchmarks": [{"name": n, "title": n, "published": None} for n in BENCHMARKS],
    }  # fmt: skip


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder, files, count = Path(name), [], 0
        write_problems(folder)
        for wanted in (10**5,) if arguments.quick else (10**5, 10**6, 10**7):
            while count < wanted:
                seed, row = divmod(len(files), MODELS * len(METHODS))  # as `layout` deals them out
                files.append(str(folder / f"{row}-seed{seed}.parquet"))
                if len(files) <= 50:
                    each = write_scores(Path(files[-1]), len(files))
                else:  # as many rows, none of them new
                    os.link(files[len(files) % 50], files[-1])
                count += each
            for step, (settings_of, options) in STEPS.items():
                settings = folder / f"{step}.json"
                settings.write_text(json.dumps(settings_of(layout(files), folder)))
                done = run("-m", "rectify", step, "--settings", settings, *options(folder))
                rows.append(
                    {
                        "step": step, "sample_rows": count, "files": len(files),
                        "seconds": done["seconds"], "peak_mib": done["peak_mib"],
                    }
                )  # fmt: skip
                print(rows[-1], flush=True)
    publish("growth", arguments, rows)


if __name__ == "__main__":
    main(parser("growth", __doc__).parse_args())
