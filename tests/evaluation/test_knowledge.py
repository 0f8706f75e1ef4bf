"""What a base model knows of the training rows: closed forms, and the two miniatures."""

import math

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT
from rectify.data.world import make_rows
from rectify.evaluation.knowledge import (
    base_fact,
    by_class,
    duplicates,
    facts,
    markdown,
    measure,
    number_share,
    overlapping,
    read_tokens,
    spaced,
)
from rectify.jobs.settings import SETTINGS
from rectify.statistics.accuracy import average_at_n
from rectify.statistics.regimes import DFT, MINI, SFT, verdict
from rectify.step.command import Settings
from rectify.step.errors import StepError
from rectify.study.load import load_study

READ = {
    "prompt": "chat", "max_length": 128, "unfit": None, "micro_batch_size": 4, "precision": "fp32",
    "rows": 12,
}  # fmt: skip


def tokens(*rows):
    """A table of tokens, from (example, class, p)."""
    return pd.DataFrame(rows, columns=["example", "class", "p"])


def test_rows_are_read_from_all_of_a_file_whose_order_may_be_its_sources():
    assert spaced(5, 500).tolist() == [0, 1, 2, 3, 4]
    assert spaced(101, 5).tolist() == [0, 25, 50, 75, 100]
    assert len(spaced(10**6, 500)) == 500


def test_measures_of_a_class():
    """Two numbers, p = 1/2 and 1/8: pulls 1/2 and 7/8, of which 1/4 and 7/64 stay; NLL 4 ln 2. A
    word of p = 2^-12 has three quarters of the loss.
    """
    found = by_class(tokens((0, "number", 0.5), (0, "word", 2.0**-12), (1, "number", 0.125)))
    assert list(found) == ["number", "word"]
    assert found["number"] == pytest.approx(
        {
            "tokens": 2,
            "mean_p": 0.3125,
            "silenced": 0.0,
            "loss": 0.25,
            "removed": 1 - (1 / 4 + 7 / 64) / (1 / 2 + 7 / 8),
        }
    )
    assert (found["word"]["silenced"], found["word"]["loss"]) == (1.0, 0.75)
    assert found["word"]["removed"] == pytest.approx(1 - 2.0**-12)


def test_certain_and_impossible_tokens_have_finite_measures():
    sure = by_class(tokens((0, "number", 1.0)))["number"]
    assert (sure["loss"], sure["removed"], sure["silenced"]) == (0.0, 0.0, 0.0)
    both = by_class(tokens((0, "number", 0.0), (0, "EOS", 1.0)))
    assert math.isfinite(both["number"]["loss"])
    assert (both["number"]["loss"], both["number"]["removed"]) == (1.0, 1.0)


def test_the_share_is_of_number_tokens_alone_below_the_threshold():
    found = number_share(
        tokens(
            (0, "number", 0.0099), (0, "number", 0.01), (1, "number", 0.5), (1, "word", 1e-9),
            (2, "number", 1e-9),
        )
    )  # fmt: skip
    assert (found["tokens"], found["share"]) == (4, 0.5)
    assert 0 <= found["low"] <= 0.5 <= found["high"] <= 1
    none = number_share(tokens((0, "word", 0.5)))
    assert none == {"tokens": 0, "share": None, "low": None, "high": None}


def test_duplicates_exact_and_of_problems_but_for_case_and_blanks():
    rows = pd.DataFrame(
        {
            "problem": ["Add 1", "Add 1", "add  1 ", "Add 1", "Add 2"],
            "solution": ["2", "2", "2", "It is 2", "3"],
        }
    )
    assert duplicates(rows) == {"rows": 1, "problems": 3}


def test_a_problem_that_several_rows_share_overlaps_once(tmp_path):
    file = tmp_path / "contamination.csv"
    file.write_text(
        "benchmark,problem_id,row,kind,overlaps\n"
        "a,1,5,exact,True\na,1,9,exact,True\na,2,9,13-gram,False\nb,1,3,exact,True\n"
    )
    assert overlapping(file) == {"a": 1, "b": 1}


