"""The template for one's own data, prompts and grader, on files of ten lines, through the DAG."""

import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from helpers import ROOT
from rectify.study.load import load_study

pytestmark = pytest.mark.slow

TRAIN = [{"problem": f"Compute {n}+{n}.", "solution": f"{n}+{n}={2 * n}. B"} for n in range(10)]
TEST = [
    {"problem": f"Compute {n}+1.", "answer": "B", "options": [str(n), str(n + 1)]}
    for n in range(10)
]


@pytest.fixture
def own(checkout, tmp_path):
    """Run the template in a checkout, on these files; returns the process."""

    def run(test, *words):
        folder = tmp_path / "files"
        folder.mkdir(exist_ok=True)
        for name, rows in (("train", TRAIN), ("test", test)):
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        shutil.rmtree(checkout / "results" / "own", ignore_errors=True)
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "config/own.yaml",
             "--config", f"data_dir={folder}", *words],
            cwd=checkout, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_it_is_short():
    assert len((ROOT / "config" / "own.yaml").read_text().splitlines()) <= 40


def test_ten_rows_are_trained_on_asked_and_graded(own, checkout):
    done = own(TEST)
    assert done.returncode == 0, done.stderr[-2000:]
    results = checkout / "results" / "own"
    cells = pd.read_csv(results / "tables" / "table1.csv")
    assert set(cells["method"]) == {"base", "sft", "dft"}
    assert set(cells["n_problems"]) == {10}
    scores = pd.read_parquet(results / "scores" / "mine" / "base.parquet")
    assert len(scores) == 10 * load_study(ROOT / "config" / "own.yaml").decoding.samples
    assert set(scores["answer"].dropna()) <= {"A", "B"}
    assert (scores["correct"] == (scores["answer"] == "B")).all()


def test_a_row_without_options_stops_it_before_anything_is_trained(own, checkout):
    done = own([*TEST[:4], {**TEST[4], "options": None}])
    assert done.returncode != 0
    assert "test.jsonl: row 5 has no list of texts in 'options'" in done.stderr
    assert not (checkout / "results" / "own" / "models" / "mine" / "sft-seed0").exists()
