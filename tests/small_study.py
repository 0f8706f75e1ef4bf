"""A finished study of hand-made models and samples, with the manifests that its steps leave."""

import contextlib
import importlib
import io
import json
import os
import random
import shutil
import sys
from argparse import Namespace
from pathlib import Path

import pandas as pd
import yaml
from helpers import ROOT

STUDY = {
    "study": "small",
    "seeds": [0, 1],
    "models": {"m": {"title": "M", "path": "model"}},
    "data": {"world": {"steps": [1, 2]}, "rows": 8},
    "benchmarks": {
        "easy": {"title": "Easy", "world": {"steps": [1, 1]}, "rows": 3},
        "hard": {"title": "Hard", "world": {"steps": [2, 2]}, "rows": 3},
    },
    "methods": {
        "dft": {"title": "DFT", "objective": "dft"},
        "dft-offline": {
            "title": "DFT", "published": "dft", "objective": "dft", "setting": "offline", "seeds": 1
        },
    },
    "training": {"batch_size": 4, "max_length": 128, "learning_rate": 1e-4},
    "decoding": {"dtype": "float32", "samples": 4, "shards": 2},
    "tables": {"table1": {"caption": "Table 1.", "methods": ["base", "dft", "dft-offline"]}},
    "figures": {
        "figure3": {
            "model": "m", "methods": ["dft"], "learning_rates": [1e-4, 2e-4], "batch_sizes": [],
            "seeds": [0],
        }
    },
}  # fmt: skip


@contextlib.contextmanager
def inside(folder):
    """Work in a folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run(step, *arguments):
    """Run a step as the command line does, in this process and folder, in silence."""
    from rectify.cli import run_step

    module = importlib.import_module(f"rectify.{step}")
    before, sys.argv = sys.argv, [f"rectify.{step}", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            run_step(module.main, module.parser())
    finally:
        sys.argv = before


def as_step(step, write, **options):
    """A hand-made output with the manifest that the step would have left."""
    from rectify.manifest import kept

    with kept(step, Namespace(**options)):
        Path(options["out"]).parent.mkdir(parents=True, exist_ok=True)
        write(Path(options["out"]))


def restate(path):
    """Have the manifest beside a result that a test has doctored state it as it is now."""
    from rectify.manifest import beside, describe_output, stem

    manifest = beside(stem(path))
    stated = json.loads(manifest.read_text()) | {"outputs": [describe_output(path)]}
    manifest.write_text(json.dumps(stated))


def model_folder(weights):
    """What writes a folder that is a model by its files' names alone."""

    def write(folder):
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        (folder / "train.csv").write_text("step,nll\n1,2.5\n2,2.0\n")
        (folder / "model.safetensors").write_bytes(weights)

    return write


def answers(problems, part, name):
    """What writes a part of a model's samples, right at random; `name` seeds them."""
    rng = random.Random(name)
    rows = [
        {
            "benchmark": row.benchmark,
            "checkpoint": 0,
            "problem_id": row.problem_id,
            "sample": sample,
            "seed": 100 * row.problem_id + sample,
            "text": f"{name}: so \\boxed{{{row.answer if rng.random() < 0.5 else -1}}}",
            "n_tokens": 9,
            "finish_reason": "stop",
        }
        for row in problems.iloc[part - 1 :: 2].itertuples()
        for sample in range(4)
    ]
    return lambda path: pd.DataFrame(rows).to_parquet(path, index=False)


def make(folder):
    """Make the study in `folder`, which its paths start at; returns the study."""
    from rectify import layouts, runs
    from rectify.io import read_benchmarks
    from rectify.settings import SETTINGS
    from rectify.study import load_study

    (folder / "config").mkdir()
    shutil.copy2(ROOT / "config" / "published.csv", folder / "config")
    (folder / "config" / "small.yaml").write_text(yaml.safe_dump(STUDY))
    with inside(folder):
        study = load_study("config/small.yaml")
        base = layouts.results(study)
        for rows in ("training", "benchmarks/easy", "benchmarks/hard"):
            files = ["--out", f"{base}/data/{rows}.parquet", "--counts", f"{base}/data/{rows}.json"]
            run("sample", "--settings", json.dumps(SETTINGS["sample"](study, rows)), *files)
        model_folder(b"base")(Path("model"))
        settings = json.dumps(SETTINGS["fetch"](study, "m"))
        run("fetch", "--settings", settings, "--out", f"{base}/models/m/base")
        rows = f"{base}/data/training.parquet"
        as_step(
            "self_sample",
            pd.read_parquet(rows).to_parquet,
            rows=rows,
            out=f"{base}/self/m/base/correct.parquet",
        )
        for run_ in runs.all_runs(study).values():
            as_step(
                "train",
                model_folder(run_.name.encode()),
                settings=SETTINGS["train"](study, "m", run_.name),
                rows=f"{base}/data/training.parquet",
                model=f"{base}/models/m/base",
                out=f"{base}/models/m/{run_.name}",
            )
        benchmarks = layouts.benchmark_files(study)
        problems = read_benchmarks(benchmarks)
        for name in ("base", *(name for _, name in runs.all_runs(study))):
            scores = f"{base}/scores/m/{name}.parquet"
            parts = layouts.samples_behind(study, scores)
            for part, out in enumerate(parts, start=1):
                as_step(
                    "decode",
                    answers(problems, part, name),
                    settings=SETTINGS["decode"](study, "m"),
                    benchmarks=benchmarks,
                    model=f"{base}/models/m/{name}",
                    part=(part, 2),
                    out=out,
                )
            run("score", "--samples", *parts, "--benchmarks", *benchmarks, "--out", scores)
        settings = json.dumps(layouts.table_layout(study, "table1"))
        table = ["--published", "config/published.csv", "--out", f"{base}/tables/table1"]
        run("tabulate", "--settings", settings, *table)
        rows = layouts.table_layout(study, "table1")["rows"]
        scores = sorted({file for row in rows for file in row["scores"]})
        files = ["--scores", *scores, "--benchmarks", *benchmarks]
        run("disagreements", *files, "--out", f"{base}/tables/disagreements")
        overlaps = f"{base}/data/contamination.csv"
        rows = ["--rows", f"{base}/data/training.parquet", "--benchmarks", *benchmarks]
        run("contamination", *rows, "--out", overlaps)
        settings = json.dumps(layouts.overlap_layout(study))
        table = ["--overlaps", overlaps, "--out", f"{base}/tables/contamination"]
        run("uncontaminated", "--settings", settings, *table)
        settings = json.dumps(layouts.summary_layout(study))
        run("summarise", "--settings", settings, "--out", f"{base}/statistics")
        settings = json.dumps(layouts.figure_layout(study, "figure3"))
        run("plot", "figure3", "--settings", settings, "--out", f"{base}/figures/figure3")
        settings = json.dumps(layouts.report_layout(study))
        files = ["--benchmarks", "benchmarks", "--out", f"{base}/report.html"]
        run("report", "--settings", settings, *files)
    return study
