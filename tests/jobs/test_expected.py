"""What a study's results are, from its description alone."""

import pytest
from helpers import ROOT
from rectify.jobs.expected import results_of
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
