"""Accuracy gained against KL: a point for each method and seed, beside its own base model."""

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT
from rectify.jobs.layouts import figure_layout
from rectify.paper.figures import retention
from rectify.statistics.accuracy import read_scores
from rectify.statistics.comparisons import compare
from rectify.step.errors import StepError
from rectify.study.load import load_study, read_yaml

SCORING = {"grader": "corrected", "rounding": "exact"}
RIGHT = {"base": 0.2, "sft": 0.5, "dft": 0.8}


def scores(right, seed):
    """4 samples of each of 10 problems."""
    rng = np.random.default_rng(seed)
    rows = [
        {"benchmark": "new", "checkpoint": 0, "problem_id": problem, "sample": sample,
         "correct": bool(rng.random() < right), "harness": False, "status": "ok"}
        for problem in range(10) for sample in range(4)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def layout(tmp_path):
    for method, right in RIGHT.items():
        for seed in (0, 1):
            scores(right, seed).to_parquet(tmp_path / f"{method}-seed{seed}.parquet")
    dots = []
    for method in ("sft", "dft"):
        for seed in (0, 1):
            file = tmp_path / "divergence" / f"{method}-seed{seed}.parquet"
            file.parent.mkdir(exist_ok=True)
            far = [0.25 * (seed + 1), 0.75 * (seed + 1)]
            pd.DataFrame({"row": [0, 1], "tokens": [5, 5], "kl": far}).to_parquet(file)
            own = {"method": method, "seed": seed, "divergence": [str(file)]}
            own["scores"] = [str(tmp_path / f"{method}-seed{seed}.parquet")]
            dots.append(own | {"base": [str(tmp_path / f"base-seed{seed}.parquet")]})
    return {"dots": dots, "methods": {"sft": "SFT", "dft": "DFT"}, "scoring": SCORING,
            "benchmarks": {"new": "New"}, "samples": 4}  # fmt: skip


def test_a_point_is_its_seeds_gain_over_its_seeds_base_model(layout):
    points = retention.points(layout)
    assert list(points) == retention.COLUMNS
    assert not points.duplicated(retention.KEYS).any()
    for dot, point in zip(layout["dots"], points.itertuples(), strict=True):
        own, base = (read_scores(dot[key]) for key in ("scores", "base"))
        assert point.value == compare(own, base, ["new"], SCORING)["mean"].difference
        assert point.low < point.value < point.high
        assert point.kl == pytest.approx(0.1 * (point.seed + 1))


def test_a_look_for_each_method(layout):
    (axis,) = retention.draw(retention.points(layout), layout).axes
    assert axis.get_legend_handles_labels()[1] == ["SFT", "DFT"]
    first = axis.containers[0].lines[0]
    assert list(first.get_xdata()) == pytest.approx([0.1, 0.2])


def test_behind_a_point_is_all_that_it_is_made_of(layout):
    points = retention.points(layout).astype(str)
    row = points[(points["method"] == "dft") & (points["seed"] == "1")].iloc[0]
    dot = layout["dots"][-1]
    files = [*dot["scores"], *dot["base"], *dot["divergence"]]
    assert retention.behind(layout, row, points) == files


@pytest.mark.usefixtures("at_root")
def test_the_layout_pairs_each_seed_with_its_base_and_needs_a_text():
    study = read_yaml(ROOT / "config/retention.yaml") | {"extends": "config/mini.yaml"}
    found = figure_layout(load_study(study), "retention")
    assert len(found["dots"]) == 15
    dot = found["dots"][1]
    assert (dot["method"], dot["seed"]) == ("sft", 1)
    assert dot["base"] == ["results/retention/scores/qwen2-mini/base-seed1.parquet"]
    assert dot["divergence"] == ["results/retention/divergence/qwen2-mini/sft-seed1.parquet"]
    for figure, text, said in (
        ({"methods": ["sft"]}, None, "needs a text that the base model knows"),
        ({"methods": ["base"]}, study["retention"], "'base' is not trained here; leave it out"),
    ):
        own = figure | {"model": "qwen2-mini"}
        changed = study | {"figures": study["figures"] | {"retention": own}, "retention": text}
        with pytest.raises(StepError, match=said):
            load_study(changed)
