"""The ranking: methods by their averages, differences paired, logs and answers summed up."""

import copy
from functools import partial

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import ROOT
from rectify.jobs.layouts import claims_layout, figure_layout
from rectify.jobs.runs import all_runs
from rectify.paper.figures import ranking
from rectify.statistics.comparisons import compare, holm
from rectify.step.errors import StepError
from rectify.study.load import load_study

SHARES = {"base": 0.4, "sft": 0.5, "dft": 0.8, "own": 0.6}
SCORING = {"grader": "corrected", "rounding": "exact"}


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    """Four methods' scores on two benchmarks, of 20 problems and 4 samples each, and their logs."""
    folder, rows = tmp_path_factory.mktemp("ranking"), []
    for place, (method, share) in enumerate(SHARES.items()):
        rng = np.random.default_rng(place)
        index = pd.MultiIndex.from_product(
            [["easy", "hard"], [0], range(20), range(4)],
            names=["benchmark", "checkpoint", "problem_id", "sample"],
        )
        correct = rng.random(len(index)) < share
        scores = pd.DataFrame({"correct": correct, "harness": correct}, index=index).reset_index()
        ended = np.where(scores["sample"] == 0, "length", "stop")
        scores = scores.assign(status="ok", n_tokens=10 * (place + 1), finish_reason=ended)
        file = folder / ("base.parquet" if method == "base" else f"{method}-seed0.parquet")
        scores.to_parquet(file)
        rivals = {name: name for name in ("sft", "dft") if name != method}
        row = {"method": method, "title": method.title(), "scores": [str(file)], "models": [],
               "learning_rate": 1e-4,
               "fixed": [], "rivals": rivals}  # fmt: skip
        if method != "base":
            model = folder / f"{method}-seed0"
            model.mkdir()
            log = pd.DataFrame({"step": range(1, 21), "nll": [*range(18), 1.0, 3.0]})
            if method != "own":
                log["entropy"] = 0.5
            log.to_csv(model / "train.csv", index=False)
            row["models"] = [str(model)]
        rows.append(row)
    titles = {"base": "Base", "sft": "SFT", "dft": "DFT", "own": "Own"}
    return {"rows": rows, "methods": titles, "benchmarks": {"easy": "Easy", "hard": "Hard"},
            "samples": 4, "scoring": SCORING}  # fmt: skip


@pytest.fixture(scope="module")
def points(layout):
    return ranking.points(layout)


def scores_of(layout, method):
    (file,) = next(row["scores"] for row in layout["rows"] if row["method"] == method)
    return pd.read_parquet(file).assign(seed=-1 if method == "base" else 0, repeat=0)


def test_the_best_comes_first(points):
    assert list(points.columns) == ranking.COLUMNS
    assert points["method"].tolist() == ["dft", "own", "sft", "base"]
    assert points["accuracy"].is_monotonic_decreasing


def test_an_average_gives_each_benchmark_the_same_weight(points, layout):
    for row in points.itertuples():
        scores = scores_of(layout, row.method)
        expected = 100 * scores.groupby("benchmark")["correct"].mean().mean()
        assert row.accuracy == pytest.approx(expected)
        assert row.low < row.accuracy < row.high


def test_differences_are_the_paired_ones_corrected_together(points, layout):
    named = points.set_index("method")
    assert np.isnan(named.loc["sft", "difference_sft"])
    assert np.isnan(named.loc["dft", "p_holm_dft"])
    comparing = partial(compare, benchmarks=["easy", "hard"], scoring=SCORING)
    pairs = [(method, than) for method in SHARES for than in ("sft", "dft") if method != than]
    found = [
        comparing(scores_of(layout, one), scores_of(layout, two))["mean"] for one, two in pairs
    ]
    adjusted = holm([each.p_value for each in found])
    for (method, than), each, p_value in zip(pairs, found, adjusted, strict=True):
        values = [named.loc[method, f"{end}_{than}"] for end in ranking.ENDS]
        assert values == [each.difference, each.low, each.high, p_value]
        accuracies = named.loc[[method, than], "accuracy"]
        assert each.difference == pytest.approx(accuracies.iloc[0] - accuracies.iloc[1])


def test_logs_count_in_the_last_tenth_of_the_steps_and_a_base_model_has_none(points):
    named = points.set_index("method")
    assert named.loc[["sft", "dft", "own"], "nll"].tolist() == [2.0, 2.0, 2.0]
    assert named["entropy"].dropna().to_dict() == {"dft": 0.5, "sft": 0.5}
    assert np.isnan(named.loc["base", "nll"])


def test_answers_have_a_length_and_a_share_that_is_unfinished(points):
    named = points.set_index("method")
    assert named["n_tokens"].to_dict() == {"base": 10, "sft": 20, "dft": 30, "own": 40}
    assert named["unfinished"].tolist() == [0.25] * 4


def test_a_method_at_its_own_rate_is_beside_itself_and_against_the_others_at_theirs(layout):
    """SFT's own rate is `own`, DFT has none: SFT's is compared with DFT at the study's."""
    (row,) = [dict(row) for row in layout["rows"] if row["method"] == "own"]
    others = [row for row in layout["rows"] if row["method"] != "own"]
    with open(f"{row['models'][0]}/choice.csv", "w") as file:
        file.write("learning_rate,chosen\n0.0001,False\n0.0008,True\n")
    row |= {"fixed": others[1]["scores"], "learning_rate": None, "rivals": {"dft": "dft"}}
    found = ranking.points(layout | {"rows": [*others, row]}).set_index("method")
    assert found.loc["own", "learning_rate"] == 8e-4
    assert found.loc["own", "fixed"] == found.loc["sft", "accuracy"]
    assert np.isnan(found.loc["own", "difference_sft"])
    assert found["fixed"].isna().tolist() == [name != "own" for name in found.index]
    figure = ranking.draw(found.reset_index(), layout | {"rows": [*others, row]})
    said = [text.get_text() for text in figure.axes[3].texts]
    assert {"fixed", "rate", "0.0008"} < set(said)
    titles = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert titles == [name.title() for name in found.index]


