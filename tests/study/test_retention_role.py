"""What training should not hurt: asked apart, measured apart, in no column of a table."""

import pytest
from helpers import ROOT
from rectify.jobs import layouts, paths, retention
from rectify.jobs.settings import sample_settings
from rectify.planning.flops import jobs
from rectify.reruns.needed import results_of
from rectify.step.errors import StepError
from rectify.study.load import load_study, read_yaml

pytestmark = pytest.mark.usefixtures("at_root")
MODEL = "qwen2-mini"
KEPT = {"title": "kept", "role": "retention", "rows": 8, "world": {"steps": [1, 2]}}
TEXT = {"rows": 16, "world": {"voice": "crowd", "steps": [1, 2]}}


def study(**changes):
    """The miniature with Table 1 alone, and what it should not hurt."""
    found = read_yaml(ROOT / "config/mini.yaml")
    tables = {"table1": found["tables"]["table1"] | {"models": [MODEL]}}
    benchmarks = found["benchmarks"] | {"kept": KEPT}
    own = {"tables": tables, "figures": {}, "claims": None, "benchmarks": benchmarks,
           "retention": {"margin": 3, "rows": TEXT}}  # fmt: skip
    return load_study({**found, **own, **changes})


def test_its_problems_are_asked_of_every_row_and_are_no_column():
    found = study()
    names = {own["name"] for own in layouts.table_layout(found, "table1")["benchmarks"]}
    assert "kept" not in names
    kept = paths.rows(found, "benchmarks/kept")
    made = {result.outputs[0]: result for result in results_of(found)}
    asked = [file for file, own in made.items() if own.step == "decode" and kept in own.inputs]
    # three base models, SFT and DFT with three seeds, each once repeated
    assert len(asked) == 3 + 2 * 6
    assert all(file.endswith("-retention.parquet") for file in asked)
    for file in asked:
        assert [name for name in made[file].inputs if "benchmarks/" in name] == [kept]
    planned = [job for job in jobs(found) if job.rule == "decode_retention"]
    assert len(planned) == len(asked)


def test_every_trained_model_is_measured_against_its_own_base_model():
    found = study()
    far = {own.outputs[0]: own for own in results_of(found) if own.step == "measure_divergence"}
    assert len(far) == 2 * 6
    own = far[paths.divergence(found, MODEL, "dft-seed2-repeat1")]
    assert own.inputs == [
        paths.rows(found, "retention"),
        paths.model(found, MODEL, "dft-seed2-repeat1"),
        paths.model(found, MODEL, "base-seed2"),
    ]
    assert len([job for job in jobs(found) if job.rule == "measure_divergence"]) == len(far)
    assert sample_settings(found, "retention")["rows_of"] == "retention"


def test_a_method_that_starts_from_another_ones_model_is_measured_from_the_base_model():
    methods = {name: {"title": name, "objective": name} for name in ("sft", "dft")}
    methods["after"] = {"title": "After", "objective": "dft", "from": "sft"}
    table = {"caption": "T", "models": [MODEL], "methods": ["base", "after"]}
    found = study(methods=methods, tables={"table1": table})
    made = {own.outputs[0]: own for own in results_of(found)}
    own = made[paths.divergence(found, MODEL, "after-seed0")]
    assert own.inputs[-1] == paths.model(found, MODEL, "base-seed0")
    assert made[paths.model(found, MODEL, "after-seed0")].inputs[1] == paths.model(
        found, MODEL, "sft-seed0"
    )


def test_either_of_the_two_will_do_and_neither_leaves_no_table():
    benchmarks = {name: block for name, block in study().benchmarks.items() if name != "kept"}
    plain = {name: block.model_dump(exclude_none=True) for name, block in benchmarks.items()}
    for changes, retains, answers, distances in (
        ({}, True, 15, 12),
        ({"retention": {}}, True, 15, 0),
        ({"benchmarks": plain}, True, 0, 12),
        ({"benchmarks": plain, "retention": {}}, False, 0, 0),
    ):
        found = study(**changes)
        assert found.retains == retains
        assert len(retention.scores_retained(found)) == answers
        assert len(retention.diverged_runs(found)) == distances
        made = [result.step for result in results_of(found)]
        assert made.count("tabulate_retention") == retains


def test_the_table_is_laid_out_with_titles_margin_and_files():
    layout = retention.retention_layout(study())
    assert layout["margin"] == 3
    assert layout["benchmarks"] == [{"name": "kept", "title": "kept"}]
    base, sft, _ = layout["rows"]
    assert base["divergence"] == []
    assert base["scores"][0] == "results/mini/scores/qwen2-mini/base-seed0-retention.parquet"
    assert len(sft["scores"]) == len(sft["divergence"]) == 6


def test_a_benchmark_asks_no_prose():
    """The crowd's text has some, which no answer is to; its questions are the expert's."""
    world = {"voice": "crowd", "steps": [1, 2]}
    with pytest.raises(StepError, match=r"kept.*: world.voice: the crowd's text is prose in part"):
        study(benchmarks=study().model_dump(exclude_none=True)["benchmarks"]
              | {"kept": KEPT | {"world": world}})  # fmt: skip
    load_study("config/retention.yaml")
