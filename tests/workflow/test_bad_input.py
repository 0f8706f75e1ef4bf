"""Bad rows, models and settings stop a study before any training, with one line that names them."""

import json
import shutil

import pytest
import yaml
from helpers import SMOKE, snakemake

pytestmark = pytest.mark.slow


def one_model_study(folder, **changes):
    """A study of one model folder and one benchmark, as a file."""
    study = {
        "study": "broken",
        "models": {"tiny": {"title": "Tiny", "path": str(folder / "model")}},
        "data": {"world": {"steps": [1, 3]}, "rows": 16},
        "benchmarks": {"a": {"title": "A", "world": {"steps": [2, 2]}, "rows": 4}},
        "methods": {"sft": {"title": "SFT", "objective": "sft"}},
        "training": {"batch_size": 8, "max_length": 128},
        "decoding": {"dtype": "float32"},
        "tables": {"table1": {"caption": "A table.", "methods": ["base", "sft"]}},
    }
    (folder / "broken.yaml").write_text(yaml.safe_dump(study | changes))
    return folder / "broken.yaml"


def file_benchmark(path, problem, **keys):
    """A benchmark of one problem from a file."""
    path.write_text(json.dumps({"problem": problem, "answer": "4"}) + "\n" if problem else "")
    return {"a": {"title": "A", "file": str(path), **keys}}


def truncate(path):
    path.write_bytes(path.read_bytes()[:1000])


BROKEN = {
    "a benchmark without its field": (
        lambda f: {"benchmarks": file_benchmark(f / "a.jsonl", "2+2?", answer="gold")},
        "a.jsonl: no field 'gold'; there are problem, answer",
    ),
    "an empty benchmark": (
        lambda f: {"benchmarks": file_benchmark(f / "a.jsonl", "")},
        "a.jsonl: no rows in it",
    ),
    "another checksum": (
        lambda f: {"benchmarks": file_benchmark(f / "a.jsonl", "2+2?", sha256="0" * 64)},
        "a.jsonl: its sha256 is",
    ),
    "a prompt longer than the model takes": (
        lambda f: {"benchmarks": file_benchmark(f / "a.jsonl", "2+" * 200 + "2?")},
        "benchmark 'a' problem 0: its prompt has 4",
    ),
    "a model that does not load": (
        lambda f: truncate(f / "model" / "model.safetensors") or {},
        "the model does not load",
    ),
    "a tokenizer without a chat template": (
        lambda f: (f / "model" / "chat_template.jinja").unlink() or {},
        "the tokenizer has no chat template, which prompt style 'chat' needs",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_input_stops_before_any_training(checkout, model_copy, tmp_path, case):
    breakage, said = BROKEN[case]
    done = snakemake("--configfile", one_model_study(tmp_path, **breakage(tmp_path)), cwd=checkout)
    assert done.returncode != 0
    lines = (done.stdout + done.stderr).splitlines()
    found = [line.strip() for line in lines if line.strip().startswith("rectify ")]
    assert any(said in line for line in found), done.stderr[-3000:]
    assert len({line.split("  (logs/")[0] for line in found}) == 1
    assert found[-1].endswith(".log)")  # said again at the end, where one looks
    assert not (checkout / "logs" / "train_model" / "broken").exists()
    shutil.rmtree(checkout / "results" / "broken")


def test_a_prompt_too_long_for_a_miniature_stops_before_its_pretraining(checkout, tmp_path):
    prompt = file_benchmark(tmp_path / "a.jsonl", "2+" * 200 + "2?")
    done = snakemake(
        "results/long/models/qwen2-mini/base-seed0", *SMOKE,
        "--config", "study=long", f"benchmarks={json.dumps(prompt)}", cwd=checkout,
    )  # fmt: skip
    assert done.returncode != 0
    assert "benchmark 'a' problem 0: its prompt has 4" in done.stdout + done.stderr
    assert not (checkout / "logs" / "pretrain_model" / "long").exists()
