"""Objectives against closed forms and against their papers' definitions."""

import math

import pytest
import torch
from definition import DOUBLE, all_given, loss_of, weights
from helpers import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from rectify.objectives.built_in import OBJECTIVES, ess_ratio, sharpest
from rectify.objectives.signature import load_objective, weigh

EXAMPLE = f"{ROOT}/config/objectives/example.py:unsure"


@pytest.mark.parametrize("vocabulary", [2, 10, 151_936])
def test_uniform_distribution_gives_log_v_and_dft_a_vth_of_it(vocabulary):
    uniform = torch.zeros(1, 3, vocabulary, **DOUBLE)
    given = {"logits": uniform, "targets": torch.tensor([[0, 1, 1]]), "ref_logits": uniform}
    given |= {"mask": torch.ones(1, 3, dtype=torch.bool), "reward": torch.ones(1, 1, **DOUBLE)}
    factors = dict.fromkeys(OBJECTIVES, 1.0)  # no ratio differs from 1, no reward from another
    factors |= dict.fromkeys(("dft", "asft", "dft-geometric-mean"), 1 / vocabulary)
    factors["dft-sequence"] = vocabulary**-3
    factors["focal"] = (1 - 1 / vocabulary) ** 2
    factors["dft+sft"] = 0.1 + 0.9 / vocabulary
    for name, factor in factors.items():
        expected = factor * math.log(vocabulary)
        assert loss_of(name, **given).item() == pytest.approx(expected, rel=1e-9), name


@pytest.mark.parametrize("p", [1e-6, 0.1, 0.5, 0.9, 1 - 1e-9])
def test_two_tokens(p):
    logits = torch.tensor([[[math.log(p), math.log1p(-p)]]], **DOUBLE)
    targets, mask = torch.tensor([[0]]), torch.ones(1, 1, dtype=torch.bool)
    nll = -math.log(p)
    weight = {"sft": 1, "dft": p, "focal": (1 - p) ** 2, EXAMPLE: 4 * p * (1 - p)}
    for name, expected in weight.items():
        loss = loss_of(name, logits, targets, mask).item()
        assert loss == pytest.approx(expected * nll, rel=1e-6), name


def test_iw_sft_is_the_clipped_geometric_mean_of_ratios():
    """exp(mean over the sequence's response tokens of log(p/p_ref)), at most 16."""
    p = torch.tensor([[0.5, 0.2, 0.9], [0.9, 0.9, 0.9]], **DOUBLE)
    ref = torch.tensor([[0.25, 0.4, 0.1], [0.001, 0.001, 0.001]], **DOUBLE)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    found = weights("iw-sft", p.log(), mask, ref.log())
    first = math.sqrt((0.5 / 0.25) * (0.2 / 0.4))  # the third token is not the response's
    torch.testing.assert_close(found[0], torch.tensor([first, first, 0], **DOUBLE))
    torch.testing.assert_close(found[1], torch.full((3,), 16.0, **DOUBLE))
    tokens = weights("iw-sft-token", p.log(), mask, ref.log())
    expected = torch.tensor([[1.8, 0.5, 0], [1.8, 1.8, 1.8]], **DOUBLE)
    torch.testing.assert_close(tokens, expected)


@pytest.mark.parametrize("name", ["iw-sft", "iw-sft-token", "mode-seeking"])
def test_ratios_start_as_sft(name):
    """At the reference itself every ratio is 1."""
    logp = -torch.rand(4, 7, **DOUBLE)
    mask = torch.rand(4, 7) < 0.5
    torch.testing.assert_close(weights(name, logp, mask, logp), mask.double())


def at_log_ratios(log_ratios, **parameters):
    """mode-seeking's weights of sequences of one token with these log-ratios: [n]."""
    logp = torch.tensor(log_ratios, **DOUBLE)[:, None]
    mask = torch.ones_like(logp, dtype=torch.bool)
    return weights("mode-seeking", logp, mask, torch.zeros_like(logp), **parameters)[:, 0]


def test_mode_seeking_is_a_softmax_over_the_batch():
    found = at_log_ratios([0.0, math.log(4), math.log(9)], gamma=0.5)
    torch.testing.assert_close(found, torch.tensor([0.5, 1.0, 1.5], **DOUBLE))  # 3/6 of 1, 2, 3


def test_mode_seeking_weighs_by_the_whole_batch_not_by_the_rows_at_hand():
    logp = torch.tensor([0.0, 1.0, 2.0, 3.0], **DOUBLE)[:, None]
    given = all_given(logp, torch.ones_like(logp, dtype=torch.bool), torch.zeros_like(logp))
    objective = load_objective("mode-seeking")
    whole = weigh(objective, given)
    half = weigh(objective, {k: v if k == "batch_log_ratio" else v[:2] for k, v in given.items()})
    torch.testing.assert_close(half, whole[:2])


