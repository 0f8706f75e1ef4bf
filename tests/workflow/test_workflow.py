"""The whole DAG on the smoke study: tables from samples, reruns by content."""

import json
import random
import re
import time
from pathlib import Path
from statistics import median

import pandas as pd
import pytest
from helpers import SMOKE, snakemake
from rectify.provenance.job_times import job_times
from rectify.provenance.manifests import load_manifests
from small_study import inside, restate

pytestmark = pytest.mark.slow
PAPER = ("--configfile", "config/paper.yaml")
VERIFICATION = {"all": 1}  # which every call ends with


@pytest.fixture(scope="module")
def smoke(checkout):
    """The smoke study, finished."""
    for until in (["--until", "decode_benchmarks", "decode_checkpoints"], []):
        done = snakemake(*SMOKE, *until, cwd=checkout)
        assert done.returncode == 0, done.stderr[-5000:]
        if until:
            with inside(checkout):
                answer_well(Path("results/smoke"))
    return checkout


def answer_well(results):
    """Give a seeded share of the samples, another for each run and benchmark, the gold answer:
    models trained so little have none right, and zeros would agree with any table. The manifests
    beside them state the samples as they are then.
    """
    gold = {}
    for file in (results / "data" / "benchmarks").glob("*.parquet"):
        frame = pd.read_parquet(file)
        gold |= {(file.stem, row.problem_id): row.answer for row in frame.itertuples()}
    for file in sorted((results / "samples").rglob("*.parquet")):
        samples = pd.read_parquet(file)
        rng = random.Random(str(file.relative_to(results)))
        shares = {name: rng.random() for name in sorted(samples["benchmark"].unique())}
        samples["text"] = [
            f"so \\boxed{{{gold[row.benchmark, row.problem_id]}}}"
            if rng.random() < shares[row.benchmark]
            else row.text
            for row in samples.itertuples()
        ]
        samples.to_parquet(file, index=False)
        restate(file)


def planned(checkout, *arguments, study=SMOKE):
    """The rules that a dry run would run, with their numbers of jobs."""
    done = snakemake("-n", *study, *arguments, cwd=checkout)
    assert done.returncode == 0, done.stderr
    lines = (done.stdout + done.stderr).split("\ntotal")[0].splitlines()
    counts = dict(re.fullmatch(r"(\w+) +(\d+)", line).groups() for line in lines[-40:]
                  if re.fullmatch(r"\w+ +\d+", line))  # fmt: skip
    assert counts
    return {rule: int(count) for rule, count in counts.items()}


