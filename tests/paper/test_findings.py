"""In how many pretrainings the paper's findings come out, on results whose answer is known."""

import pandas as pd
import pytest
from helpers import ROOT
from rectify.jobs import layouts
from rectify.paper.figures import findings
from rectify.study.load import load_study

EVERY = {"average": True, "hardest": True, "outer bins": True}
# right of 4 answers to the hardest problem by base, SFT, DFT; tokens in the outer bins by SFT, DFT
REPETITIONS = {
    "all three": ((2, 1, 3), ((5, 60), (6, 70)), EVERY),
    "SFT as high as DFT": ((2, 3, 3), ((5, 60), (6, 70)), {"average": False, "hardest": False}),
    "SFT not below base": ((2, 2, 3), ((5, 60), (6, 70)), {"hardest": False}),
    "DFT not above base": ((3, 1, 3), ((5, 60), (6, 70)), {"hardest": False}),
    "no more in the lowest bin": ((2, 1, 3), ((5, 60), (5, 70)), {"outer bins": False}),
    "fewer in the highest bin": ((2, 1, 3), ((5, 60), (6, 50)), {"outer bins": False}),
}


@pytest.fixture
def settings(tmp_path):
    """A layout of one model, a pretraining for each of REPETITIONS, with its files."""

    def scores(name, right):
        rows = [
            {"benchmark": benchmark, "problem_id": 0, "sample": sample, "correct": sample < count}
            for benchmark, count in (("easy", 2), ("hard", right))
            for sample in range(4)
        ]
        pd.DataFrame(rows).to_parquet(tmp_path / f"{name}.parquet")
        return str(tmp_path / f"{name}.parquet")

    def histogram(name, lowest, highest):
        counts = [highest, 100 - lowest - highest, lowest]  # in another order than the bins'
        bins = pd.DataFrame({"low": [0.9, 0.5, 0.0], "high": [1, 0.9, 0.5], "count": counts})
        bins.to_parquet(tmp_path / f"{name}.parquet")
        return str(tmp_path / f"{name}.parquet")

    repetitions = []
    for seed, (right, outer, _) in enumerate(REPETITIONS.values()):
        methods = {
            method: {"scores": scores(f"{method}-seed{seed}", count)}
            for method, count in zip(("base", "sft", "dft"), right, strict=True)
        }
        for method, own in zip(("sft", "dft"), outer, strict=True):
            methods[method]["histogram"] = histogram(f"bins-{method}-{seed}", *own)
        repetitions.append({"model": "M", "seed": seed, "methods": methods})
    return {
        "methods": {"base": "Base", "sft": "SFT", "dft": "DFT"},
        "benchmarks": {"easy": "Easy", "hard": "Hard"},
        "scoring": {"grader": "corrected", "rounding": "exact"},
        "hardest": "hard",
        "repetitions": repetitions,
    }


def test_a_finding_comes_out_where_every_part_of_it_does(settings):
    points = findings.points(settings)
    value = points.set_index(["seed", "quantity", "method"])["value"]
    assert value[0, "hardest", "dft"] == 75
    assert value[0, "average", "dft"] == (50 + 75) / 2
    assert (value[0, "lowest", "dft"], value[0, "highest", "dft"]) == (6, 70)
    found = findings.held(points).loc["M"].to_dict("index")
    for seed, (name, (_, _, differing)) in enumerate(REPETITIONS.items()):
        assert found[seed] == EVERY | differing, name


def test_the_panels_say_in_how_many_pretrainings_it_does(settings):
    figure = findings.draw(findings.points(settings), settings)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == [
        "average: 5 of 6",
        "Hard: 3 of 6",
        "tokens below 0.0001: 4 of 6",
        "tokens above 0.9: 4 of 6",
    ]


def test_ten_pretrainings_of_each_architecture_are_ten_repetitions(monkeypatch):
    monkeypatch.chdir(ROOT)
    study = load_study("config/robust.yaml")
    layout = layouts.figure_layout(study, "findings")
    assert [entry["seed"] for entry in layout["repetitions"]] == [*range(10)] * 2
    third = layout["repetitions"][3]["methods"]
    assert third["base"]["scores"].endswith("qwen2-mini/base-seed3.parquet")
    assert third["dft"]["histogram"].endswith("qwen2-mini/dft-seed3.parquet")
    assert len(layouts.measured_runs(study)) == 2 * 2 * 10
