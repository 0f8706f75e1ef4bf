"""A study of a thousand runs: planned, tabled, and shown with a card for each."""

import json
import os
from pathlib import Path

import pytest
import yaml
from helpers import settings_file, snakemake
from rectify.data.rows import read_benchmarks
from rectify.jobs import layouts, paths
from rectify.jobs.cards import card_layout
from rectify.jobs.runs import all_runs
from rectify.jobs.settings import SETTINGS
from rectify.study.load import load_study
from small_study import answers, inside, model_folder, prechecked, run

pytestmark = pytest.mark.slow
LONGEST = 128 * 1024  # bytes of one argument that Linux takes
SHOWN = (
    "tabulate_scores", "tabulate_health", "tabulate_overlaps", "list_disagreements",
    "summarise_scores", "render_report", "write_cards",
)  # fmt: skip
WORLD = {"steps": [1, 2]}
METHODS = [f"dft-{number}" for number in range(500)]
STUDY = {
    "study": "thousand",
    "seeds": [0, 1],
    "models": {"m": {"title": "M", "path": "model"}},
    "data": {"world": WORLD, "rows": 8},
    "benchmarks": {"easy": {"title": "Easy", "world": WORLD, "rows": 2}},
    "methods": {name: {"title": name.upper(), "objective": "dft"} for name in METHODS},
    "training": {"batch_size": 4, "max_length": 128},
    "decoding": {"samples": 4, "shards": 2},
    "tables": {"table1": {"caption": "Table 1.", "methods": ["base", *METHODS]}},
}


@pytest.fixture(scope="module")
def thousand(checkout):
    """The study, of which nothing has been run, in a checkout."""
    (checkout / "thousand.yaml").write_text(yaml.safe_dump(STUDY))
    with inside(checkout):
        model_folder(b"base")(checkout / "model")
        return load_study("thousand.yaml")


def called(checkout, *words):
    """Snakemake, at its end."""
    done = snakemake(*words, "--configfile", "thousand.yaml", cwd=checkout)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def finish_models(study):
    """All that the tables are made of: folders that are models by name, one verdict for all."""
    for rows in ("training", "benchmarks/easy"):
        files = ["--out", paths.rows(study, rows), "--counts", paths.row_counts(study, rows)]
        settings = settings_file(SETTINGS["sample_rows"](study, rows))
        run("sample_rows", "--settings", settings, *files)
    benchmarks = paths.benchmark_files(study)
    rows = ["--rows", paths.rows(study, "training"), "--benchmarks", *benchmarks]
    run("find_overlaps", *rows, "--out", paths.overlaps(study))
    prechecked(Path(paths.precheck(study, "m")))
    problems = read_benchmarks(benchmarks)

    def files_of(name):
        return [*paths.sample_files(study, "m", name), paths.scores(study, "m", name)]

    for name in ("base", *(name for _, name in all_runs(study))):
        os.makedirs(paths.model(study, "m", name))
        *parts, scores = files_of(name)
        if name == "base":
            for file in (*parts, scores):
                os.makedirs(os.path.dirname(file), exist_ok=True)
            for part, file in enumerate(parts, start=1):
                answers(problems, part, "m")(file)
            run("score", "--samples", *parts, "--benchmarks", *benchmarks, "--out", scores)
        else:
            for first, file in zip(files_of("base"), (*parts, scores), strict=True):
                os.link(first, file)


def test_a_dry_run_plans_each_run_once_and_writes_nothing(checkout, thousand):
    said = called(checkout, "-n", "--quiet", "rules")
    counts = dict(line.split() for line in said.splitlines() if len(line.split()) == 2)
    assert counts["train_model"] == "1000"
    assert counts["decode_benchmarks"] == "2002"  # two parts, and the base model's
    assert not (checkout / paths.results(thousand)).exists()


def test_tables_page_and_cards_are_made_of_settings_longer_than_an_argument(checkout, thousand):
    with inside(checkout):
        finish_models(thousand)
    shown = paths.report(thousand), paths.cards(thousand)
    called(checkout, *shown, "--allowed-rules", *SHOWN)
    for rule, layout in (("render_report", layouts.report_layout), ("write_cards", card_layout)):
        with inside(checkout):  # where the model's path is that of a folder
            settings = layout(thousand)
        assert len(json.dumps(settings)) > LONGEST
        (file,) = (checkout / paths.settings(thousand, "")).glob(f"{rule}-*.json")
        assert json.loads(file.read_text()) == settings
    cards = {file.parent.name for file in (checkout / paths.results(thousand)).rglob("README.md")}
    assert cards == {name for _, name in all_runs(thousand)}
    manifest = (checkout / paths.report(thousand)).with_name("report.manifest.json")
    assert json.loads(manifest.read_text())["settings"] == layouts.report_layout(thousand)
