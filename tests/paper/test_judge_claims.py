"""Verdicts on claims, from results in which they are known to hold, to fail or to stay open."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from claims_study import (
    SCORING,
    at,
    claim,
    closer,
    figure3,
    higher,
    judged,
    kept,
    made_up_evidence,
)
from rectify.paper.evidence import Evidence
from rectify.paper.judge_claims import in_words
from rectify.statistics.comparisons import compare
from scipy import stats


@pytest.fixture(scope="module")
def evidence():
    return made_up_evidence()


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
        ([at("learning_rate", [1e-4, 2e-4])], "reproduced"),
        ([at("learning_rate", [1e-4, 2e-4, 4e-4])], "inconclusive"),
        ([at("learning_rate", [1e-4, 2e-4], "sft", "dft")], "contradicted"),
        ([at("batch_size", [8, 16])], "inconclusive"),
        ([at("batch_size", [8])], "reproduced"),
        ([at("batch_size", [256])], "not run"),
        ([at("warmup", [8])], "not run"),
        ([kept("dft", 2.0)], "reproduced"),
        ([kept("dft", 1.2)], "inconclusive"),
        ([kept("dft", 0.0)], "contradicted"),
        ([kept("sft", 2.0)], "contradicted"),
        ([kept("sft", 12.0)], "reproduced"),
        ([kept("base", 2.0)], "not run"),
        ([kept("dft", 2.0, "text")], "not run"),
        ([kept("dft", 2.0, models=["m", "n"])], "inconclusive"),
        ([closer("dft", "sft")], "reproduced"),
        ([closer("sft", "dft")], "contradicted"),
        ([closer("dft", "base")], "not run"),
    ],
)  # fmt: skip
def test_verdicts(evidence, tests, verdict):
    assert judged(claim(*tests), evidence).verdict == verdict


def test_a_study_without_figures_has_run_none_of_their_claims(evidence):
    bare = Evidence(evidence.scores, ["a", "b"], SCORING, {}, evidence.titles, {})
    tests = [
        {"kind": "peaks_by", "method": "dft", "step": 20},
        {"kind": "passes_best", "method": "dft", "than": "sft", "step": 20},
        {"kind": "shifted_up", "models": ["m"], "method": "sft", "than": "base"},
        {"kind": "polarised", "models": ["m"], "method": "sft", "than": "base"},
        at("batch_size", [8]),
    ]
    verdict = judged(claim(*tests), bare)
    assert verdict.verdict == "not run"
    assert verdict.weakest is None
    assert len(verdict.missing) == 6


def test_the_numbers_are_the_comparisons_own_and_of_the_weakest_test(evidence):
    verdict = judged(claim(higher("dft", "base", ["a"]), higher("sft", "base", ["b"])), evidence)
    first, second = evidence.scores["m", "sft"], evidence.scores["m", "base"]
    expected = compare(first, second, ["a", "b"], SCORING)["b"]
    weakest = verdict.weakest
    assert "sft - base" in weakest.what
    assert (weakest.estimate, weakest.low, weakest.high, weakest.p_value) == (
        expected.difference, expected.low, expected.high, expected.p_value,
    )  # fmt: skip


def test_a_figures_difference_has_the_interval_of_independent_errors(evidence):
    test = {"kind": "passes_best", "method": "dft", "than": "sft", "step": 20}
    weakest = judged(claim(test), evidence).weakest
    error = np.hypot(2.0, 1.5)
    assert weakest.estimate == 60 - 40
    assert (weakest.low, weakest.high) == pytest.approx(stats.norm.interval(0.95, 20, error))
    assert weakest.p_value == pytest.approx(2 * stats.norm.sf(20 / error))


def test_what_is_kept_is_the_difference_above_minus_the_margin(evidence):
    result = judged(claim(kept("dft", 2.0)), evidence).weakest
    assert (result.estimate, result.low, result.high) == (1.0, 0.5, 1.5)
    assert result.p_value == pytest.approx(2 * stats.norm.sf(1.0 / (0.5 / stats.norm.ppf(0.975))))
    assert result.seeds == 3


def test_closer_is_the_difference_of_two_kls_with_independent_errors(evidence):
    result = judged(claim(closer("dft", "sft")), evidence).weakest
    assert result.unit == "nats per token"
    spread = stats.norm.interval(0.95, 0.4, np.hypot(0.01, 0.03))
    assert (result.estimate, result.low, result.high) == pytest.approx((0.4, *spread))


def test_a_curves_peaks_are_compared_in_the_mean_over_benchmarks(evidence):
    """DFT by step 20: 58 - 56 on a and 60 - 60 on b, each with an error of sqrt(8)."""
    result = judged(claim({"kind": "peaks_by", "method": "dft", "step": 20}), evidence).weakest
    assert result.estimate == (2 + 0) / 2
    error = np.sqrt(8 + 8) / 2
    assert (result.low, result.high) == pytest.approx(stats.norm.interval(0.95, 1, error))


def test_the_untrained_model_is_no_best_of_a_training(evidence):
    """The method "early" is at 60 before its training and at 55 by step 10."""
    test = {"kind": "passes_best", "method": "dft", "than": "early", "step": 20}
    assert judged(claim(test), evidence).weakest.estimate == 60 - 55
    test = {"kind": "passes_best", "method": "early", "than": "sft", "step": 10}
    assert judged(claim(test), evidence).weakest.estimate == 55 - 40


def test_one_of_many_tests_the_other_way_by_chance_contradicts_nothing(evidence):
    """At 2.2 standard errors p is 0.03, but 0.11 among four tests."""
    points = figure3()[:0]
    rows = [(method, "x", value, 30.0 if method == "sft" else 30.0 + lead, 1.0)
            for value, lead in enumerate((9, 9, 9, -2.2 * np.sqrt(2)))
            for method in ("sft", "dft")]  # fmt: skip
    points = pd.DataFrame(rows, columns=list(points))
    own = Evidence({}, [], SCORING, {"figure3": points}, {}, {})
    test = at("x", [0, 1, 2, 3])
    assert judged(claim(test), own).verdict == "inconclusive"
    assert judged(claim(at("x", [3])), own).verdict == "contradicted"


@pytest.mark.parametrize(
    ("test", "seeds"),
    [
        (higher("dft", "base", ["a"]), 2),  # the base model has no training seed
        (higher("dft", "sft", ["mean"]), 1),
        ({"kind": "passes_best", "method": "dft", "than": "sft", "step": 20}, 1),
        ({"kind": "polarised", "models": ["m"], "method": "sft", "than": "base"}, 3),
        (at("batch_size", [8, 16]), None),
    ],
)
def test_a_verdict_says_when_it_holds_for_one_training_alone(evidence, test, seeds):
    again = evidence.scores["m", "dft"]
    scores = evidence.scores | {("m", "dft"): pd.concat([again, again.assign(seed=1)])}
    verdict = judged(claim(test), replace(evidence, scores=scores, compared={}))
    assert [result.seeds for result in verdict.results] == [seeds] * len(verdict.results)
    assert ("one training seed" in in_words(verdict)) == (seeds == 1)


@pytest.mark.parametrize(
    ("accuracies", "stderr"), [((30.0, 40.0), 0.0), ((30.0, 40.0), np.nan), ((30.0, 30.0), 0.0)]
)
def test_a_difference_without_an_error_shows_nothing(accuracies, stderr):
    rows = [
        (name, "x", 1, value, stderr)
        for name, value in zip(("sft", "dft"), accuracies, strict=True)
    ]
    own = Evidence(
        {}, [], SCORING, {"figure3": pd.DataFrame(rows, columns=list(figure3()))}, {}, {}
    )
    for test in (at("x", [1]), at("x", [1], "sft", "dft")):
        verdict = judged(claim(test), own)
        assert verdict.verdict == "inconclusive"
        assert verdict.weakest.p_value is None


@pytest.mark.parametrize("kind", ["polarised", "shifted_up"])
def test_a_tie_shows_nothing(evidence, kind):
    test = {"kind": kind, "models": ["m"], "method": "base", "than": "base"}
    verdict = judged(claim(test), evidence)
    assert verdict.weakest.estimate == 0
    assert verdict.verdict == "inconclusive"


def test_the_weakest_is_the_one_that_shows_least(evidence):
    """SFT has 5 % more in the highest bin and 5 % fewer in the lowest; "sunk" the other way."""
    for method, end in (("sft", "lowest"), ("sunk", "highest")):
        test = {"kind": "polarised", "models": ["m"], "method": method, "than": "base"}
        assert end in judged(claim(test), evidence).weakest.what


def test_a_benchmark_of_one_problem_is_not_run_and_says_why(evidence):
    short = {
        key: scores[(scores["benchmark"] == "a") | (scores["problem_id"] == 0)]
        for key, scores in evidence.scores.items()
    }
    own = replace(evidence, scores=short, compared={})
    verdict = judged(claim(higher("dft", "sft", ["b"])), own)
    assert verdict.verdict == "not run"
    assert "one problem is too few" in verdict.results[0].reason
    assert "one problem is too few" in in_words(verdict)


@pytest.mark.parametrize(("p_value", "words"), [(1e-12, "p < 1e-12"), (0.02, "p = 0.02")])
def test_p_values_at_the_floor_are_bounds(evidence, p_value, words):
    verdict = judged(claim(higher("dft", "sft", ["mean"])), evidence)
    assert words in in_words(replace(verdict, weakest=replace(verdict.weakest, p_value=p_value)))
