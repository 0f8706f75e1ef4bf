"""Studies that override the default: they show what they are named after."""

import pandas as pd
import pytest
from helpers import ROOT
from rectify.jobs import layouts
from rectify.jobs.runs import BASE
from rectify.objectives.built_in import OBJECTIVES
from rectify.planning.sizes import disk_bytes, parameters
from rectify.study.load import load_study

pytestmark = pytest.mark.usefixtures("at_root")


def test_a_study_without_a_learning_curve_keeps_its_trained_models_alone():
    """In the LoRA study two models, trained by two methods with three seeds each, in fp32."""
    study = load_study("config/lora.yaml")
    sizes = [parameters(name, model) for name, model in study.models.items()]
    assert disk_bytes(study) == 4 * 2 * 3 * sum(sizes)


def test_the_study_of_every_rule_shows_each_in_its_table_and_in_its_gallery():
    """But for the one whose rows have to say how likely their writer found them."""
    study = load_study("config/zoo.yaml")
    for shown in (study.tables["zoo"], study.figures.gallery):
        names = [name for name in shown.methods if name != BASE]
        assert {study.methods[name].objective for name in names} == set(OBJECTIVES) - {"pear"}


def test_its_ranking_has_all_of_them_without_a_list():
    study = load_study("config/zoo.yaml")
    ranked = [row["method"] for row in layouts.figure_layout(study, "ranking")["rows"]]
    assert len(ranked) == len(set(ranked)) == 45
    assert set(ranked) == set(study.tables["zoo"].methods)


def test_with_matched_rates_each_rule_has_its_own_but_those_that_learn_from_rewards():
    study, zoo = load_study("config/zoo-matched.yaml"), load_study("config/zoo.yaml")
    ranked = study.figures.ranking.methods
    own = {study.methods[name].sweep.of for name in ranked if name.endswith("-own")}
    fixed = {name for name in ranked if not name.endswith("-own")}
    assert own | fixed == set(zoo.tables["zoo"].methods)
    assert not own & fixed
    weighed = {name for name in zoo.methods if zoo.methods[name].weighs_rewards}
    assert fixed == {BASE} | weighed & set(zoo.tables["zoo"].methods)


def test_its_monitors_show_weights_that_adapt_to_the_batch_by_ratios_and_by_rewards():
    study = load_study("config/objectives.yaml")
    shown = [study.methods[name] for name in study.figures.monitors.methods]
    adaptive = {method.objective for method in shown if not method.parameters}
    assert {"mode-seeking", "reward-exponential"} <= adaptive
    assert "dft" in study.figures.monitors.methods


@pytest.mark.parametrize("name", ["weighting", "lora"])
def test_the_papers_numbers_stand_beside_a_study_of_its_v3(name):
    layout = layouts.table_layout(load_study(f"config/{name}.yaml"), name)
    published = pd.read_csv(ROOT / "config" / "published.csv").query("table == @name")
    printed = set(published[["model", "method", "setting"]].itertuples(index=False, name=None))
    shown = {(row["published"], row["method"], row["setting"]) for row in layout["rows"]}
    assert printed
    assert printed <= shown
