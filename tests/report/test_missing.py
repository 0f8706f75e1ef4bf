"""The report's page where files are missing, damaged or of another study."""

import contextlib
import json
from argparse import Namespace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from helpers import one_line, step
from rectify.report.page.sections import verdicts
from rectify.step.errors import StepError
from rectify.step.manifest import kept
from report_study import copied, made_up_study, page_of, shown_in

FILES = {
    "claims.json": "verdicts",
    "tables/table1.csv": "tables",
    "tables/health.csv": "health",
    "tables/disagreements.csv": "disagreements",
    "statistics/comparisons.csv": "comparisons",
    "statistics/variance.csv": "variance",
    "statistics/statuses.csv": "grading",
    "figures/figure3.png": "figures",
    "data/benchmarks/math.parquet": "browser",
}


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_what_is_missing_is_said_and_the_rest_stands(broken, file):
    layout, folder = broken
    (folder / "results/made-up" / file).unlink()
    shown = shown_in(layout, folder)
    assert not shown[FILES[file]]
    assert len(shown["missing"]) == 1
    assert f"results/made-up/{file}" in shown["missing"][0]
    for other in set(FILES.values()) - {FILES[file]}:
        assert shown[other], other
    page = page_of(layout, folder).read_text()
    assert f"results/made-up/{file}" in page
    assert "Missing from this report" in page


@pytest.mark.parametrize("file", ["scores", "samples"])
def test_one_row_without_samples_leaves_the_others(broken, file):
    layout, folder = broken
    name = f"results/made-up/{file}/model-0/base-seed0.parquet"
    (folder / name).unlink()
    shown = shown_in(layout, folder)
    assert len(shown["browser"]["rows"]) == len(layout["rows"]) - 1
    assert name in shown["missing"][0]
    assert len(shown["missing"]) == 1


def test_no_benchmark_files(broken):
    layout, folder = broken
    (folder / "benchmarks").rename(folder / "elsewhere")
    assert shown_in(layout, folder)["costs"] is None


def test_results_of_another_study_are_named(broken):
    layout, folder = broken
    results = folder / "results/made-up"
    for name in ("tables/table1.csv", "statistics/variance.csv"):
        file = results / name
        file.write_text(file.read_text().replace("model-0", "another"))
    shown = shown_in(layout, folder)
    table, variance = shown["missing"]
    assert "table1.csv: no cell model-0, base, -, math" in table
    assert "variance.csv: no row 'another, base' in this study" in variance


ANOTHER = {
    "tables/table1.csv": "a table of another study",
    "tables/health.csv": "no benchmark 'math-2' in this study",
    "statistics/comparisons.csv": "no benchmark 'math-2' in this study",
    "statistics/variance.csv": "no benchmark 'math-2' in this study",
    "statistics/statuses.csv": "no benchmark 'math-2' in this study",
    "tables/contamination.csv": "no benchmark 'math-2' in this study",
}


@pytest.mark.parametrize("name", ANOTHER)
def test_a_benchmark_of_another_study_is_named(broken, name):
    layout, folder = broken
    file = folder / "results/made-up" / name
    lines = file.read_text().splitlines()
    lines += [line.replace(",math,", ",math-2,") for line in lines if ",math," in line]
    file.write_text("\n".join(lines))
    (said,) = shown_in(layout, folder)["missing"]
    assert f"{name}: " in said
    assert ANOTHER[name] in said


DAMAGED = {
    "tables/table1.csv": "accuracy",
    "tables/contamination.csv": "accuracy_without",
    "statistics/comparisons.csv": "difference",
    "statistics/variance.csv": "pretraining_of_mean",
    "statistics/statuses.csv": "timeout",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGED)
def test_a_word_for_a_number_and_a_lost_column_are_named(broken, name):
    layout, folder = broken
    file, column = folder / "results/made-up" / name, DAMAGED[name]
    table = pd.read_csv(file, dtype=str)
    table.loc[1, column] = "many"
    table.to_csv(file, index=False)
    (said,) = shown_in(layout, folder)["missing"]
    assert f"{name}: line 3: {column} 'many' is no number" in said
    table.drop(columns=column).to_csv(file, index=False)
    (said,) = shown_in(layout, folder)["missing"]
    assert f"{name}: no column '{column}'" in said
    page_of(layout, folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read as CSV"),
        ("s\tmax_rss\n1\t2\n", "no column 'cpu_time'"),
        ("s\tmax_rss\tcpu_time\nx\t2\t3\n", "line 2: s 'x' is no number"),
    ],
)
def test_a_damaged_benchmark_file_is_named(broken, text, said):
    layout, folder = broken
    (folder / "benchmarks/train_model/made-up/model-0.tsv").write_text(text)
    (line,) = shown_in(layout, folder)["missing"]
    assert line.startswith("Costs: ")
    assert f"train_model/made-up/model-0.tsv: {said}" in line


