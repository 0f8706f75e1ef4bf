"""Studies that override the default: they show what they are named after."""

import pandas as pd
import pytest
from helpers import ROOT
from rectify import layouts, runs
from rectify.objectives import OBJECTIVES
from rectify.plan import disk_bytes
from rectify.sizes import parameters
from rectify.study import load_study

pytestmark = pytest.mark.usefixtures("at_root")


def test_a_study_without_a_learning_curve_keeps_its_trained_models_alone():
    """In the LoRA study two models, trained by two methods with three seeds each, in fp32."""
    study = load_study("config/lora.yaml")
    sizes = [parameters(name, model) for name, model in study.models.items()]
    assert disk_bytes(study) == 4 * 2 * 3 * sum(sizes)


def test_the_study_of_objectives_has_all_that_need_no_rewards():
    study = load_study("config/objectives.yaml")
    shown = {run.method for run in runs.all_runs(study).values()}
    assert set(OBJECTIVES) <= {study.methods[name].objective for name in shown}


@pytest.mark.parametrize("name", ["weighting", "lora"])
def test_the_papers_numbers_stand_beside_a_study_of_its_v3(name):
    layout = layouts.table_layout(load_study(f"config/{name}.yaml"), name)
    published = pd.read_csv(ROOT / "config" / "published.csv").query("table == @name")
    printed = set(published[["model", "method", "setting"]].itertuples(index=False, name=None))
    shown = {(row["published"], row["method"], row["setting"]) for row in layout["rows"]}
    assert printed
    assert printed <= shown
