"""A result is what the study gives if its manifest says so: a call makes anew what is not, and ends
with a verification.
"""

import copy
import json
import shutil

import pytest
from stale_keys import with_key
from stale_plan import ALWAYS, RESULTS, assert_planned
from stale_study import STUDY

pytestmark = pytest.mark.slow


def test_results_from_elsewhere_are_judged_by_their_manifests(finished, before):
    """Snakemake's records stay behind where results are copied with their times."""
    records = finished.folder / ".snakemake"
    away = records.rename(records.with_name("records"))
    try:
        assert finished.planned() == ALWAYS
        rate = with_key(copy.deepcopy(STUDY), ["training", "learning_rate"], 3e-4)
        assert "results/stale/models/mini/dft-seed0" in assert_planned(finished, before, rate)
    finally:
        shutil.rmtree(records, ignore_errors=True)
        away.rename(records)


def test_nothing_is_trained_for_want_of_the_checks_files(finished):
    """Someone has cleared them away: the models are there, and are what the study says."""
    checks = finished.folder / RESULTS / "checks"
    gates = [file for file in checks.glob("*/*") if file.suffix != ".json"]
    assert checks / "mini" / "released-ready" in gates
    for file in gates:
        file.unlink()
    assert finished.planned() == ALWAYS


def damaged(manifest, **changes):
    """Change a manifest; returns what undoes it."""
    text = manifest.read_text()
    manifest.write_text(json.dumps(json.loads(text) | changes))
    return lambda: manifest.write_text(text)


def test_a_verification_says_what_is_not_what_the_study_gives(finished):
    model = finished.folder / RESULTS / "models" / "mini" / "dft-seed0"
    manifest = model.with_name("dft-seed0.manifest.json")
    found = json.loads(manifest.read_text())

    def said():
        done = finished.verify(f"{RESULTS}/models/mini/dft-seed0")
        assert done.returncode == 1
        return done.stderr

    cases = {
        "settings.learning_rate: 0.5": {"settings": found["settings"] | {"learning_rate": 0.5}},
        "made with other code: workflow/rectify/objectives/loss.py": {
            "code": found["code"]
            | {"files": found["code"]["files"] | {"workflow/rectify/objectives/loss.py": "0"}}
        },
        "not yet made from": {"inputs": found["inputs"][1:]},
        "made from other content of": {
            "inputs": [found["inputs"][0] | {"sha256": "0"}, *found["inputs"][1:]]
        },
        "changed since it was made": {"outputs": [found["outputs"][0] | {"sha256": "0"}]},
    }
    for words, changes in cases.items():
        undo = damaged(manifest, **changes)
        try:
            *lines, remedy = said().splitlines()
        finally:
            undo()
        assert len(lines) == 1
        assert "run snakemake" in remedy
        assert lines[0].startswith(f"rectify verify: {RESULTS}/models/mini/dft-seed0: {words}")

    away = manifest.rename(manifest.with_name("away"))
    assert "no manifest beside it" in said()
    away.rename(manifest)
    assert finished.verify(f"{RESULTS}/models/mini/dft-seed0").returncode == 0
    undo = damaged(manifest, settings={})
    try:
        table = finished.verify(f"{RESULTS}/tables/table1.csv").stderr
    finally:
        undo()
    scores = f"{RESULTS}/scores/mini/dft-seed0.parquet"
    assert f"rectify verify: {RESULTS}/tables/table1.csv: made from {scores}, which has" in table
    assert f"{RESULTS}/tables/table3.csv" not in table


def test_a_call_ends_with_status_1_where_snakemake_has_left_something_stale(finished):
    """As it has to where the other rules are not allowed to run."""
    scores = finished.folder / RESULTS / "scores" / "mini" / "base-seed0.manifest.json"
    undo = damaged(scores, step="decode")
    try:
        for target in ("all", "figures"):
            done = finished.run(target, "--allowed-rules", target)
            assert done.returncode == 1
            assert "scores/mini/base-seed0.parquet: made by step decode, not score" in done.stderr
    finally:
        undo()
    assert finished.run("tables").returncode == 0


GONE = {  # and the result that is then made anew
    "scores/mini/base-seed0.manifest.json": "scores/mini/base-seed0.parquet",
    "models/mini/dft-seed0.manifest.json": "models/mini/dft-seed0",
    "samples/mini/dft-seed0.part1of2.parquet": "samples/mini/dft-seed0.part1of2.parquet",
    "tables/table1.md": "tables/table1.md",
    "figures/figure1.png": "figures/figure1.png",
}


@pytest.mark.parametrize("gone", GONE)
def test_a_result_or_a_manifest_that_is_gone_is_made_anew(finished, before, gone):
    """Where Snakemake would not look for it: behind results that are there, or not an output."""
    (finished.folder / RESULTS / gone).unlink()
    planned = assert_planned(finished, before, edited={f"{RESULTS}/{GONE[gone]}"})
    assert any(f"{RESULTS}/{GONE[gone]}" in before[name].outputs for name in planned)
    assert finished.run().returncode == 0
    assert (finished.folder / RESULTS / gone).exists()
    assert finished.planned() == ALWAYS