def test_processor_time_is_that_of_the_manifest_which_names_the_jobs_log(broken):
    layout, folder = broken
    with contextlib.chdir(folder), kept("train", Namespace(settings={"a": 1}, out="m.txt")):
        Path("m.txt").write_text("weights")
    made = json.loads((folder / "m.manifest.json").read_text())
    made |= {"log": "logs/train_model/made-up/model-0.log", "cpu_seconds": 41.5}
    (folder / "results/made-up/m.manifest.json").write_text(json.dumps(made))
    rows = {row["rule"]: row["cpu"] for row in shown_in(layout, folder)["costs"]["rows"]}
    assert rows == {"train_model": 41.5, "score_samples": 0}


def test_verdicts_on_another_study_are_refused(broken):
    layout, folder = broken
    with (
        contextlib.chdir(folder),
        kept("judge_claims", Namespace(settings={"a": 1}, out="claims.json")),
    ):
        (folder / "claims.json").write_text((folder / layout["claims"]).read_text())
    own = folder / "results/made-up/claims.manifest.json"
    manifest = json.loads((folder / "claims.manifest.json").read_text())
    own.write_text(json.dumps(manifest | {"study": "made-up"}))
    assert not shown_in(layout, folder)["missing"]
    own.write_text(json.dumps(manifest | {"study": "other"}))
    (said,) = shown_in(layout, folder)["missing"]
    assert "claims.json: verdicts on study 'other', not 'made-up'" in said


def test_a_row_below_base_whose_training_is_not_there_is_said_under_its_table(broken):
    layout, folder = broken
    layout = json.loads(json.dumps(layout))
    for row in layout["tables"][0]["rows"]:
        if row["method"] == "sft":
            row["training"] = {"rows": layout["problems"][:1], "models": ["results/made-up/gone"]}
    file = folder / "results/made-up/tables/table1.csv"
    table = pd.read_csv(file)
    table.loc[table["method"] == "sft", "accuracy"] = 0.5
    table.to_csv(file, index=False)
    shown = shown_in(layout, folder)
    assert "gone/train.csv: No such file or directory" in shown["tables"][0]["notes"][-2]


def test_scores_of_other_samples_are_named(broken):
    layout, folder = broken
    file = folder / "results/made-up/scores/model-1/dft-seed0.parquet"
    scores = pd.read_parquet(file)
    scores[scores["problem_id"] != 3].to_parquet(file)
    (line,) = shown_in(layout, folder)["missing"]
    assert "model-1/dft-seed0.parquet: not the scores of" in line


def test_a_study_without_tables_or_claims(tmp_path, page_study):
    layout = {**page_study[0], "claims": None, "tables": [], "statistics": {}, "rows": []}
    page = page_of({**layout, "figures": {}}, copied(page_study[1], tmp_path / "study")).read_text()
    assert "names no claims" in page
    assert "No tables." in page


@pytest.mark.slow
def test_the_command_writes_the_page_and_names_bad_settings(page_study, tmp_path):
    layout, folder = page_study
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(layout))
    done = step("render_report", "--settings", settings, "--benchmarks", "benchmarks",
                "--out", tmp_path / "page.html", cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").stat().st_size > 10_000
    settings.write_text("{}")
    done = step(
        "render_report", "--settings", settings, "--benchmarks", "x", "--out", tmp_path / "y"
    )
    one_line(done, "--settings", "'study'")


@pytest.mark.slow
def test_a_study_has_its_page_by_hand_of_whatever_is_there(broken):
    """The DAG makes no page where a step has failed."""
    _, folder = broken
    study = made_up_study().model_dump(mode="json")
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    results = folder / "results/made-up"
    lost = ("claims.json", "tables/table1.csv", "samples/model-1/base-seed0.parquet")
    for name in lost:
        (results / name).unlink()
    (results / "statistics/variance.csv").write_text("damaged")
    done = step("render_report", "study.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    page = (results / "report.html").read_text()
    for name in (*lost, "statistics/variance.csv"):
        assert f"results/made-up/{name}: " in page
        assert f"results/made-up/{name}: " in done.stdout
    manifest = json.loads((results / "report.manifest.json").read_text())
    assert "results/made-up/tables/contamination.csv" in {i["path"] for i in manifest["inputs"]}
    one_line(step("render_report", cwd=folder), "name a study file, or --settings and --out")
    done = step("render_report", "gone.yaml", cwd=folder)
    one_line(done, "gone.yaml")


def test_not_verdicts(tmp_path):
    file = tmp_path / "claims.json"
    result = {"estimate": "high", "low": None, "high": None, "p_value": None}
    word = {"weakest": None, "results": [], "verdict": "proven"}
    number = {"weakest": result, "results": [], "verdict": "reproduced"}
    for text in ("[", '{"a": 1}', '[{"weakest": null}]', json.dumps([word]), json.dumps([number])):
        file.write_text(text)
        with pytest.raises(StepError, match=r"claims\.json"):
            verdicts(str(file), "mini")
