"""What a study's jobs took: Snakemake's benchmark files, corrected by the steps' manifests."""

import json
import subprocess
import sys

import pytest
from rectify.provenance.job_times import job_times
from rectify.step.errors import StepError

HEADER = "s\th:m:s\tmax_rss\tcpu_time\n"


def benchmark(folder, name, line):
    """A file of Snakemake's."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{HEADER}{line}\n")


@pytest.fixture
def folder(tmp_path):
    """Benchmark files of two studies, of a job with a manifest and of jobs without."""
    benchmark(tmp_path, "train_model/own/m/dft-lr0.1-seed0.tsv", "40.5\t0:00:40\t600\t14.5")
    benchmark(tmp_path, "train_model/own/m/sft-seed0.tsv", "30\t0:00:30\t500\t13")
    benchmark(tmp_path, "train_model/other/m/sft-seed0.tsv", "1\t0:00:01\t1\t1")
    benchmark(tmp_path, "judge_claims/own.tsv", "0.4\t0:00:00\t-\t-")
    return tmp_path


def test_processor_time_is_the_manifests_where_one_names_the_jobs_log(folder):
    made = {"log": "logs/train_model/own/m/dft-lr0.1-seed0.log", "cpu_seconds": 39.25}
    unknown = {"log": None, "cpu_seconds": 7.0}  # made by hand, to a terminal
    times = job_times(folder, "own", {"a": made, "b": unknown})
    found = {(row.rule, row.job): (row.s, row.cpu_time, row.max_rss) for row in times.itertuples()}
    assert list(found) == [
        ("judge_claims", ""),
        ("train_model", "m/dft-lr0.1-seed0"),
        ("train_model", "m/sft-seed0"),
    ]
    assert found["train_model", "m/dft-lr0.1-seed0"] == (40.5, 39.25, 600)
    assert found["train_model", "m/sft-seed0"] == (30, 13, 500)
    assert times.iloc[0][["cpu_time", "max_rss"]].isna().all()  # Snakemake writes `-`


def test_memory_is_the_manifests_where_snakemake_has_not_seen_the_process(folder):
    warm = {"log": "logs/judge_claims/own.log", "max_rss": 210.5}
    less = {"log": "logs/train_model/own/m/sft-seed0.log", "max_rss": 400}  # of several processes
    times = job_times(folder, "own", {"a": warm, "b": less}).set_index("rule")["max_rss"]
    assert times["judge_claims"] == 210.5
    assert sorted(times["train_model"]) == [500, 600]


def test_a_study_that_was_not_run_has_no_rows(folder):
    assert job_times(folder, "third", {}).empty


def test_processor_time_is_never_less_than_what_snakemake_saw(folder):
    """A step's own process may be the smallest part of its job: torchrun, vLLM on a GPU."""
    small = {"log": "logs/train_model/own/m/sft-seed0.log", "cpu_seconds": 2.0}
    older = {"started": "a manifest of before"}
    times = job_times(folder, "own", {"a": small, "b": older}).set_index("job")
    assert times.loc["m/sft-seed0", "cpu_time"] == 13


def test_a_file_without_a_line_is_named(folder):
    (folder / "train_model/own/m/sft-seed0.tsv").write_text(HEADER)
    with pytest.raises(StepError, match=r"m/sft-seed0.tsv: no line of times in it"):
        job_times(folder, "own", {})


def test_a_damaged_file_is_named(folder):
    benchmark(folder, "train_model/own/m/sft-seed0.tsv", "x\t0:00:30\t500\t13")
    with pytest.raises(StepError, match=r"m/sft-seed0.tsv: line 2: s 'x' is no number"):
        job_times(folder, "own", {})


BUSY = """
import os, sys, time
from argparse import Namespace
from rectify.step.manifest import kept
with kept("score", Namespace(out="out.txt", settings={"a": 1})):
    open("out.txt", "w").close()
    while time.process_time() < 1.5:
        pass
    time.sleep(0.5)
"""


@pytest.mark.slow
@pytest.mark.parametrize("log", ["logs/score/own/m.log", None])
def test_a_manifest_has_its_whole_processs_time_and_names_its_log(tmp_path, log):
    (tmp_path / "logs/score/own").mkdir(parents=True)
    with open(tmp_path / log if log else "/dev/null", "w") as out:
        subprocess.run([sys.executable, "-c", BUSY], cwd=tmp_path, stdout=out, check=True)
    found = json.loads((tmp_path / "out.manifest.json").read_text())
    assert found["log"] == log
    assert 1.5 <= found["cpu_seconds"] < 1.5 + 1.0  # and what a manifest takes to write
    assert found["seconds"] >= 0.5
