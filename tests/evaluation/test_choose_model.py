"""The learning rate that is taken, and how far the others are behind."""

import json

import numpy as np
import pandas as pd
import pytest
from helpers import scores_of, settings_file, step
from rectify.evaluation.choose_model import choice
from rectify.report.tables.tabulate_rates import at_an_end
from rectify.step.manifest import content

SCORING = {"grader": "corrected", "rounding": "exact"}


def right(*counts, samples=4):
    """Outcomes of problems from two seeds: so many of their samples are right, [problem, 2, 4]."""
    outcomes = np.arange(samples)[None, :] < np.array(counts)[:, None]
    return np.repeat(outcomes[:, None, :], 2, axis=1).astype(float)


def test_the_highest_average_over_the_benchmarks_is_taken():
    """Each benchmark has the same weight, whatever its number of problems."""
    one = pd.concat([scores_of(right(4, 4, 4, 4)), scores_of(right(0, 0), "b")])
    two = pd.concat([scores_of(right(2, 2, 2, 2)), scores_of(right(3, 3), "b")])
    table = choice({1e-3: one, 2e-3: two}, ["a", "b"], SCORING)
    assert table["accuracy"].tolist() == [50.0, 62.5]
    assert table["chosen"].tolist() == [False, True]
    assert table["behind"].fillna(0).tolist() == [12.5, 0.0]
    assert table["p_value"].isna().tolist() == [False, True]
    assert set(table["n_seeds"]) == {2}


def test_of_equal_ones_the_first_is_taken():
    same = scores_of(right(1, 2, 3))
    table = choice({4e-3: same, 1e-3: same}, ["a"], SCORING)
    assert table["chosen"].tolist() == [True, False]
    assert table["behind"].tolist()[1] == 0


@pytest.fixture
def candidates(tmp_path):
    """A folder with two models and their scores: on problem 0 the second is right, else the first.

    Returns the settings as the DAG gives them.
    """
    entries = []
    for rate, counts in ((1e-3, (0, 4, 4)), (2e-3, (4, 0, 4))):
        model = tmp_path / f"models/sft-lr{rate:g}-seed0"
        model.mkdir(parents=True)
        (model / "model.safetensors").write_text(f"weights {rate}")
        scores = scores_of(right(*counts)[:, :1]).drop(columns=["seed", "repeat"])
        file = tmp_path / f"sft-lr{rate:g}-seed0-validation.parquet"
        scores.assign(harness=scores["correct"], status="ok", checkpoint=0).to_parquet(file)
        entries.append({"learning_rate": rate, "model": str(model), "scores": [str(file)]})
    (tmp_path / "none.csv").write_text("benchmark,problem_id,row,kind,overlaps\n")
    return {"scoring": SCORING, "benchmarks": ["a"], "learning_rates": entries}


def chosen(folder, settings, overlaps):
    """What the step makes of it."""
    files = ("--overlaps", overlaps, "--out", "models/own-seed0")
    return step("choose_model", "--settings", settings_file(settings), *files, cwd=folder)


def test_a_problem_that_the_tables_have_too_does_not_count(tmp_path, candidates):
    """Without problem 0, which speaks for the second, the first is ahead."""
    (tmp_path / "pairs.csv").write_text(
        "benchmark,problem_id,row,kind,overlaps\na,0,7,exact,True\na,1,3,13-gram,False\n"
    )
    assert "0 validation problems" in chosen(tmp_path, candidates, "none.csv").stdout
    done = chosen(tmp_path, candidates, "pairs.csv")
    assert "1 validation problems were left out" in done.stdout, done.stderr
    table = pd.read_csv(tmp_path / "models/own-seed0/choice.csv")
    assert table["accuracy"].tolist() == [100.0, 50.0]
    assert table["chosen"].tolist() == [True, False]
    assert set(table["n_problems"]) == {2}
    stated = json.loads((tmp_path / "models/own-seed0.manifest.json").read_text())
    assert stated["notes"] == {"learning_rate": 1e-3, "problems_left_out": 1}


def test_its_models_files_are_those_of_the_training(tmp_path, candidates):
    assert chosen(tmp_path, candidates, "none.csv").returncode == 0
    own = content(tmp_path / "models/own-seed0").files
    of = content(tmp_path / "models/sft-lr0.001-seed0").files  # of equal ones the first
    assert {name: file.sha256 for name, file in own.items() if name != "choice.csv"} == {
        name: file.sha256 for name, file in of.items()
    }


def test_problems_that_are_all_elsewhere_choose_nothing(tmp_path, candidates):
    rows = "".join(f"a,{problem},7,exact,True\n" for problem in range(3))
    (tmp_path / "pairs.csv").write_text(f"benchmark,problem_id,row,kind,overlaps\n{rows}")
    done = chosen(tmp_path, candidates, "pairs.csv")
    assert done.returncode == 2
    assert "benchmarks.a: 0 of its problems are left" in done.stderr
    assert not (tmp_path / "models/own-seed0").exists()


def test_the_rates_of_all_sweeps_are_listed_with_the_chosen_ones_in_bold(tmp_path, candidates):
    assert chosen(tmp_path, candidates, "none.csv").returncode == 0
    named = {"model": "m", "model_title": "M", "method": "own", "method_title": "SFT (own)"}
    settings = settings_file({"choices": [{**named, "folder": "models/own-seed0"}]})
    done = step("tabulate_rates", "--settings", settings, "--out", "rates", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "rates.csv")
    assert table["learning_rate"].tolist() == [1e-3, 2e-3]
    lines = (tmp_path / "rates.md").read_text().splitlines()[-2:]
    assert ["**0.001**" in lines[0], "chosen" in lines[0]] == [True, True]
    assert ["**" in lines[1], "0.00 (" in lines[1]] == [False, True]


def test_a_rate_at_an_end_of_those_tried_is_said():
    """Unless it is in their midst, a better one may lie beyond."""
    table = pd.DataFrame({"model": "m", "model_title": "M", "method": [*"aaabbb"],
                          "method_title": "B", "chosen": False,
                          "learning_rate": [1e-3, 2e-3, 4e-3] * 2})  # fmt: skip
    table.loc[[1, 5], "chosen"] = True
    assert at_an_end(table) == ["M B"]