def test_adaptive_gamma_meets_its_bound_exactly_where_it_can_not_be_1():
    """Nine ratios of 1 and one of e^10: (9 + x)^2 = 3 (9 + x^2) for x = e^(10 gamma)."""
    found = at_log_ratios([0.0] * 9 + [10.0])
    x = (18 + math.sqrt(18**2 + 4 * 2 * 54)) / 4
    assert (found[-1] / found[0]).item() == pytest.approx(x, rel=1e-6)
    assert (found.sum() ** 2 / (found**2).sum()).item() == pytest.approx(3)


def test_adaptive_gamma_is_1_where_the_bound_allows_and_0_where_it_must():
    near = at_log_ratios([0.0] * 9 + [2.0])
    assert (near[-1] / near[0]).item() == pytest.approx(math.exp(2))
    for ratios, bound in (([0.0, 1.0], 1.0), ([0.0, 0.0, 0.0, 1e30], 0.3)):
        torch.testing.assert_close(
            at_log_ratios(ratios, ess_min=bound), torch.ones(len(ratios), **DOUBLE)
        )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(-40, 40), min_size=1, max_size=20),
    st.floats(0.05, 0.95),
    st.sampled_from([1.0, 100.0]),
)
def test_the_sharpest_exponent_keeps_the_sample_size_and_no_larger_one_does(values, bound, limit):
    values = torch.tensor(values, **DOUBLE)

    def ess(exponent):
        weight = (exponent * (values - values.max())).exp()
        return (weight.sum() ** 2 / (weight**2).sum() / len(values)).item()

    found = sharpest(lambda exponent: exponent * values, bound, limit)
    assert ess_ratio(found * values) == pytest.approx(ess(found))
    assert ess(found) >= bound - 1e-9
    assert found == limit or ess(found + 1e-6) <= bound + 1e-3


def by_rewards(name, rewards, **parameters):
    """A reward-weighted objective's weights of rows with these rewards: [n]."""
    reward = torch.tensor(rewards, **DOUBLE)[:, None]
    mask = torch.ones_like(reward, dtype=torch.bool)
    return weights(name, torch.zeros_like(reward), mask, reward=reward, **parameters)[:, 0].tolist()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_weights_have_the_precision_of_the_log_probabilities(name):
    """Nothing is computed in fp32 on the way."""
    logp, mask = torch.full((3, 2), -0.5, **DOUBLE), torch.ones(3, 2, dtype=torch.bool)
    reward = torch.tensor([[0.0], [1.0], [2.0]], **DOUBLE)
    found = weights(name, logp, mask, logp, reward)
    assert found.dtype == torch.float64


def test_reward_weights_by_hand():
    two = math.log(2)
    exponential = by_rewards("reward-exponential", [0.0, 1.0, 2.0], beta=1 / two)
    assert exponential == pytest.approx([3 / 7, 6 / 7, 12 / 7])  # 1, 2, 4 of 7
    power = by_rewards("reward-power", [-1.0, 0.0, 3.0], beta=2.0)
    assert power == pytest.approx([0, 1, 2])  # roots of 0, 1, 4
    assert by_rewards("reward-top-k", [0.0, 3.0, 2.0, 1.0], k=2) == [0, 2, 2, 0]
    assert by_rewards("reward-top-k", [0.0, 3.0, 2.0, 2.0], k=2) == pytest.approx([0, *[4 / 3] * 3])
    assert by_rewards("reward-top-k", [0.0, 3.0], k=8) == [1, 1]
    # with verdicts: the correct rows, or, where they are fewer than k, all
    assert by_rewards("reward-top-k", [0.0, 1.0, 1.0, 0.0], k=2) == [0, 2, 2, 0]
    assert by_rewards("reward-top-k", [0.0, 1.0, 0.0, 0.0], k=2) == [1, 1, 1, 1]


@pytest.mark.parametrize("name", ["reward-exponential", "reward-power"])
def test_adaptive_beta_meets_its_bound(name):
    found = torch.tensor(by_rewards(name, [0.0, 0.1, 0.2, 0.4, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0]))
    assert (found.sum() ** 2 / (found**2).sum()).item() == pytest.approx(3, rel=1e-4)


@pytest.mark.parametrize("name", ["reward-exponential", "reward-power"])
def test_adaptive_beta_with_verdicts_for_rewards(name):
    """Two of four correct are more than 0.3: only they count. One of four is less."""
    assert by_rewards(name, [0.0, 1.0, 0.0, 1.0]) == pytest.approx([0, 2, 0, 2])
    found = by_rewards(name, [0.0, 0.0, 0.0, 1.0])
    if name == "reward-power":  # any exponent but 0 leaves one row
        assert found == [1, 1, 1, 1]
    else:
        assert sum(found) ** 2 / sum(w * w for w in found) == pytest.approx(1.2)
    assert by_rewards(name, [0.5, 0.5, 0.5]) == pytest.approx([1, 1, 1])
