"""The miniatures' base models are files of the repository: everybody starts from the same ones."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from helpers import ROOT, settings_file
from rectify.jobs.preflight import check_files
from rectify.jobs.runs import kept_base, pretrained_bases
from rectify.jobs.settings import SETTINGS
from rectify.step.environment import machine
from rectify.step.errors import StepError
from rectify.step.files import sha256
from rectify.step.manifest import beside, content, read_manifest
from rectify.study.load import load_study

KEPT = [(model, f"base-seed{seed}") for model in ("qwen2-mini", "llama-mini") for seed in range(3)]
ON_THE_MINIATURE = ("mini", "limits", "lora", "weighting", "objectives", "robust")


@pytest.fixture
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(("model", "base"), KEPT)
def test_a_kept_base_is_what_its_manifest_says(at_root, model, base):
    folder = kept_base(load_study("config/mini.yaml"), model, base)
    (output,) = read_manifest(beside(folder))["outputs"]
    assert content(folder).sha256 == output["sha256"]
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2e6


@pytest.mark.parametrize("name", ON_THE_MINIATURE)
def test_every_study_on_the_miniature_starts_from_the_kept_bases(at_root, name):
    study = load_study(f"config/{name}.yaml")
    check_files(study)
    others = [seed for seed in study.seeds if seed > 2]
    pretrained = {(model, f"base-seed{seed}") for model in study.models for seed in others}
    assert set(pretrained_bases(study)) == pretrained


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"training": {"learning_rate": 2e-3}}, "base-seed0.learning_rate: 0.003 | 0.002"),
        ({"shape": {"intermediate_size": 512}}, "base-seed0.shape.intermediate_size: 256 | 512"),
        ({"data": {"rows": 1280}}, "data/pretraining/qwen2-mini.rows: 76800 | 1280"),
    ],
)
def test_bases_of_other_settings_are_refused_in_one_line(at_root, change, said):
    study = {"extends": "config/mini.yaml", "models": {"qwen2-mini": {"pretrain": change}}}
    with pytest.raises(StepError) as error:
        check_files(load_study(study))
    assert said in str(error.value)
    assert "set models.qwen2-mini.pretrain.kept to null to pretrain anew" in str(error.value)


@pytest.mark.parametrize("harm", ["a byte", "no manifest"])
def test_a_damaged_base_is_refused_in_one_line(at_root, tmp_path, harm):
    kept = shutil.copytree(ROOT / "config/bases", tmp_path / "bases")
    base = kept / "qwen2-mini/base-seed0"
    if harm == "a byte":
        weights = base / "model.safetensors"
        content = weights.read_bytes()
        weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        beside(base).unlink()
    study = {
        "extends": "config/mini.yaml",
        "models": {"qwen2-mini": {"pretrain": {"kept": str(kept)}}},
    }
    said = (
        r"models\.qwen2-mini\.pretrain\.kept: .*base-seed0 is not what its manifest says; check it"
    )
    with pytest.raises(StepError, match=said):
        check_files(load_study(study))


def test_one_key_pretrains_them_anew(at_root):
    study = {"extends": "config/mini.yaml", "models": {"qwen2-mini": {"pretrain": {"kept": None}}}}
    anew = pretrained_bases(load_study(study))
    assert anew == [("qwen2-mini", f"base-seed{seed}") for seed in range(3)]


def step(*words, **environment):
    """Run a step in the project's root with one thread, and more in its environment."""
    one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "workflow")}
    command = [sys.executable, "-m", "rectify", *map(str, words)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | one | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def sample(study, rows, folder):
    """A file of a study's rows."""
    settings = settings_file(SETTINGS["sample_rows"](study, rows))
    out = folder / f"{rows}.parquet"
    out.parent.mkdir(parents=True, exist_ok=True)
    step("sample_rows", "--settings", settings, "--out", out, "--counts", f"{out}.json")
    return out


@pytest.mark.long
def test_pretraining_anew_gives_the_kept_bits(at_root, tmp_path):
    """On the kind of processor that made them; on another the sums round otherwise."""
    study = load_study("config/mini.yaml")
    model, base = "llama-mini", "base-seed0"
    kept = kept_base(study, model, base)
    made_on = read_manifest(beside(kept))["machine"]["cpu"]
    if machine()["cpu"] != made_on:
        pytest.skip(f"they were made on another kind of processor, {made_on}")
    rows = sample(study, f"pretraining/{model}", tmp_path)
    settings = {name: settings_file(SETTINGS[name](study, model, base)) for name in
                ("initialise_model", "pretrain_model")}  # fmt: skip
    first, again = tmp_path / "initial", tmp_path / "base"
    step(
        "initialise_model",
        "--settings",
        settings["initialise_model"],
        "--rows",
        rows,
        "--out",
        first,
    )
    step("train", "--settings", settings["pretrain_model"], "--rows", rows, "--model", first,
         "--out", again)  # fmt: skip
    name = "model.safetensors"
    assert sha256(again / name) == sha256(kept / name)


OTHER_ARITHMETIC = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}


@pytest.mark.long
def test_fine_tuning_under_another_arithmetic_gives_the_same_table(at_root, tmp_path):
    """Stands in for a second kind of processor: other kernels in every operation."""
    study = load_study("config/mini.yaml")
    model = "qwen2-mini"
    rows = sample(study, "training", tmp_path)
    benchmarks = [sample(study, f"benchmarks/{name}", tmp_path) for name in study.benchmarks]
    accuracy = {}
    for method in ("sft", "dft"):
        settings = SETTINGS["train_model"](study, model, f"{method}-seed0") | {"checkpoints": []}
        for name, environment in (("own", {}), ("other", OTHER_ARITHMETIC)):
            folder = tmp_path / f"{method}-{name}"
            step("train", "--settings", settings_file(settings), "--rows", rows, "--model",
                 kept_base(study, model, "base-seed0"), "--out", folder, **environment)  # fmt: skip
            samples, scores = (Path(f"{folder}-{what}.parquet") for what in ("samples", "scores"))
            decoding = settings_file(SETTINGS["decode_benchmarks"](study, model))
            step("decode", "--settings", decoding, "--model", folder, "--benchmarks",
                 *benchmarks, "--part", "1/1", "--out", samples)  # fmt: skip
            step("score", "--samples", samples, "--benchmarks", *benchmarks,
                 "--out", scores)  # fmt: skip
            right = pd.read_parquet(scores).groupby("benchmark")["correct"].mean()
            accuracy[method, name] = 100 * right
        weights = [sha256(tmp_path / f"{method}-{name}" / "model.safetensors") for name in
                   ("own", "other")]  # fmt: skip
        assert weights[0] != weights[1], "the arithmetic is the same: this test shows nothing"
        moved = (accuracy[method, "own"] - accuracy[method, "other"]).abs()
        assert moved.max() <= 0.5, moved


def test_the_manifests_of_a_kept_base_lead_to_its_rows(at_root):
    """Text that anybody can read: what the base models were made of, and where."""
    lines = (ROOT / "config/bases/manifests.jsonl").read_text().splitlines()[1:]
    paths = {json.loads(line)["path"] for line in lines}
    for model, base in KEPT:
        made = {f"models/{model}/{base}", f"initial/{model}/{base}", f"data/pretraining/{model}"}
        assert {f"{name}.manifest.json" for name in made} <= paths
