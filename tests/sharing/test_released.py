"""A ready checkpoint and graders of one's own, in what tells of a finished study."""

import os
import subprocess
import sys
import tarfile

import pandas as pd
import pytest
from helpers import settings_file, step
from rectify.jobs.cards import card_layout
from rectify.reruns.expected import score_results
from rectify.reruns.stale import stale_results
from rectify.sharing.bundle import pack
from rectify.study.load import load_study
from small_study import RELEASED, inside, make, run

BASE = "results/small"
TABLE = f"{BASE}/tables/table1.csv"


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The folder of the finished study; do not write to it."""
    folder = tmp_path_factory.mktemp("released")
    make(folder, RELEASED)
    return folder


@pytest.mark.slow
def test_a_row_stands_beside_the_retrained_one(released):
    cells = pd.read_csv(released / TABLE).query("benchmark == 'mean'")
    rows = list(cells[["method", "setting", "n_seeds"]].itertuples(index=False, name=None))
    assert rows == [("base", "-", 1), ("dft", "sft", 2), ("dft", "released", 1)]
    page = (released / BASE / "tables" / "table1.md").read_text()
    assert "DFT released" in page


def test_it_is_compared_with_both_seeds_of_its_retraining(released):
    found = pd.read_csv(released / BASE / "statistics" / "comparisons.csv")
    own = found[(found["method"] == "dft released") & (found["benchmark"] == "mean")]
    assert list(own["than"]) == ["base", "dft"]
    cells = pd.read_csv(released / TABLE).query("benchmark == 'mean'").set_index("setting")
    difference = cells["accuracy"]["released"] - cells["accuracy"]["sft"]
    assert own["difference"].iloc[-1] == pytest.approx(difference, abs=1e-3)


def test_a_trace_ends_in_its_folder_and_names_the_grader(released):
    words = ("--cell", "m,dft,easy", "--setting", "released")
    done = step("trace", TABLE, *words, cwd=released)
    assert done.returncode == 0, done.stderr
    lines = {line.strip().removesuffix("  (above)") for line in done.stdout.splitlines()}
    assert {f"{BASE}/models/m/released-ready", "./released", "own.py"} <= lines
    assert not {line for line in lines if "dft-seed" in line}
    assert "follows from these verdicts: 3 problems x 4 samples x 1 training seeds" in done.stdout


def test_only_what_was_trained_has_a_card(released):
    with inside(released):
        settings = card_layout(load_study("config/small.yaml"))
        run("write_cards", "--settings", settings_file(settings))
    cards = {file.parent.name for file in (released / BASE / "models").rglob("README.md")}
    assert "dft-seed0" in cards
    assert "released-ready" not in cards


def test_an_edited_grader_makes_the_verdicts_stale(released):
    own = released / "own.py"
    text = own.read_text()
    with inside(released):
        results = score_results(load_study("config/small.yaml"))
        scores = [result for result in results if result.step == "score"]
        assert not stale_results(scores)
        own.write_text(f"{text}# edited\n")
        try:
            stale = stale_results(scores)
        finally:
            own.write_text(text)
    files = [file for result in scores for file in result.outputs]
    assert stale == dict.fromkeys(files, "made from other content of own.py")


@pytest.mark.slow
def test_a_bundle_grades_again_with_ones_own_grader(released, tmp_path):
    with inside(released):
        pack(load_study("config/small.yaml"), tmp_path / "small.tar.gz")
    with tarfile.open(tmp_path / "small.tar.gz") as opened:
        opened.extractall(tmp_path, filter="data")
    folder = tmp_path / "rectify-small"
    assert (folder / "own.py").read_text() == (released / "own.py").read_text()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        ["./rebuild.sh"], cwd=folder, env={**environment, "PYTHON": sys.executable},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("the tables are those of the bundle, byte for byte\n")