def test_the_base_models_accuracy_is_the_tables_and_pass_at_k_unbiased(tmp_path):
    """Of 4 samples 2 are right on one problem and none on another: pass@2 is 1 - 1/6 and 0."""
    scores = pd.DataFrame(
        {
            "benchmark": "a", "problem_id": np.repeat([0, 1], 4), "sample": [0, 1, 2, 3] * 2,
            "correct": [True, False, True, False] + [False] * 4, "checkpoint": 0,
            "harness": False, "status": "ok",
        }
    )  # fmt: skip
    file = tmp_path / "base.parquet"
    scores.to_parquet(file)
    said = base_fact([str(file)], ["a"], {"grader": "rectify", "rounding": "exact"})
    cell = average_at_n(scores.assign(seed=-1, repeat=0))
    assert said.startswith(
        f"The base model's average@4: 25.0 % (95 % interval {cell.low:.1f} to {cell.high:.1f}); "
    )
    assert f"pass@2 {100 * (1 - 1 / 6) / 2:.1f}" in said
    assert "pass@4 50.0" in said


def test_a_files_findings_hold_all_that_is_said(model_folder, rows, tmp_path):
    table = rows.head(30).reset_index(drop=True)
    table.loc[29, "problem"] = "What is " + "1 + " * 200 + "1?"
    table.loc[1] = table.loc[0]
    file, overlaps = tmp_path / "rows.parquet", tmp_path / "o.csv"
    table.to_parquet(file)
    overlaps.write_text("benchmark,problem_id,kind,overlaps\nmath,1,exact,True\n")
    found = measure(model_folder, file, overlaps, Settings(**READ))
    assert (found["rows"], found["read"]) == (30, 12)
    assert found["unfit"]["no_room"] == 1
    counted, examples, kinds = read_tokens(
        model_folder, table.iloc[spaced(30, 12)], Settings(**READ)
    )
    assert len(examples) == 11
    assert sum(kind is not None for kind in kinds) == 1
    assert len(counted) == sum(len(example.response) for example in examples)
    assert sum(own["tokens"] for own in found["classes"].values()) == len(counted)
    assert found["classes"]["EOS"]["tokens"] == 11
    assert found["numbers"] == number_share(counted)
    assert found["verdict"] == verdict(found["numbers"], found["classes"])
    assert found["duplicates"]["rows"] >= 1
    assert found["facts"] == facts(found)
    text = markdown("qwen", found)
    parts = ["| number |", "| EOS | 11 |", "1 of math", "12 of 30 rows", "the same as one before"]
    for part in (found["verdict"]["sentence"], "whose prompt fills max_length", *parts):
        assert part in text


def test_rows_of_which_none_is_fit_are_refused(model_folder, rows):
    with pytest.raises(StepError, match="none of the 3 training rows"):
        read_tokens(model_folder, rows.head(3), Settings(**READ | {"max_length": 4}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("study", "model", "seed", "wanted"),
    [
        ("mini", "qwen2-mini", 0, DFT),
        ("mini", "llama-mini", 2, DFT),
        ("limits", "qwen2-mini", 0, SFT),
    ],
)
def test_use_dft_on_mini_and_sft_on_limits(study, model, seed, wanted, at_root):
    """200 rows of each study's world; on all 500 and by all bases: bench/precheck.py."""
    study = load_study(f"config/{study}.yaml")
    world = study.data.world
    rows = pd.DataFrame(make_rows("rows", 200, world.voice, world.steps, topic=world.topic))
    settings = Settings(**SETTINGS["precheck"](study, model))
    counted, *_ = read_tokens(ROOT / f"config/bases/{model}/base-seed{seed}", rows, settings)
    found = verdict(number_share(counted), by_class(counted))
    assert found["say"] == wanted, found
    if wanted == DFT:
        assert number_share(counted)["share"] < 2 * MINI.highest
