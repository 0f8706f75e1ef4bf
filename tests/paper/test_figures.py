"""The figures of weights: curves by closed forms, monitors by the logs, changes by counts."""

import math

import pandas as pd
import pytest
from helpers import ROOT
from rectify.jobs import layouts, runs
from rectify.jobs import settings as step_settings
from rectify.objectives.built_in import OBJECTIVES
from rectify.objectives.signature import load_objective
from rectify.paper.figures import gallery, monitors
from rectify.paper.figures.gallery import POINTS, REFERENCES, TOKENS, assumptions, weight_curves
from rectify.study.load import load_study, read_yaml

P = [(index + 1) / POINTS for index in range(POINTS)]
CLOSED = {
    "sft": lambda p: 1,
    "rft": lambda p: 1,
    "sft-kl": lambda p: 1,
    "dft": lambda p: p,
    "asft": lambda p: p,
    "dft-geometric-mean": lambda p: p,
    "dft-sequence": lambda p: p**TOKENS,
    "focal": lambda p: (1 - p) ** 2,
    "dft+sft": lambda p: 0.1 + 0.9 * p,
    "dft-power": lambda p: p**10,
    "dft-sqrt": math.sqrt,
    "dft-floor": lambda p: max(p, 0.1),
    "trsft": lambda p: p / max(p, 0.1),
    "chord": lambda p: p * (1 - p),
    "profit-random": lambda p: 0.9,  # the mean over its draws
    # the rest is spread evenly over 99 tokens
    "deft": lambda p: p ** (p**2 + (1 - p) ** 2 / 99),
    "sed-sft": lambda p: 1 - 0.2 * p * (2 * p - 1) * (p + 9 * (1 - p) / 99 < 0.95),
}


def curves(name, **parameters):
    return weight_curves(load_objective(name, parameters))


@pytest.mark.parametrize("name", CLOSED)
def test_a_weight_of_the_probability_alone_is_one_curve_of_closed_form(name):
    assert curves(name) == {"": pytest.approx([CLOSED[name](p) for p in P], abs=1e-12)}


def test_parameters_reach_the_curve():
    assert curves("focal", gamma=3) == {"": pytest.approx([(1 - p) ** 3 for p in P], abs=1e-12)}


@pytest.mark.parametrize(("name", "low", "high"), [("iw-sft", 0, 16), ("iw-sft-token", 0.2, 1.8)])
def test_a_weight_by_ratio_has_a_curve_for_each_reference(name, low, high):
    found = curves(name)
    assert [float(case.split("=")[1]) for case in found] == list(REFERENCES)
    for reference, curve in zip(REFERENCES, found.values(), strict=True):
        assert curve == pytest.approx([min(max(p / reference, low), high) for p in P])


def test_mode_seeking_is_a_power_over_its_mean_whatever_the_reference():
    powers = [p ** (0.5 * TOKENS) for p in P]
    mean = sum(powers) / POINTS
    assert curves("mode-seeking", gamma=0.5) == {"": pytest.approx([x / mean for x in powers])}


def test_a_weight_by_reward_is_shown_by_reward():
    powers = [math.exp(reward / 0.5) for reward in P]
    mean = sum(powers) / POINTS
    assert curves("reward-exponential", beta=0.5) == {"": pytest.approx([x / mean for x in powers])}
    (top,) = curves("reward-top-k", k=10).values()
    assert top == pytest.approx([0] * 90 + [10] * 10)


def test_a_weight_by_reward_and_probability_has_a_curve_for_each_reward(tmp_path):
    file = tmp_path / "own.py"
    file.write_text("def weight(logp, reward):\n    return reward * logp.exp()\n")
    assert curves(f"{file}:weight") == {
        f"reward = {reward:g}": pytest.approx([reward * p for p in P]) for reward in (0, 0.5, 1)
    }


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objectives_curve_is_finite_and_says_what_it_assumes(name):
    assert all(math.isfinite(w) for curve in curves(name).values() for w in curve)
    said = assumptions(load_objective(name))
    assert (f"{TOKENS} such tokens" in said) == (
        name in ("dft-sequence", "dft-geometric-mean", "iw-sft", "pear", "reward-variational")
        or name.startswith("mode-seeking")
    )
    assert ("rewards" in said) == name.startswith("reward-")
    assert ("0.05 KL" in said) == (name in ("asft", "sft-kl"))


