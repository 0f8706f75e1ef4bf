"""What a study's results are, from its description alone."""

from pathlib import Path

import pytest
from helpers import ROOT
from rectify.jobs.expected import results_of
from rectify.step.errors import StepError
from rectify.study.load import load_study

MINI = {"extends": "config/mini.yaml", "study": "mini"}
ANEW = {model: {"pretrain": {"kept": None}} for model in ("qwen2-mini", "llama-mini")}


@pytest.mark.parametrize(("models", "rows"), [({}, 6), (ANEW, 8)])
def test_rows_to_pretrain_on_are_results_only_where_a_model_is_pretrained(
    models, rows, monkeypatch
):
    """The training rows and five benchmarks, and for each model that is pretrained its rows."""
    monkeypatch.chdir(ROOT)
    results = results_of(load_study(MINI | {"models": models}))
    assert sum(result.step == "sample_rows" for result in results) == rows
    pretrained = sum(result.step == "initialise_model" for result in results)
    assert pretrained == (6 if models else 0)


@pytest.mark.parametrize("name", ["tables/tabel1.csv", "../smoke/tables/table1.csv"])
def test_a_target_that_the_study_does_not_make_is_refused(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(StepError, match="no result of study mini"):
        results_of(load_study(MINI), [f"results/mini/{name}"])


def test_a_target_may_be_named_from_anywhere_and_by_any_of_its_files(monkeypatch):
    monkeypatch.chdir(ROOT)
    study, names = load_study(MINI), ["results/mini/tables/table1.md"]
    named = results_of(study, names)
    assert named[-1].step == "tabulate_scores"
    assert named == results_of(study, [Path(name).absolute() for name in names])
    assert results_of(study, ["results/mini/models/qwen2-mini/dft-seed0/train.csv"])
