"""A finished study of hand-made models and samples, with the manifests that its steps leave."""

import contextlib
import importlib
import io
import json
import os
import random
import shutil
from argparse import Namespace
from pathlib import Path

import pandas as pd
import yaml
from helpers import ROOT, settings_file
from rectify import STEPS

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

# the same with a ready checkpoint beside its DFT, and other graders than mathematics'
RELEASED = {
    **STUDY,
    "methods": {
        **STUDY["methods"],
        "released": {"title": "DFT", "published": "dft", "checkpoint": {"m": "./released"}},
    },
    "benchmarks": {
        "easy": {**STUDY["benchmarks"]["easy"], "grader": "own.py:boxed"},
        "hard": {**STUDY["benchmarks"]["hard"], "grader": "exact"},
    },
    "tables": {"table1": {"caption": "Table 1.", "methods": ["base", "dft", "released"]}},
}
OWN = """\
def boxed(gold, response, row):
    return f"boxed{{{gold}}}" in response and gold == row["answer"]
"""


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
    from rectify.step.command import run_step

    module = importlib.import_module(f"rectify.{STEPS[step]}.{step}")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run_step(module.main, module.parser(), list(map(str, arguments)))


def as_step(step, write, **options):
    """A hand-made output with the manifest that the step would have left."""
    from rectify.step.manifest import kept

    with kept(step, Namespace(**options)):
        Path(options["out"]).parent.mkdir(parents=True, exist_ok=True)
        write(Path(options["out"]))


def restate(path):
    """Have the manifest beside a result that a test has doctored state it as it is now."""
    from rectify.step.manifest import beside, describe_output, stem

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


def prechecked(path):
    """Writes what a precheck might have found, as `rectify precheck` does: PATH.json, PATH.md."""
    from rectify.statistics.regimes import verdict

    numbers = {"tokens": 1234, "share": 0.004, "low": 0.0, "high": 0.012}
    classes = {
        "number": {"tokens": 1234, "mean_p": 0.95, "silenced": 0.004, "loss": 0.1, "removed": 0.5},
        "word": {"tokens": 567, "mean_p": 0.25, "silenced": 0.5625, "loss": 0.9, "removed": 0.875},
    }
    said = {"verdict": verdict(numbers, classes), "classes": classes, "facts": ["17 duplicates."]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(said))
    path.with_suffix(".md").write_text(said["verdict"]["sentence"])


def make(folder, described=STUDY):
    """Make the study in `folder`, which its paths start at; returns the study."""
    from rectify.data.rows import read_benchmarks
    from rectify.jobs import layouts, paths, runs
    from rectify.jobs.settings import SETTINGS, graders
    from rectify.study.load import load_study

    (folder / "config").mkdir()
    shutil.copy2(ROOT / "config" / "published.csv", folder / "config")
    (folder / "config" / "small.yaml").write_text(yaml.safe_dump(described))
    (folder / "own.py").write_text(OWN)
    with inside(folder):
        study = load_study("config/small.yaml")
        base = paths.results(study)
        for rows in ("training", "benchmarks/easy", "benchmarks/hard"):
            files = ["--out", f"{base}/data/{rows}.parquet", "--counts", f"{base}/data/{rows}.json"]
            run(
                "sample_rows",
                "--settings",
                settings_file(SETTINGS["sample_rows"](study, rows)),
                *files,
            )
        model_folder(b"base")(Path("model"))
        settings = settings_file(SETTINGS["fetch_model"](study, "m"))
        run("fetch_model", "--settings", settings, "--out", f"{base}/models/m/base")
        rows = f"{base}/data/training.parquet"
        as_step(
            "keep_answers",
            pd.read_parquet(rows).to_parquet,
            rows=rows,
            out=f"{base}/self/m/base/correct.parquet",
        )
        model_folder(b"released")(Path("released"))
        for _, name in runs.all_runs(study).keys() - runs.trained_runs(study).keys():
            settings = settings_file(SETTINGS["fetch_model"](study, "m", name))
            run("fetch_model", "--settings", settings, "--out", f"{base}/models/m/{name}")
        for run_ in runs.trained_runs(study).values():
            as_step(
                "train",
                model_folder(run_.name.encode()),
                settings=SETTINGS["train_model"](study, "m", run_.name),
                rows=f"{base}/data/training.parquet",
                model=f"{base}/models/m/base",
                out=f"{base}/models/m/{run_.name}",
            )
        benchmarks = paths.benchmark_files(study)
        problems = read_benchmarks(benchmarks)
        for name in ("base", *(name for _, name in runs.all_runs(study))):
            scores = f"{base}/scores/m/{name}.parquet"
            parts = paths.samples_behind(study, scores)
            for part, out in enumerate(parts, start=1):
                as_step(
                    "decode",
                    answers(problems, part, name),
                    settings=SETTINGS["decode_benchmarks"](study, "m"),
                    benchmarks=benchmarks,
                    model=f"{base}/models/m/{name}",
                    part=(part, 2),
                    out=out,
                )
            others = ["--graders", *graders(study)] if graders(study) else []
            files = ["--samples", *parts, "--benchmarks", *benchmarks]
            run("score", *files, *others, "--out", scores)
        settings = settings_file(layouts.table_layout(study, "table1"))
        table = ["--published", "config/published.csv", "--out", f"{base}/tables/table1"]
        run("tabulate_scores", "--settings", settings, *table)
        rows = layouts.table_layout(study, "table1")["rows"]
        scores = sorted({file for row in rows for file in row["scores"]})
        files = ["--scores", *scores, "--benchmarks", *benchmarks]
        run("list_disagreements", *files, "--out", f"{base}/tables/disagreements")
        settings = settings_file(layouts.health_layout(study))
        run("tabulate_health", "--settings", settings, "--out", f"{base}/tables/health")
        overlaps = f"{base}/data/contamination.csv"
        rows = ["--rows", f"{base}/data/training.parquet", "--benchmarks", *benchmarks]
        run("find_overlaps", *rows, "--out", overlaps)
        as_step(
            "precheck",
            prechecked,
            settings=SETTINGS["precheck"](study, "m"),
            model=f"{base}/models/m/base",
            rows=f"{base}/data/training.parquet",
            overlaps=overlaps,
            out=f"{base}/precheck/m",
        )
        settings = settings_file(layouts.overlap_layout(study))
        table = ["--overlaps", overlaps, "--out", f"{base}/tables/contamination"]
        run("tabulate_overlaps", "--settings", settings, *table)
        settings = settings_file(layouts.summary_layout(study))
        run("summarise_scores", "--settings", settings, "--out", f"{base}/statistics")
        settings = settings_file(layouts.figure_layout(study, "figure3"))
        run("plot_figure", "figure3", "--settings", settings, "--out", f"{base}/figures/figure3")
        settings = settings_file(layouts.report_layout(study))
        files = ["--benchmarks", "benchmarks", "--out", f"{base}/report.html"]
        run("render_report", "--settings", settings, *files)
    return study


def card_settings(folder):
    """What `rectify write_cards` is given of the study in a folder."""
    from rectify.jobs.cards import card_layout
    from rectify.study.load import load_study

    with inside(folder):
        return card_layout(load_study("config/small.yaml"))
