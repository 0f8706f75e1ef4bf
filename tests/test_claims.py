"""Verdicts on claims, from results in which they are known to hold, to fail or to stay open."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import ROOT, one_line, step
from rectify.claims import in_words, judge, read_claims
from rectify.comparisons import compare
from rectify.evidence import Evidence, row_name
from rectify.histogram import EDGES
from rectify.io import StepError
from rectify.study import load_study
from scipy import stats

SCORING = {"grader": "corrected", "rounding": "exact"}
FILES = ("claims.yaml", "claims-mini.yaml")


def scores_of(rng, shares, problems=40, samples=16):
    """Scores of one seed on benchmarks a and b, whose problems are solved with these chances."""
    frames = []
    for benchmark, share in zip("ab", shares, strict=True):
        correct = rng.random((problems, samples)) < share
        index = pd.MultiIndex.from_product(
            map(range, correct.shape), names=["problem_id", "sample"]
        )
        frame = pd.DataFrame({"correct": correct.ravel()}, index=index).reset_index()
        frames.append(frame.assign(benchmark=benchmark, seed=0))
    return pd.concat(frames)


def figure1():
    """DFT climbs to 60 by step 20 and stays on b, falls on a; SFT climbs to 40 at the end; "early"
    falls from 60 at step 0.
    """
    rows = []
    for step_number in (0, 10, 20, 40, 80):
        dft = min(60, 3 * step_number)
        for benchmark in ("a", "b", "mean"):
            fall = step_number / 10 if benchmark == "a" else 0
            rows.append(("dft", step_number, benchmark, dft - fall, 2.0))
            rows.append(("sft", step_number, benchmark, step_number / 2, 1.5))
            rows.append(("early", step_number, benchmark, 60 - step_number / 2, 2.0))
    return pd.DataFrame(rows, columns=["method", "step", "benchmark", "accuracy", "stderr"])


def figure2():
    """Base is even; SFT has moved tokens from the lowest bin to the highest, DFT from the middle to
    both, "sunk" from the highest to the lowest.
    """
    bins = len(EDGES) - 1
    even = np.full(bins, 1 / bins)
    shares = {"base": even, "sft": even.copy(), "dft": even * 0.5, "sunk": even.copy()}
    shares["sunk"][[0, -1]] += (0.05, -0.05)
    shares["sft"][[0, -1]] += (-0.05, 0.05)
    shares["dft"][[0, -1]] += 0.25
    frames = [
        pd.DataFrame({"low": EDGES[:-1], "share": share}).assign(model="Model M", method=method)
        for method, share in shares.items()
    ]
    return pd.concat(frames)


def figure3():
    """DFT is ahead by 10 at every learning rate, but at one batch size by 1."""
    rows = [("learning_rate", value, 10) for value in (1e-4, 2e-4)]
    rows += [("batch_size", 8, 10), ("batch_size", 16, 1)]
    points = [
        (method, setting, value, 30 + (lead if method == "dft" else 0), 1.0)
        for setting, value, lead in rows
        for method in ("sft", "dft")
    ]
    return pd.DataFrame(points, columns=["method", "setting", "value", "accuracy", "stderr"])


@pytest.fixture(scope="module")
def evidence():
    rng = np.random.default_rng(0)
    shares = {"base": (0.3, 0.3), "sft": (0.5, 0.3), "dft": (0.7, 0.5), "dft offline": (0.7, 0.5)}
    return Evidence(
        scores={("m", name): scores_of(rng, share) for name, share in shares.items()},
        benchmarks=["a", "b"],
        scoring=SCORING,
        figures={"figure1": figure1(), "figure2": figure2(), "figure3": figure3()},
        titles={"m": "Model M"},
        seeds={"figure1": {"sft": 3, "dft": 1}, "figure2": {"sft": 3, "dft": 1}},
    )


def claim(*tests):
    return {"id": "c", "sentence": "It does.", "where": "Table 1", "tests": list(tests)}


def higher(method, than, benchmarks, models=("m",)):
    return {
        "kind": "higher", "models": list(models), "method": method, "than": than,
        "benchmarks": list(benchmarks),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tests", "verdict"),
    [
        ([higher("dft", "sft", ["a", "b", "mean"])], "reproduced"),
        ([higher("dft offline", "base", ["mean"])], "reproduced"),
        ([higher("sft", "dft", ["mean"])], "contradicted"),
        ([higher("dft", "base", ["mean"]), higher("sft", "dft", ["mean"])], "contradicted"),
        ([higher("sft", "base", ["b"])], "inconclusive"),
        ([higher("sft", "base", ["a", "b"])], "inconclusive"),
        ([higher("dft", "ppo online", ["mean"])], "not run"),
        ([higher("dft", "sft", ["mean"], ["m", "n"])], "inconclusive"),
        ([higher("sft", "dft", ["mean"], ["m", "n"])], "contradicted"),
        ([higher("dft", "sft", ["c"])], "not run"),
        ([{"kind": "peaks_by", "method": "early", "step": 10}], "reproduced"),
        ([{"kind": "peaks_by", "method": "early", "step": 5}], "not run"),
        ([{"kind": "peaks_by", "method": "early", "step": 80}], "not run"),
        ([{"kind": "peaks_by", "method": "dft", "step": 20}], "inconclusive"),
        ([{"kind": "peaks_by", "method": "dft", "step": 10}], "contradicted"),
        ([{"kind": "peaks_by", "method": "ppo", "step": 10}], "not run"),
        ([{"kind": "passes_best", "method": "dft", "than": "sft", "step": 20}], "reproduced"),
        ([{"kind": "passes_best", "method": "dft", "than": "sft", "step": 10}], "contradicted"),
        ([{"kind": "passes_best", "method": "dft", "than": "ppo", "step": 10}], "not run"),
        ([{"kind": "shifted_up", "models": ["m"], "method": "sft", "than": "base"}], "reproduced"),
        ([{"kind": "shifted_up", "models": ["m"], "method": "dft", "than": "base"}],
         "contradicted"),
        ([{"kind": "polarised", "models": ["m"], "method": "dft", "than": "base"}], "reproduced"),
        ([{"kind": "polarised", "models": ["m"], "method": "sft", "than": "base"}],
         "contradicted"),
        ([{"kind": "polarised", "models": ["m"], "method": "sunk", "than": "base"}],
         "contradicted"),
        ([{"kind": "polarised", "models": ["n"], "method": "dft", "than": "base"}], "not run"),
        ([{"kind": "higher_at", "setting": "learning_rate", "method": "dft", "than": "sft"}],
         "reproduced"),
        ([{"kind": "higher_at", "setting": "learning_rate", "method": "sft", "than": "dft"}],
         "contradicted"),
        ([{"kind": "higher_at", "setting": "batch_size", "method": "dft", "than": "sft"}],
         "inconclusive"),
        ([{"kind": "higher_at", "setting": "warmup", "method": "dft", "than": "sft"}], "not run"),
    ],
)  # fmt: skip
def test_verdicts(evidence, tests, verdict):
    assert judge(claim(*tests), evidence).verdict == verdict


def test_a_study_without_figures_has_run_none_of_their_claims(evidence):
    bare = Evidence(evidence.scores, ["a", "b"], SCORING, {}, evidence.titles, {})
    tests = [
        {"kind": "peaks_by", "method": "dft", "step": 20},
        {"kind": "passes_best", "method": "dft", "than": "sft", "step": 20},
        {"kind": "shifted_up", "models": ["m"], "method": "sft", "than": "base"},
        {"kind": "polarised", "models": ["m"], "method": "sft", "than": "base"},
        {"kind": "higher_at", "setting": "batch_size", "method": "dft", "than": "sft"},
    ]
    verdict = judge(claim(*tests), bare)
    assert verdict.verdict == "not run"
    assert verdict.weakest is None
    assert len(verdict.missing) == 6


def test_the_numbers_are_the_comparisons_own_and_of_the_weakest_test(evidence):
    verdict = judge(claim(higher("dft", "base", ["a"]), higher("sft", "base", ["b"])), evidence)
    first, second = evidence.scores["m", "sft"], evidence.scores["m", "base"]
    expected = compare(first, second, ["a", "b"], SCORING)["b"]
    weakest = verdict.weakest
    assert "sft - base" in weakest.what
    assert (weakest.estimate, weakest.low, weakest.high, weakest.p_value) == (
        expected.difference, expected.low, expected.high, expected.p_value,
    )  # fmt: skip


def test_a_figures_difference_has_the_interval_of_independent_errors(evidence):
    test = {"kind": "passes_best", "method": "dft", "than": "sft", "step": 20}
    weakest = judge(claim(test), evidence).weakest
    error = np.hypot(2.0, 1.5)
    assert weakest.estimate == 60 - 40
    assert (weakest.low, weakest.high) == pytest.approx(stats.norm.interval(0.95, 20, error))
    assert weakest.p_value == pytest.approx(2 * stats.norm.sf(20 / error))


def test_a_curves_peaks_are_compared_in_the_mean_over_benchmarks(evidence):
    """DFT by step 20: 58 - 56 on a and 60 - 60 on b, each with an error of sqrt(8)."""
    result = judge(claim({"kind": "peaks_by", "method": "dft", "step": 20}), evidence).weakest
    assert result.estimate == (2 + 0) / 2
    error = np.sqrt(8 + 8) / 2
    assert (result.low, result.high) == pytest.approx(stats.norm.interval(0.95, 1, error))


def test_the_untrained_model_is_no_best_of_a_training(evidence):
    """The method "early" is at 60 before its training and at 55 by step 10."""
    test = {"kind": "passes_best", "method": "dft", "than": "early", "step": 20}
    assert judge(claim(test), evidence).weakest.estimate == 60 - 55
    test = {"kind": "passes_best", "method": "early", "than": "sft", "step": 10}
    assert judge(claim(test), evidence).weakest.estimate == 55 - 40


def test_one_of_many_tests_the_other_way_by_chance_contradicts_nothing(evidence):
    """At 2.2 standard errors p is 0.03, but 0.11 among four tests."""
    points = figure3()[:0]
    rows = [(method, "x", value, 30.0 if method == "sft" else 30.0 + lead, 1.0)
            for value, lead in enumerate((9, 9, 9, -2.2 * np.sqrt(2)))
            for method in ("sft", "dft")]  # fmt: skip
    points = pd.DataFrame(rows, columns=list(points))
    own = Evidence({}, [], SCORING, {"figure3": points}, {}, {})
    test = {"kind": "higher_at", "setting": "x", "method": "dft", "than": "sft"}
    assert judge(claim(test), own).verdict == "inconclusive"
    own.figures["figure3"] = points[points["value"] == 3]
    assert judge(claim(test), own).verdict == "contradicted"


@pytest.mark.parametrize(
    ("test", "seeds"),
    [
        (higher("dft", "base", ["a"]), 2),  # the base model has no training seed
        (higher("dft", "sft", ["mean"]), 1),
        ({"kind": "passes_best", "method": "dft", "than": "sft", "step": 20}, 1),
        ({"kind": "polarised", "models": ["m"], "method": "sft", "than": "base"}, 3),
        ({"kind": "higher_at", "setting": "batch_size", "method": "dft", "than": "sft"}, None),
    ],
)
def test_a_verdict_says_when_it_holds_for_one_training_alone(evidence, test, seeds):
    again = evidence.scores["m", "dft"]
    scores = evidence.scores | {("m", "dft"): pd.concat([again, again.assign(seed=1)])}
    verdict = judge(claim(test), replace(evidence, scores=scores, compared={}))
    assert [result.seeds for result in verdict.results] == [seeds] * len(verdict.results)
    assert ("one training seed" in in_words(verdict)) == (seeds == 1)


def test_the_papers_claims_hold_in_its_own_tables():
    """Each comparison of config/claims.yaml, by the printed numbers."""
    published = pd.read_csv(ROOT / "config" / "published.csv")
    published = published[published["table"].isin(["table1", "table2", "table3"])]
    names = published.apply(lambda row: row_name(row["method"], row["setting"]), axis=1)
    cells = published.assign(row=names).drop_duplicates(["model", "row", "benchmark"])
    value = cells.set_index(["model", "row", "benchmark"])["accuracy"]
    tests = [test for claim in read_claims(ROOT / "config" / "claims.yaml")
             for test in claim["tests"] if test["kind"] == "higher"]  # fmt: skip
    compared = 0
    for test in tests:
        for model in test["models"]:
            for benchmark in test["benchmarks"]:
                column = "avg" if benchmark == "mean" else benchmark
                assert value[model, test["method"], column] > value[model, test["than"], column]
                compared += 1
    assert compared == 5 + 3 + 3 + 5 + 2 + 5


def test_both_files_make_the_same_claims_and_the_miniatures_are_of_its_own_cells():
    paper, mini = (read_claims(ROOT / "config" / name) for name in FILES)
    assert [claim["id"] for claim in paper] == [claim["id"] for claim in mini]
    study = load_study(ROOT / "config" / "mini.yaml")
    for test in [test for claim in mini for test in claim["tests"]]:
        assert set(test.get("models", [])) <= set(study.models)
        assert set(test.get("benchmarks", [])) <= {*study.benchmarks, "mean"}


def test_claims_as_a_command(evidence, tmp_path):
    rows = []
    for (model, name), scores in evidence.scores.items():
        method, _, setting = name.partition(" ")
        file = tmp_path / f"{name}.parquet"
        scores.drop(columns="seed").to_parquet(file)
        row = {"model": model, "model_title": "Model M", "method": method, "scores": [str(file)]}
        rows.append(row | {"setting": setting or ("-" if method == "base" else "sft")})
    settings = {"scoring": SCORING, "benchmarks": ["a", "b"], "rows": rows, "figures": {},
                "seeds": {}}  # fmt: skip
    claims = [claim(higher("dft offline", "sft", ["mean"]))]
    claims += [claim(higher("dft", "ppo", ["mean"])) | {"id": "d"}]
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(claims))
    done = step(
        "claims", "--claims", tmp_path / "claims.yaml", "--settings", json.dumps(settings),
        "--out", tmp_path / "claims.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = json.loads((tmp_path / "claims.json").read_text())
    assert (first["id"], first["verdict"]) == ("c", "reproduced")
    assert first["weakest"]["estimate"] > 0
    assert second["missing"] == ["m, mean: dft - ppo"]
    assert done.stdout.splitlines()[1] == "not run: d (Table 1); not run: m, mean: dft - ppo"


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (None, ["claims.yaml"]),
        ("a: [", ["claims.yaml", "YAML"]),
        ("a: 1", ["not a list"]),
        ("- {id: x}", ["claim 1", "sentence"]),
        ("- {id: x, sentence: s, where: w, tests: []}", ["claim 1 (x)", "tests"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: best}]}", ["claim 1 (x)", "'best'"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: peaks_by, method: dft}]}",
         ["claim 1 (x)", "takes method, step"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: polarised, models: m, method: dft, "
         "than: sft}]}", ["claim 1 (x)", "`models` must be a list"]),
        ("- &c {id: x, sentence: s, where: w, tests: [{kind: peaks_by, method: d, step: 1}]}\n"
         "- *c", ["two claims", "'x'"]),
    ],
)  # fmt: skip
def test_a_bad_claims_file_is_refused(tmp_path, content, parts):
    file = tmp_path / "claims.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(StepError) as error:
        read_claims(file)
    for part in parts:
        assert part in str(error.value)


def test_what_cannot_be_read_is_one_line(tmp_path):
    file = tmp_path / "claims.yaml"
    out = ("--out", tmp_path / "claims.json")
    one_line(step("claims", "--claims", file, "--settings", "{}", *out), "claims.yaml", "No such")
    file.write_text(yaml.safe_dump([claim(higher("dft", "sft", ["mean"]))]))
    settings = {
        "scoring": SCORING,
        "benchmarks": ["a"],
        "rows": [],
        "figures": {"figure1": "x.csv"},
        "seeds": {},
    }
    for given, part in (({}, "rows"), (settings, "x.csv")):
        done = step("claims", "--claims", file, "--settings", json.dumps(given), *out)
        one_line(done, part)
