"""What a study's results are, from its description alone."""

from pathlib import Path

import pytest
from helpers import ROOT
from rectify.reruns.needed import results_of
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


def test_rows_are_weighed_beside_the_reference_of_the_run_for_the_page(monkeypatch):
    monkeypatch.chdir(ROOT)
    changed = {
        "methods": {"iw-sft": {"reference": "sft"}},
        "figures": {
            "gallery": {"methods": ["dft", "iw-sft", "rft"], "weigh_rows": ["dft", "iw-sft", "rft"]}
        },
    }
    results = results_of(load_study(MINI | changed))
    here, found = "results/mini", {}
    for result in results:
        if result.step == "weigh_rows":
            assert [Path(file).suffix for file in result.outputs] == [".parquet", ".csv", ".md"]
            found[Path(result.outputs[1]).stem] = set(result.inputs)
    models, rows = f"{here}/models/qwen2-mini", f"{here}/data/training.parquet"
    assert found == {
        "dft-seed0": {rows, f"{models}/dft-seed0", f"{models}/base-seed0"},
        "iw-sft-seed0": {rows, f"{models}/iw-sft-seed0", f"{models}/sft-seed0"},
        "rft-seed0": {f"{here}/self/qwen2-mini/base-seed0/correct.parquet",
                      f"{models}/rft-seed0", f"{models}/base-seed0"},
    }  # fmt: skip
    page = next(result for result in results if result.step == "render_report")
    assert {f"{here}/row_weights/qwen2-mini/{name}.csv" for name in found} <= set(page.inputs)
    assert not [result for result in results_of(load_study(MINI)) if result.step == "weigh_rows"]


def test_every_model_that_is_taught_the_studys_rows_is_read_before_and_shown(monkeypatch):
    """Not one that learns from its own answers alone, nor one of which nothing is trained."""
    monkeypatch.chdir(ROOT)

    def checked(changed):
        results = results_of(load_study(MINI | changed))
        page = next(result for result in results if result.step == "render_report")
        own = [result for result in results if result.step == "precheck"]
        for result in own:
            assert result.outputs[0] in page.inputs
            assert {Path(file).suffix for file in result.outputs} == {".json", ".md"}
        return {Path(result.outputs[0]).stem: result.inputs for result in own}

    here = "results/mini"
    rows = [f"{here}/data/training.parquet", f"{here}/data/contamination.csv"]
    assert checked({}) == {
        name: [f"{here}/models/{name}/base-seed0", *rows] for name in ("qwen2-mini", "llama-mini")
    }
    own = {"tables": {"table1": None, "table2": None, "table3": {"methods": ["base", "rft"]}}}
    nothing = {"claims": None, "figures": dict.fromkeys(load_study(MINI).figures.shown)}
    assert checked(own | nothing) == {}
