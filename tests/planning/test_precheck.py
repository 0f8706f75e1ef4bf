"""The command before training: of a study, and as the DAG gives it."""

import json
import shutil

import pandas as pd
import pytest
import yaml
from helpers import settings_file
from rectify.jobs import paths
from rectify.jobs.settings import SETTINGS
from rectify.planning.precheck import main, parser
from rectify.step.errors import StepError
from rectify.study.load import load_study
from small_study import STUDY, run


@pytest.fixture
def study(tmp_path, monkeypatch, model_folder, rows):
    """A study whose base model, rows and overlaps are there, in its own folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(model_folder, "model")
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(STUDY))
    study = load_study("small.yaml")
    shutil.copytree("model", paths.model(study, "m", "base"))
    (tmp_path / "results/small/data").mkdir()
    rows.head(40).to_parquet(paths.rows(study, "training"))
    overlaps = "benchmark,problem_id,kind,overlaps\neasy,1,exact,True\n"
    (tmp_path / paths.overlaps(study)).write_text(overlaps)
    return study


def command(*words):
    """Run the command in this process."""
    main(parser().parse_args([*map(str, words)]))


def given(study):
    """What the DAG gives it."""
    return (
        "--settings", settings_file(SETTINGS["precheck"](study, "m")),
        "--model", paths.model(study, "m", "base"), "--rows", paths.rows(study, "training"),
        "--overlaps", paths.overlaps(study), "--out", "results/small/precheck/m",
    )  # fmt: skip


def test_the_dags_files_hold_what_the_command_prints(study, tmp_path, capsys):
    command("small.yaml")
    said = capsys.readouterr().out
    assert not (tmp_path / "results/small/precheck").exists()
    run("precheck", *given(study))
    text = (tmp_path / paths.precheck(study, "m", "md")).read_text()
    assert said.strip() == text.strip()
    found = json.loads((tmp_path / paths.precheck(study, "m")).read_text())
    assert found["verdict"]["sentence"] in text
    assert (found["rows"], found["read"], found["overlaps"]) == (40, 40, {"easy": 1})
    manifest = json.loads((tmp_path / "results/small/precheck/m.manifest.json").read_text())
    assert {entry["path"] for entry in manifest["outputs"]} == {
        "results/small/precheck/m.json", "results/small/precheck/m.md"
    }  # fmt: skip
    assert {entry["path"] for entry in manifest["inputs"]} == {
        paths.model(study, "m", "base"), paths.rows(study, "training"), paths.overlaps(study)
    }  # fmt: skip


def test_a_base_model_that_has_been_scored_is_said_to_be(study, tmp_path, capsys):
    file = tmp_path / paths.scores(study, "m", "base")
    file.parent.mkdir(parents=True)
    rows = [
        {"benchmark": name, "problem_id": problem, "sample": sample, "correct": sample == 0,
         "checkpoint": 0, "harness": False, "status": "ok"}
        for name in ("easy", "hard") for problem in range(3) for sample in range(4)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(file)
    command("small.yaml")
    assert "average@4: 25.0 % " in (said := capsys.readouterr().out)
    assert "pass@1 25.0, pass@2 50.0, pass@4 100.0" in said


@pytest.mark.parametrize("gone", ["model", "rows", "overlaps"])
def test_what_is_not_there_is_named_with_the_command_that_makes_it(study, tmp_path, gone):
    needed = {
        "model": paths.model(study, "m", "base"),
        "rows": paths.rows(study, "training"),
        "overlaps": paths.overlaps(study),
    }[gone]
    (tmp_path / needed).rename(tmp_path / "elsewhere")
    with pytest.raises(StepError) as caught:
        command("small.yaml")
    assert str(caught.value) == (
        f"{needed}: not there; make it, and what this prints, by "
        "`snakemake --cores all prechecks --configfile small.yaml`"
    )


def test_half_a_command_line_is_refused(study):
    with pytest.raises(StepError, match="no --rows, --overlaps, --out"):
        command(*given(study)[:4])
