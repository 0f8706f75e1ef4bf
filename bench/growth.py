"""Cost growth: a study's tables from 10^5, 10^6 and 10^7 sample rows: time and peak memory.

    python -m bench.growth

The rows are those of score files of the paper's shape: five benchmarks of 1,517 problems in all
with 16 samples each, for as many runs as it takes. Every step is a process of its own, run as the
rules run it.
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
PUBLISHED = ROOT / "config/published.csv"
# the steps that read scores, and the rest of their command lines by the folder to write to
STEPS: dict[str, Callable[[Path], list]] = {
    "tabulate": lambda folder: ["--published", PUBLISHED, "--out", folder / "table1"],
}


def write_scores(file: Path, seed: int) -> int:
    """Write a score file of one run; returns its rows."""
    import numpy as np
    import pandas as pd
    from rectify.io import write_parquet

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
                }
            )
        )
    table = pd.concat(tables, ignore_index=True)
    write_parquet(file, table)
    return len(table)


def layout(files: list[str]) -> dict:
    """The settings of a table whose rows share these score files: one seed of a method each."""
    rows = []
    methods = ["base", "sft", "dft"]
    cells = [(f"model-{m}", method) for m in range(MODELS) for method in methods]
    for index, (model, method) in enumerate(cells):
        own = files[index :: len(cells)]
        if own:
            rows.append(
                {
                    "model": model, "model_title": model, "published": None, "method": method,
                    "method_title": method, "setting": "-" if method == "base" else "sft",
                    "scores": own,
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
        for wanted in (10**5,) if arguments.quick else (10**5, 10**6, 10**7):
            while count < wanted:
                files.append(str(folder / f"{len(files)}.parquet"))
                if len(files) <= 50:
                    each = write_scores(Path(files[-1]), len(files))
                else:  # as many rows, none of them new
                    os.link(files[len(files) % 50], files[-1])
                count += each
            settings = folder / "table.json"
            settings.write_text(json.dumps(layout(files)))
            for step in STEPS:
                done = run("-m", f"rectify.{step}", "--settings", settings, *STEPS[step](folder))
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
