"""The benches' own arithmetic, and what their subject imports."""

import subprocess
import sys

import pytest
import torch
from helpers import DATA, ROOT
from rectify.models.encoding import Example
from rectify.statistics.regimes import DFT, EITHER, LIMITS, MINI
from rectify.study.training import Training
from rectify.training.batches import collate, micro_batches
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM

from bench.common import table
from bench.contenders import DEFAULT_TRAINING, padding_share
from bench.precheck import WORLDS, regime, tried
from bench.rows import drawn_lengths, lengths, real_lengths
from bench.rules import walls
from bench.score import distinct
from bench.train_gpu import SHAPE, model_flops, parameters

# what is installed beside torch, transformers, numpy, pandas and what these need
FORBIDDEN = (
    "trl", "peft", "vllm", "snakemake", "datasets", "scipy", "pyarrow", "pydantic", "matplotlib",
    "sklearn", "math_verify", "pebble", "tensorboard", "jsonschema",
)  # fmt: skip
IMPORT = f"""
import importlib.util, sys
found = importlib.util.find_spec
def hides(name, *others):
    return None if name.split(".")[0] in {FORBIDDEN} else found(name, *others)
class Refuser:
    def find_spec(self, name, *_):
        if name.split(".")[0] in {FORBIDDEN}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
importlib.util.find_spec = hides
sys.meta_path.insert(0, Refuser())
import bench.contenders, bench.train_gpu, rectify.training.trainer
"""


@pytest.mark.slow
def test_the_training_path_needs_torch_transformers_numpy_and_pandas_only():
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'workflow'}", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], env=paths, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_without_a_gpu_the_gpu_bench_says_so():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    done = subprocess.run(
        [sys.executable, "-m", "bench.train_gpu"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "no GPU" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kept", [MINI, LIMITS], ids=lambda kept: kept.study)
def test_the_prechecks_regimes_are_what_its_bench_measures(kept, at_root):
    """Within what another processor's rounding may move over the threshold."""
    found, rows = regime(kept.study, 500, 3)
    assert len(rows) == (6 if kept is MINI else 3)
    assert (found.lowest, found.highest) == pytest.approx((kept.lowest, kept.highest), abs=5e-4)
    assert found.differences == pytest.approx(kept.differences)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_the_precheck_is_right_about_worlds_that_it_is_not_made_from(world, at_root):
    """The truth is what SFT and DFT score that are trained here, 60 steps each, on 60 problems."""
    found = tried(*WORLDS[world], steps=60, problems=60, count=200)
    better, worse = ("dft", "sft") if found["says"] == DFT else ("sft", "dft")
    assert found["says"] != EITHER
    assert found[better] > found[worse] + 10, found


def qwen2(device, **shape):
    """A Qwen2 with random weights."""
    config = AutoConfig.for_model("qwen2", attn_implementation="eager", **shape)
    with torch.device(device):
        return AutoModelForCausalLM.from_config(config)


def test_parameters_are_transformers_matrices():
    matrices = (p.numel() for p in qwen2("meta", **SHAPE).parameters() if p.dim() == 2)
    assert parameters(SHAPE) == sum(matrices)


def test_model_flops_are_torchs_count_of_both_passes_but_for_the_masked_half_of_attention():
    shape = SHAPE | {"vocab_size": 500, "hidden_size": 96, "intermediate_size": 160}
    shape |= {"num_hidden_layers": 2}
    model, length = qwen2("cpu", **shape), 70
    with FlopCounterMode(display=False) as counter:
        ids = torch.ones(3, length, dtype=torch.long)
        model(ids, use_cache=False).logits.sum().backward()
    masked = 6 * shape["num_hidden_layers"] * shape["hidden_size"] * 3 * length**2
    expected = counter.get_total_flops() - masked
    assert model_flops(shape, 3 * length, 3 * length**2) == pytest.approx(expected, rel=1e-3)


def test_padding_share():
    assert padding_share(6, 8) == 0.25


def test_this_project_is_measured_with_a_studys_defaults():
    default = Training().model_dump()
    assert {key: default[key] for key in DEFAULT_TRAINING} == DEFAULT_TRAINING


def test_padding_of_a_studys_micro_batches_is_small_at_the_benches_batch():
    """Of batches of 32 in micro-batches of 2 on average, over 4 batches."""
    rows = [Example([1] * prompt, [1] * response) for prompt, response in drawn_lengths(128, 0)]
    micro = micro_batches(rows, 32, 2, Training().micro_batches)
    processed = sum(collate(batch)["input_ids"].numel() for batch in micro)
    assert padding_share(sum(len(row) - 1 for row in rows), processed) < 0.02


@pytest.mark.skipif(not (DATA / "math_train.jsonl").is_file(), reason="needs math_train.jsonl")
def test_drawn_lengths_are_like_the_real_ones(monkeypatch):
    real = torch.tensor(real_lengths(DATA / "math_train.jsonl"), dtype=torch.double)
    drawn = torch.tensor(drawn_lengths(7500, 0), dtype=torch.double)
    torch.testing.assert_close(drawn.log().mean(0), real.log().mean(0), rtol=0.02, atol=0)
    torch.testing.assert_close(drawn.log().std(0), real.log().std(0), rtol=0.1, atol=0)
    torch.testing.assert_close(drawn.log().T.corrcoef(), real.log().T.corrcoef(), rtol=0, atol=0.05)
    monkeypatch.setenv("DATA", str(DATA))
    assert lengths(3)[1] == "math_train.jsonl"


def test_the_benches_distinct_answers_are_distinct_and_of_real_golds():
    answers = [(*problem, text.split("No: ")[1]) for *problem, text in distinct(20_000)]
    assert len(set(answers)) == 20_000
    assert len({gold for _, _, gold, _ in answers}) > 800


def made(start, end, *parents):
    """A manifest of a step that ran from one second of a minute to another."""
    paths = [{"manifest": {"path": f"results/mini/{parent}.manifest.json"}} for parent in parents]
    at = "2026-11-21T20:00:{:02}+00:00".format
    return {"started": at(start), "ended": at(end), "inputs": paths}


@pytest.mark.parametrize(
    ("figure", "expected"),
    [(30, {"Tables 1 and 2": 24, "all results": 39}), (20, {"all results": 39})],
)
def test_wall_seconds_are_those_from_the_first_start_to_the_last_end(figure, expected):
    """Those of Tables 1 and 2 are known only where nothing else was made before they were."""
    found = {
        "checks/m": made(1, 2),  # of no table's ancestry
        "models/m/base": made(2, 9),
        "tables/table1": made(10, 12, "models/m/base"),
        "tables/table2": made(11, 26, "models/m/base"),
        "figures/figure2": made(figure, 40, "models/m/base"),
    }
    assert walls({f"{name}.manifest.json": each for name, each in found.items()}) == expected


def test_table_is_markdown():
    rows = [{"what": "a", "best_s": 1.2345}, {"what": "b", "best_s": None, "n": 12345}]
    assert table(rows).splitlines() == [
        "| what | best_s | n |",
        "| --- | ---: | ---: |",
        "| a | 1.23 | – |",
        "| b | – | 12,345 |",
    ]