def test_the_layout_of_a_sweep_names_its_rivals_at_their_own_rates(at_root):
    world = {"voice": "expert", "steps": [2, 2]}
    held = {"held": {"title": "held", "world": world, "rows": 9, "role": "validation"}}
    sweeps = {
        name: {"title": name, "sweep": {"of": of, "learning_rates": [1e-4, 4e-4]}}
        for name, of in (("sft-own", "sft"), ("dft-own", "dft"), ("iw-own", "iw-sft"))
    }
    study = study_with(["base", "sft", "dft", *sweeps], benchmarks=held, **sweeps)
    rows = {row["method"]: row for row in figure_layout(study, "ranking")["rows"]}
    assert rows["base"]["rivals"] == {"sft": "sft", "dft": "dft"}
    assert rows["dft"]["rivals"] == {"sft": "sft"}
    assert rows["dft-own"]["rivals"] == {"sft": "sft-own"}
    assert rows["iw-own"]["rivals"] == {"sft": "sft-own", "dft": "dft-own"}
    assert [rows[name]["learning_rate"] for name in ("base", "sft", "sft-own")] == [
        None,
        4e-4,
        None,
    ]
    alone = study_with(["base", "sft-own", "dft-own"], benchmarks=held, **sweeps)
    rivals = figure_layout(alone, "ranking")["rows"][0]["rivals"]
    assert rivals == {"sft": "sft-own", "dft": "dft-own"}
    assert rows["iw-own"]["fixed"] == [
        f"results/mini/scores/qwen2-mini/iw-sft-seed{seed}.parquet" for seed in (0, 1, 2)
    ]


def test_each_line_of_the_picture_is_a_method(points, layout):
    figure = ranking.draw(points, layout)
    axes = figure.axes
    names = [label.get_text() for label in axes[0].get_yticklabels()]
    assert names == ["Dft", "Own", "Sft", "Base"]
    assert [axis.get_title() for axis in axes[:3]] == [
        "average@4 (%)", "minus SFT (points)", "minus DFT (points)"
    ]  # fmt: skip
    said = [text.get_text() for text in axes[3].texts]
    assert f"{points['accuracy'].iloc[0]:.1f}" in said
    assert "25.0" in said


def test_behind_a_line_are_its_own_files_and_those_it_is_compared_with(points, layout):
    row = points[points["method"] == "own"].iloc[0]
    files = ranking.behind(layout, row, points)
    assert [file.rsplit("/", 1)[1] for file in files] == [
        "own-seed0.parquet", "own-seed0", "sft-seed0.parquet", "dft-seed0.parquet"
    ]  # fmt: skip


def test_a_rows_average_is_of_its_own_scores(points, layout):
    """What its differences are of is behind it too, and no part of the average."""
    row = points[points["method"] == "own"].iloc[0]
    assert ranking.scored(layout, row) == next(
        own["scores"] for own in layout["rows"] if own["method"] == "own"
    )


def study_with(methods, model="qwen2-mini", benchmarks=(), **changed):
    study = copy.deepcopy(yaml.safe_load((ROOT / "config/mini.yaml").read_text()))
    study["figures"] = {"ranking": {"model": model, "methods": methods}}
    study["methods"] |= changed
    study["benchmarks"] |= dict(benchmarks)
    return load_study(study)


def test_a_study_names_its_methods():
    study = study_with(["base", "sft", "dft", "ppo"])
    rows = figure_layout(study, "ranking")["rows"]
    assert [row["method"] for row in rows] == ["base", "sft", "dft", "ppo"]
    assert not rows[0]["models"]
    assert len(rows[1]["models"]) == len(rows[1]["scores"]) == 3


def test_without_a_list_it_shows_base_and_all_that_are_applied_to_its_model():
    study = study_with(None, "llama-mini", own={"title": "Own", "objective": "focal"})
    rows = figure_layout(study, "ranking")["rows"]
    assert [row["method"] for row in rows] == ["base", "sft", "dft", "iw-sft", "own"]
    assert ("llama-mini", "own-seed2") in all_runs(study)  # and they are trained for it
    assert ("qwen2-mini", "own-seed2") not in all_runs(study)
    assert claims_layout(study)["seeds"]["ranking"] == dict.fromkeys(
        ("sft", "dft", "iw-sft", "own"), 3
    )


@pytest.mark.parametrize("methods", [["dft", "iw-sft"], None])
def test_what_the_others_are_compared_with_has_to_be_there(methods):
    elsewhere = {"title": "SFT", "objective": "sft", "models": ["llama-mini"]}
    with pytest.raises(StepError, match=r"figures\.ranking\.methods: sft missing, which"):
        study_with(methods, sft=elsewhere)


def test_one_method_is_no_ranking():
    with pytest.raises(StepError, match=r"figures\.ranking\.methods: .* at least 2 items"):
        study_with(["dft"])