def edited(path, old, new):
    """Replace text in a file; returns what undoes it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return lambda: path.write_text(text)


def test_everything_promised_is_there(smoke):
    results = smoke / "results" / "smoke"
    for name in ("table1", "table2", "health"):
        for ending in ("csv", "md", "tex"):
            assert (results / "tables" / f"{name}.{ending}").stat().st_size > 100
    for name in ("figure1", "figure2", "figure3", "monitors", "gallery", "health"):
        for ending in ("pdf", "png", "csv"):
            assert (results / "figures" / f"{name}.{ending}").stat().st_size > 100
    page = (results / "report.html").read_text()
    assert page.count('class="sortable results"') == 2
    assert "Missing from this report" not in page
    claims = json.loads((results / "claims.json").read_text())
    assert page.count('<li class="claim ') == len(claims) == 13
    assert page.count('id="pack-') == 7  # the tables' rows, with their samples
    assert "Where the graders disagree" in page
    assert page.count(">In a loop, %<") == 1 + 5  # on the average, and on each benchmark
    assert "problem overlaps with a training row" in page or "Average@n in percent over all" in page
    assert page.count("data:image/png;base64,") == 6
    cards = {file.parent for file in results.rglob("README.md")}
    models = {file.parent for file in results.glob("models/*/*/config.json")}
    assert cards == {model for model in models if not model.name.startswith("base-")}
    assert not list(results.rglob("*.part"))
    assert not (results / "state").exists() or not any((results / "state").rglob("*.safetensors"))
    assert list((smoke / "logs" / "train_model").rglob("*.log"))
    times = job_times(smoke / "benchmarks", "smoke", load_manifests(results))
    logs = {f"logs/{job.rule}/smoke/{job.job}.log" for job in times.itertuples() if job.job}
    named = {manifest["log"] for manifest in load_manifests(results).values()}
    assert logs <= named
    assert {"train_model", "decode_benchmarks", "score_samples"} <= set(times["rule"])


def test_tables_are_what_the_sample_files_say(smoke):
    """From the decoded texts to the printed cells by another way: the world's answers are whole
    numbers, so that comparing the last box as text is grading enough.
    """
    results = smoke / "results" / "smoke"
    gold = {}
    for file in (results / "data" / "benchmarks").glob("*.parquet"):
        frame = pd.read_parquet(file)
        gold |= {(file.stem, row.problem_id): row.answer for row in frame.itertuples()}
    table = pd.concat([pd.read_csv(results / "tables" / f"table{n}.csv") for n in (1, 2)])
    checked = 0
    for (model, method), cells in table.groupby(["model", "method"]):
        run = f"{method}-seed0"
        samples = pd.read_parquet(results / "samples" / model / f"{run}.parquet")
        answers = samples["text"].str.findall(r"\\boxed\{([^{}]*)\}").str[-1]
        keys = zip(samples["benchmark"], samples["problem_id"], strict=True)
        samples["right"] = [a == gold[key] for a, key in zip(answers, keys, strict=True)]
        accuracy = 100 * samples.groupby("benchmark")["right"].mean()
        accuracy["mean"] = accuracy.mean()
        for cell in cells.itertuples():
            assert cell.accuracy == pytest.approx(accuracy[cell.benchmark], abs=1e-6)
            checked += 1
    assert checked == 6 * (2 * 3 + 2)
    assert table["accuracy"].between(1, 99).sum() > checked / 2
    assert table["accuracy"].nunique() > checked / 4


def test_a_second_run_does_nothing_but_verify(smoke):
    assert planned(smoke) == VERIFICATION


def test_a_fresh_checkout_reruns_nothing(smoke):
    """Files newer than the results, as git writes them, but with the same content."""
    for file in (*smoke.glob("workflow/rectify/**/*.*"), smoke / "config" / "published.csv"):
        file.touch()
    assert planned(smoke) == VERIFICATION


@pytest.mark.parametrize(
    ("module", "old", "rules"),
    [
        (
            "paper/style",
            "WIDTH = 6.75",
            {"plot_figure", "judge_claims", "render_report", "all"},
        ),
        (
            "evaluation/score",
            'keys = ["benchmark", "problem_id"]',
            {"score_samples", "list_disagreements", "tabulate_scores", "tabulate_health",
             "tabulate_overlaps", "plot_figure", "summarise_scores", "judge_claims",
             "render_report", "write_cards", "all"},
        ),
        (
            "evaluation/seeds",
            "starts = sorted(",
            {"decode_benchmarks", "decode_checkpoints", "score_samples", "list_disagreements",
             "tabulate_scores", "tabulate_health", "tabulate_overlaps", "plot_figure",
             "summarise_scores",
             "judge_claims", "render_report", "write_cards", "all"},
        ),
        ("grading/statuses", "TIMEOUT_SHARE = 0.01",
         {"tabulate_scores", "summarise_scores", "render_report", "all"}),
        ("report/page/sections", "Bar(NamedTuple):", {"render_report", "all"}),
        ("sharing/model_card", "LEARNS_FROM = {", {"write_cards", "all"}),
        # the page and the precheck: these steps take a study's file, too
        ("study/schema", "BLOCKS = [", {"precheck", "render_report", "all"}),
        ("step/manifest", "UNREAD = (", {"all"}),
    ],
)  # fmt: skip
def test_editing_a_module_reruns_its_dependants_alone(smoke, module, old, rules):
    undo = edited(smoke / "workflow" / "rectify" / f"{module}.py", old, f"{old}  # edited\n")
    try:
        assert set(planned(smoke)) == rules
    finally:
        undo()
    assert planned(smoke) == VERIFICATION


def test_a_changed_setting_reruns_what_it_decides(smoke):
    rules = planned(smoke, "--config", "training={weight_decay: 0.02}")
    assert rules["train_model"] == 6
    assert "pretrain_model" not in rules
    assert "sample_rows" not in rules


def test_a_new_benchmark_is_decoded_by_finished_models_without_training(smoke):
    seven = "benchmarks={seven-steps: {title: 7 steps, world: {steps: [7, 7]}, rows: 4}}"
    rules = planned(smoke, "--config", seven)
    assert {"decode_benchmarks", "score_samples", "tabulate_scores"} < set(rules)
    assert not {"pretrain_model", "train_model"} & set(rules)


def test_shards_are_jobs_of_their_own(smoke):
    whole = planned(smoke, "--config", "decoding={max_new_tokens: 20}")
    halves = planned(smoke, "--config", "decoding={max_new_tokens: 20, shards: 2}")
    for rule in ("decode_benchmarks", "decode_checkpoints"):
        assert halves[rule] == 2 * whole[rule]
    assert halves["score_samples"] == whole["score_samples"]


def test_the_papers_study_is_the_papers_jobs(checkout):
    """5 models; 15 main runs and 12 more for Figure 3; Figure 1's two curves; 4 histograms."""
    assert planned(checkout, study=PAPER) == {
        "sample_rows": 6,
        "fetch_model": 5,
        "check_model": 5,
        "check_models": 1,
        "train_model": 32,
        "train_ppo": 1,
        "decode_benchmarks": 38,
        "decode_checkpoints": 2,
        "score_samples": 40,
        "list_questions": 1,
        "decode_questions": 1,
        "score_questions": 1,
        "keep_answers": 1,
        "measure_probabilities": 6,
        "precheck": 5,
        "tabulate_scores": 3,
        "tabulate_health": 1,
        "list_disagreements": 1,
        "find_overlaps": 1,
        "tabulate_overlaps": 1,
        "plot_figure": 3,
        "summarise_scores": 1,
        "judge_claims": 1,
        "render_report": 1,
        "write_cards": 1,
        "all": 1,
    }


@pytest.mark.timed
def test_the_papers_dry_run_takes_three_times_as_long_as_one_rules(checkout, tmp_path):
    """Seconds are the machine's (bench/RESULTS.md has them); most of them are Snakemake's start."""
    (tmp_path / "Snakefile").write_text('rule all:\n    output: "x"\n    shell: "touch {output}"\n')
    ours, one_rule = [], []
    for _ in range(5):
        for seconds, where, study in ((ours, checkout, PAPER), (one_rule, tmp_path, ())):
            started = time.monotonic()
            planned(where, study=study)
            seconds.append(time.monotonic() - started)
    assert median(ours) < 3 * median(one_rule), (ours, one_rule)
