"""The check for a machine with a GPU: what its parts compare, and that none ends the others."""

import json
import sys
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch.profiler import ProfilerActivity, profile

from bench import gpu_check, results, train_gpu
from bench.contenders import OutOfMemoryError
from bench.kernels import summary
from bench.precision import errors
from bench.resume import difference

GRADIENT = torch.tensor([3.0, 4.0])


@pytest.mark.parametrize(
    ("loss", "gradient", "expected"),
    [
        (2.0, [3.0, 4.0], (0, 0)),
        (2.1, [3.0, 4.0], (0.05, 0)),
        (2.0, [3.0, 4.5], (0, 0.1)),
        (float("nan"), [3.0, float("nan")], (float("inf"), float("inf"))),
        (float("inf"), [3.0, 4.0], (float("inf"), 0)),
    ],
)
def test_errors_are_relative_and_nan_is_one(loss, gradient, expected):
    found = errors((loss, torch.tensor(gradient)), (2.0, GRADIENT))
    assert found == pytest.approx(expected)


def test_one_changed_bit_is_a_difference(tmp_path):
    for name, last in (("one", 1.0), ("same", 1.0), ("other", 1.0 + 2**-23)):
        (tmp_path / name).mkdir()
        weights = {"a": torch.zeros(2), "b": torch.tensor([5.0, last])}
        save_file(weights, tmp_path / name / "model.safetensors")
    assert difference(tmp_path / "one", tmp_path / "same") == "same bits"
    assert difference(tmp_path / "one", tmp_path / "other") == "1 of 2 tensors, by 1.2e-07 at most"


def saying(tmp_path, code):
    """A part that runs some code."""
    file = tmp_path / "part.py"
    file.write_text(
        f"import json, sys, time\ndef row(**r): print(json.dumps({{'row': r}}))\n{code}"
    )
    return [str(file)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "seconds", "rows", "result"),
    [
        ("row(a=1)", 60, 1, "ok"),
        (
            "row(objective='dft', holds='no'); row(a='sft', holds='yes')",
            60,
            2,
            "does not hold: dft",
        ),
        ("row(a=1); raise ValueError('no room')", 60, 1, "status 1: ValueError: no room"),
        ("sys.stdout.flush(); time.sleep(600)", 1, 0, "cut short after 1 s"),
    ],
)
def test_a_part_keeps_its_rows_however_it_ends(tmp_path, code, seconds, rows, result):
    found, said = gpu_check.run_part(saying(tmp_path, code), seconds)
    assert (len(found), said) == (rows, result)


def test_the_other_parts_run_after_one_that_fails(tmp_path, monkeypatch):
    ended = {"profile": ([], "status 1: no room"), "resume": ([{"resume": "dft"}], "ok")}
    monkeypatch.setattr(gpu_check, "PARTS", dict.fromkeys(ended, 60))
    monkeypatch.setattr(gpu_check, "run_part", lambda words, _: ended[words[3]])
    monkeypatch.setattr(sys, "argv", ["gpu_check", "--quick"])
    with pytest.raises(SystemExit) as end:
        gpu_check.main(SimpleNamespace(quick=True, part=None, out=tmp_path))
    assert end.value.code
    kept = json.loads((tmp_path / "gpu_check.json").read_text())["rows"]
    assert [row.get("result") for row in kept] == ["status 1: no room", "ok", None]
    assert kept[-1] == {"resume": "dft"}


def test_a_tuned_contenders_micro_batch_is_halved_until_it_fits(monkeypatch):
    def measure(spec, *_):
        if spec["micro"] > 4:
            raise OutOfMemoryError("out of the GPU's memory")
        return {"micro": spec["micro"]}

    monkeypatch.setattr(train_gpu, "measure", measure)
    assert train_gpu.fitting({"micro": 16, "tuned": True}, 1, 1.0) == {"micro": 4}
    assert train_gpu.fitting({"micro": 16}, 1, 1.0) == {"failed": "out of the GPU's memory"}


def test_ratios_are_of_times_per_token():
    rate = {"rectify, sft": 100.0, "rectify, dft": 80.0, "TRL, dft, tuned": 40.0}
    rate |= {"TRL, nll, tuned": 50.0}
    rows = [{"contender": name, "tokens_per_s": value} for name, value in rate.items()]
    assert train_gpu.ratios([*rows, {"contender": "TRL, nll, defaults", "failed": "x"}]) == {
        "rectify, dft / rectify, sft": 1.25,
        "TRL, dft, tuned / rectify, dft": 2.0,
        "TRL, nll, tuned / rectify, sft": 2.0,
    }


def test_a_profile_names_the_largest_operator():
    a = torch.randn(300, 300)
    with profile(activities=[ProfilerActivity.CPU]) as found:
        for _ in range(5):
            a = (a @ a).tanh()
    rows = summary(found.key_averages(), 1.0)
    assert rows[0]["operator"] == "all"
    (product,) = (row for row in rows if row["operator"] == "aten::mm")
    assert product["calls"] == 5
    shown = sum(row["seconds"] for row in rows[1:])
    assert rows[0]["seconds"] == pytest.approx(shown)  # fewer operators than are shown


def test_without_a_gpu_nothing_is_measured(tmp_path, capsys):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    gpu_check.main(SimpleNamespace(quick=False, part=None, out=tmp_path))
    assert "no GPU here; nothing was measured" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_results_show_the_check_with_machine_and_commit_or_say_not_measured():
    assert results.section("gpu_check", []).endswith("Not measured.")
    found = {
        "command": "python -m bench.gpu_check", "date": "2026-01-02T03:04:05", "commit": "abc",
        "hardware": {"cores": 16, "processor": "CPU", "gpus": ["H100"]},
        "rows": [{"part": "resume", "result": "ok"}, {"resume": "dft", "resumed": "same bits"}],
    }  # fmt: skip
    text = results.section("gpu_check", [found])
    assert "2026-01-02 at abc, 16 cores of CPU, H100." in text
    assert "| resume | ok |" in text
    assert "| dft | same bits |" in text
