"""DFT or SFT before training: the rule, what it is made from, and what is said."""

import math

import numpy as np
import pytest
from helpers import ROOT
from rectify.statistics.regimes import (
    DFT,
    EITHER,
    LIMITS,
    MINI,
    SFT,
    SILENT,
    Regime,
    described,
    recommendation,
    share_of,
    slowdown,
    thresholds,
    verdict,
)
from scipy.integrate import quad

WON, LOST = Regime("a", 0.0, 0.01, (5.0, 7.0)), Regime("b", 0.31, 0.4, (-3.0, -2.0))
CLASSES = {"word": {"silenced": 0.5}, "EOS": {"silenced": 0.0}}


def said(share, low, high, classes=CLASSES):
    return verdict({"tokens": 2000, "share": share, "low": low, "high": high}, classes)


@pytest.mark.parametrize("p", [0.2, 0.1, 0.01, 0.001])
def test_how_much_slower_dft_lifts_a_token_is_the_ratio_of_two_times_of_gradient_flow(p):
    """A logit z with p = sigmoid(z) and loss -w log p: dz/dt = w (1 - p)."""
    sft, _ = quad(lambda q: 1 / (q * (1 - q) ** 2), p, 0.5, limit=200)
    dft, _ = quad(lambda q: 1 / (q * (1 - q)) ** 2, p, 0.5, limit=200)
    assert slowdown(p) == pytest.approx(dft / sft, rel=1e-6)


def test_a_silenced_tokens_slowdown_is_the_one_that_is_documented():
    assert [round(slowdown(p)) for p in (0.1, SILENT, 0.001)] == [4, 19, 128]


def test_thresholds_cut_the_gap_between_two_regimes_into_thirds():
    assert thresholds(WON, LOST) == pytest.approx((0.11, 0.21))


@pytest.mark.parametrize(
    ("won", "lost"),
    [
        (LOST, WON),
        (WON, Regime("b", 0.005, 0.4, (-3.0, -2.0))),  # no gap
        (Regime("a", 0.0, 0.01, (-1.0, 7.0)), LOST),  # one model lost
        (WON, Regime("b", 0.31, 0.4, (-3.0, 1.0))),
    ],
)
def test_regimes_that_the_share_does_not_tell_apart_give_no_rule(won, lost):
    with pytest.raises(ValueError, match="not told apart"):
        thresholds(won, lost)


def test_the_share_is_that_of_all_tokens_and_its_interval_that_of_independent_rows():
    """Rows of one token each: the binomial's interval; copies of a row's token add no knowledge."""
    silenced = np.repeat([1, 0], [100, 300])
    share, low, high = share_of(silenced, np.ones(400))
    half = 1.96 * math.sqrt(0.25 * 0.75 / 400)
    assert share == 0.25
    assert (low, high) == pytest.approx((0.25 - half, 0.25 + half), abs=0.004)
    assert share_of(9 * silenced, np.full(400, 9)) == pytest.approx((share, low, high))
    assert share_of(np.array([1, 2]), np.array([1, 7]))[0] == 3 / 8


def test_of_rows_that_are_all_alike_others_are_not_ruled_out():
    assert share_of(np.zeros(60), np.full(60, 5)) == pytest.approx((0, 0, 0.05))
    assert share_of(np.full(60, 5), np.full(60, 5)) == pytest.approx((1, 0.95, 1))
    assert share_of(np.zeros(2), np.ones(2)) == (0, 0, 1)


def test_the_rule_says_one_method_only_if_the_whole_interval_is_on_its_side():
    below, above = thresholds()
    middle = (below + above) / 2
    assert recommendation(0, below) == DFT
    assert recommendation(above, 1) == SFT
    for low, high in ((0, middle), (middle, middle), (middle, 1), (0, 1)):
        assert recommendation(low, high) == EITHER


def test_each_regime_is_on_its_own_side_whichever_of_its_models_is_read():
    for regime, wanted in ((MINI, DFT), (LIMITS, SFT)):
        assert {recommendation(x, x) for x in (regime.lowest, regime.highest)} == {wanted}


def test_the_readme_has_the_rules_numbers():
    text = " ".join((ROOT / "README.md").read_text().split())
    below, above = (f"{100 * edge:.1f} %" for edge in thresholds())
    assert f"up to {below} it says DFT, from {above} on SFT" in text
    for regime in (MINI, LIMITS):
        shares = f"{100 * regime.lowest:.1f} to {100 * regime.highest:.1f} %"
        points = ", ".join(f"{points:+.2f}" for points in dict.fromkeys(regime.differences))
        assert f"| {regime.study} | {shares} | {points} |" in text


def test_use_dft_is_said_with_its_reasons_and_its_uncertainty():
    found = said(0.004, 0.001, 0.012)
    assert found["say"] == DFT
    assert found["sentence"] == (
        "Use DFT: 0.4 % of 2,000 number tokens have a probability below 0.01."
    )
    assert any("50.0 %" in line and "wording" in line for line in found["reasons"])
    interval, made = found["uncertainty"]
    assert "0.1 % to 1.2 %" in interval
    assert all(f"{100 * edge:.1f} %" in interval for edge in thresholds())
    assert "two synthetic worlds" in made
    assert described(MINI) in made
    assert described(LIMITS) in made


def test_use_sft_is_said_where_the_numbers_are_what_is_to_be_learnt():
    found = said(0.25, 0.22, 0.28)
    assert found["sentence"].startswith("Use SFT: 25.0 % of 2,000 number tokens")
    (why,) = found["reasons"]
    assert "25.0 % of the numbers" in why
    assert "19 times SFT's steps" in why


def test_between_the_regimes_both_are_to_be_tried():
    found = said(0.09, 0.08, 0.1)
    assert found["sentence"].startswith("Either: try both: 9.0 %")
    assert "between the two regimes" in found["reasons"][0]


def test_rows_without_numbers_are_beyond_the_rule():
    found = verdict({"tokens": 0, "share": None, "low": None, "high": None}, {})
    assert found["say"] == EITHER
    assert "no number" in found["sentence"]
    assert len(found["uncertainty"]) == 2


@pytest.mark.parametrize(("silenced", "lines"), [(0.05, 0), (0.4, 1)])
def test_an_end_that_the_base_model_does_not_expect_is_remarked_upon(silenced, lines):
    classes = CLASSES | {"EOS": {"silenced": silenced}}
    found = said(0.0, 0.0, 0.01, classes)
    assert found["say"] == DFT
    assert sum("learn to stop" in line for line in found["reasons"]) == lines


def test_a_regime_in_words():
    assert described(WON) == "a (0.0 % to 1.0 %), where DFT ended 5 to 7 points above SFT"
    assert described(LOST) == "b (31.0 % to 40.0 %), where DFT ended 2 to 3 points below SFT"