def test_the_change_is_of_the_share_pooled_over_seeds_in_percentage_points(tmp_path):
    def write(name, *counts):
        bins = pd.DataFrame({"low": [0.0, 0.5], "high": [0.5, 1.0], "count": counts})
        bins.to_parquet(tmp_path / name)
        return str(tmp_path / name)

    entry = {"method": "m", "objective": "dft", "parameters": {}}
    entry["files"] = [write("seed0", 10, 30), write("seed1", 0, 60)]
    points = gallery.points({"base": [write("base", 30, 20)], "objectives": [entry]})
    change = points[points["quantity"] == "change"].set_index("low")["value"]
    assert change.to_dict() == pytest.approx({0.0: 10 - 60, 0.5: 90 - 40})
    weight = points[points["quantity"] == "weight"]
    assert weight["value"].to_list() == pytest.approx(weight["low"].to_list())  # DFT: w = p


def test_monitors_points_are_the_logs(tmp_path):
    logs = {
        "sft-seed0": pd.DataFrame({"loss": [2.0, 1.0], "weight_p10": [1, 1], "step": [1, 2]}),
        "iw-sft-seed0": pd.DataFrame(
            {"weight_p10": [1.0, 0.25], "ratio_deviation": [0.0, 3e5], "step": [10, 20]}
        ),
    }
    for run, log in logs.items():
        (tmp_path / run).mkdir()
        log.to_csv(tmp_path / run / "train.csv", index=False)
    settings = {
        "methods": {"base": "Base", "sft": "SFT", "iw-sft": "iw-SFT"},
        "curves": [
            {"method": run.removesuffix("-seed0"), "models": [str(tmp_path / run)]} for run in logs
        ],
    }
    points = monitors.points(settings)
    assert set(points["quantity"]) == {"loss", "weight_p10", "ratio_deviation"}
    for run, log in logs.items():
        own = points[points["run"] == run].pivot(index="step", columns="quantity", values="value")
        for quantity in own:
            assert own[quantity].to_dict() == log.set_index("step")[quantity].to_dict()
    assert set(points[points["quantity"] == "ratio_deviation"]["run"]) == {"iw-sft-seed0"}
    labels = [text.get_text() for text in monitors.draw(points, settings).legends[0].get_texts()]
    assert labels == ["SFT", "iw-SFT"]


def test_figures_of_weights_alone_bring_their_runs_and_histograms():
    mini = read_yaml(ROOT / "config" / "mini.yaml")
    shown = {"model": "qwen2-mini", "methods": ["rft", "iw-sft"], "seeds": [1]}
    figures = {"monitors": shown | {"methods": ["dft"]}, "gallery": shown | {"rows": 50}}
    study = load_study(mini | {"tables": {}, "figures": figures})
    assert set(runs.all_runs(study)) == {
        ("qwen2-mini", "rft-seed1"), ("qwen2-mini", "iw-sft-seed1"), ("qwen2-mini", "dft-seed1")
    }  # fmt: skip
    assert step_settings.histogram_settings(study, "qwen2-mini")["rows"] == 50
    names = ("base-seed1", "rft-seed1", "iw-sft-seed1")
    assert set(layouts.files_in(layouts.figure_layout(study, "gallery"))) == {
        f"results/mini/histograms/qwen2-mini/{name}.parquet" for name in names
    }
    assert layouts.measured_runs(study) == [("qwen2-mini", name) for name in names]
    both = load_study(mini)  # the gallery's histograms are among Figure 2's
    alone = load_study(mini | {"figures": {**mini["figures"], "gallery": None}})
    assert layouts.measured_runs(both) == layouts.measured_runs(alone)
