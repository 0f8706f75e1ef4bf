"""Rewards over the steps of online methods: means over the runs' logs."""

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT
from rectify.jobs.layouts import figure_layout
from rectify.paper.figures import rewards
from rectify.step.errors import StepError
from rectify.study.load import load_study, read_yaml


@pytest.fixture
def layout(tmp_path):
    """Two runs of GRPO, whose log has the entropy, and one of PPO, whose has not."""
    logs = {
        "grpo-seed0": {"reward": [0.25, 0.5], "entropy": [0.5, 0.25]},
        "grpo-seed1": {"reward": [0.75, 0.5], "entropy": [0.5, 0.75]},
        "ppo-seed0": {"reward": [0.1, 0.2]},
    }
    for name, columns in logs.items():
        (tmp_path / name).mkdir()
        pd.DataFrame({**columns, "step": [1, 2]}).to_csv(tmp_path / name / "train.csv", index=False)
    curves = [
        {"method": "grpo", "models": [str(tmp_path / f"grpo-seed{seed}") for seed in (0, 1)]},
        {"method": "ppo", "models": [str(tmp_path / "ppo-seed0")]},
    ]
    return {"curves": curves, "methods": {"grpo": "GRPO", "ppo": "PPO"}}


def test_a_step_has_the_mean_of_the_runs_and_its_standard_error(layout):
    points = rewards.points(layout).set_index(["method", "measure", "step"])
    assert points["value"].to_dict() == {
        ("grpo", "reward", 1): 0.5, ("grpo", "reward", 2): 0.5,
        ("grpo", "entropy", 1): 0.5, ("grpo", "entropy", 2): 0.5,
        ("ppo", "reward", 1): 0.1, ("ppo", "reward", 2): 0.2,
    }  # fmt: skip
    assert points.loc[("grpo", "reward", 1), "stderr"] == pytest.approx(
        0.25
    )  # 0.5 / sqrt(2) / sqrt(2)
    assert points.loc[("grpo", "entropy", 1), "stderr"] == 0
    assert np.isnan(points.loc[("ppo", "reward", 2), "stderr"])


def test_a_line_for_each_method_that_has_the_measure(layout):
    points = rewards.points(layout)
    reward, entropy = rewards.draw(points, layout).axes
    assert [line.get_label() for line in reward.lines] == ["GRPO", "PPO"]
    assert [line.get_label() for line in entropy.lines] == ["GRPO"]
    assert list(reward.lines[1].get_ydata()) == [0.1, 0.2]
    alone = rewards.draw(points[points["method"] == "ppo"], layout).axes
    assert [axis.get_ylabel() for axis in alone] == ["reward"]


def test_behind_a_point_are_the_methods_models(layout):
    points = rewards.points(layout)
    assert rewards.behind(layout, points.iloc[0], points) == layout["curves"][0]["models"]


@pytest.mark.usefixtures("at_root")
def test_methods_that_draw_no_answers_are_refused():
    study = read_yaml(ROOT / "config/mini.yaml")
    shown = {"model": "qwen2-mini", "methods": ["grpo", "ppo"], "seeds": [1]}
    found = figure_layout(load_study(study | {"figures": {"rewards": shown}}), "rewards")
    assert [curve["models"] for curve in found["curves"]] == [
        [f"results/mini/models/qwen2-mini/{method}-seed1"] for method in ("grpo", "ppo")
    ]
    for method in ("base", "dft", "rft"):
        figures = {"rewards": shown | {"methods": [method]}}
        with pytest.raises(StepError, match=f"rewards.methods: '{method}' draws no answers"):
            load_study(study | {"figures": figures})
