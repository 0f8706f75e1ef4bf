"""config/limits.yaml and results/reference/limits, a run of it: where the expert teaches facts and
an operator that the base model cannot know, SFT is above DFT; the README's numbers are that run's.
"""

import math
import re

import pandas as pd
import pytest
from helpers import ROOT
from rectify.jobs.settings import (
    initialise_settings,
    pretrain_settings,
    sample_settings,
    train_settings,
)
from rectify.study.load import load_study

REFERENCE = ROOT / "results" / "reference" / "limits"
MODEL = "qwen2-mini"
RECALL = ["recall", "recall-and-one-step", "recall-and-two-steps"]
OPERATOR = ["operator", "operator-and-one-step", "operator-and-two-steps"]


@pytest.fixture(scope="module")
def cells():
    """Table 1's rows by (method, benchmark)."""
    table = pd.read_csv(REFERENCE / "tables" / "table1.csv")
    return table.set_index(["method", "benchmark"])


@pytest.fixture(scope="module")
def study():
    """The study of facts and an operator."""
    return load_study(ROOT / "config" / "limits.yaml")


def test_the_base_model_is_the_miniatures(study):
    mini = load_study(ROOT / "config" / "mini.yaml")
    for settings in (initialise_settings, pretrain_settings):
        assert settings(study, MODEL, "base-seed1") == settings(mini, MODEL, "base-seed1")
    rows = f"pretraining/{MODEL}"
    assert sample_settings(study, rows) == sample_settings(mini, rows)


def test_sft_and_dft_differ_in_their_objective_alone(study):
    sft, dft = (train_settings(study, MODEL, f"{method}-seed0") for method in ("sft", "dft"))
    assert {key for key in sft if sft[key] != dft[key]} == {"objective"}


@pytest.mark.parametrize("benchmark", [*RECALL, "mean"])
def test_sft_is_far_above_dft_where_facts_are_asked_for_and_on_the_mean(cells, benchmark):
    sft, dft = cells.loc[("sft", benchmark)], cells.loc[("dft", benchmark)]
    assert sft.n_seeds == dft.n_seeds == 3
    assert sft.accuracy > dft.accuracy + 5 * (sft.stderr + dft.stderr)


def test_sft_is_above_dft_wherever_the_operator_is_asked_for(cells):
    """By two standard errors on the three benchmarks together, whose problems are other ones."""
    sft, dft = (cells.loc[[(method, name) for name in OPERATOR]] for method in ("sft", "dft"))
    assert (sft["accuracy"].to_numpy() > dft["accuracy"].to_numpy()).all()
    errors = sum(math.hypot(*rows["stderr"]) / len(OPERATOR) for rows in (sft, dft))
    assert sft["accuracy"].mean() > dft["accuracy"].mean() + 2 * errors


def test_at_no_learning_rate_does_dft_come_near_sft(cells):
    points = pd.read_csv(REFERENCE / "figures" / "figure3.csv")
    assert list(points["value"]) == [0.0005, 0.001, 0.002]
    assert set(points["method"]) == {"dft"}
    sft = cells.loc[("sft", "mean")]
    assert (points["accuracy"] + 5 * (points["stderr"] + sft.stderr) < sft.accuracy).all()
    *first, last = (f"{accuracy:.2f}" for accuracy in points["accuracy"])
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"DFT reaches {', '.join(first)} and {last}" in readme


def test_the_readmes_table_is_that_of_this_run():
    readme = (ROOT / "README.md").read_text()
    table = (REFERENCE / "tables" / "table1.md").read_text()
    rows = re.findall(r"^\| Qwen2-mini +(\| .*±.*)$", table, re.MULTILINE)
    assert len(rows) == 3
    for row in rows:
        assert re.sub(" +", " ", row) in readme
