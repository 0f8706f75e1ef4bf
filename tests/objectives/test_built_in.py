"""Objectives against closed forms and against their papers' definitions."""

import math

import pytest
import torch
from definition import DOUBLE, all_given, loss_of, weights
from helpers import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from rectify.objectives.built_in import OBJECTIVES
from rectify.objectives.rules.sums import ess_ratio, sharpest
from rectify.objectives.signature import load_objective, weigh

EXAMPLE = f"{ROOT}/config/objectives/example.py:unsure"


@pytest.mark.slow
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
    p = 1 / vocabulary
    factors |= {"asft-target": p, "dft-power": p**10, "dft-sqrt": math.sqrt(p), "prift": p}
    factors |= {"dft-floor": max(p, 0.1), "trsft": p / max(p, 0.1), "chord": p * (1 - p)}
    factors |= {"profit": float(p > 0.15), "profit-lower": float(p < 0.15)}
    factors |= {"profit-middle": float(0.15 < p < 0.9), "gft": 1.0 if p > 0.3 else p}
    factors["eaft"] = math.log(min(vocabulary, 20)) / 3
    factors["idft"] = p  # every token is as likely as a typical one
    factors["deft"] = p**p
    factors["deft-cayley"] = p ** max(p / 2 + (1 - p / 2) * p / (2 - p), 1e-3)
    factors["sed-sft"] = 1 - 0.2 * p * (2 * p - 1) * (vocabulary > 10)
    factors["talr"] = math.exp(-1)  # tau is log V
    borders = {"profit": {"threshold": 0.15}, "profit-lower": {"threshold": 0.15}}
    borders |= {"profit-middle": {"low": 0.15}, "gft": {"threshold": 0.3}}
    for name, factor in factors.items():
        expected = factor * math.log(vocabulary)
        found = loss_of(name, **given, **borders.get(name, {})).item()
        assert found == pytest.approx(expected, rel=1e-9), name


@pytest.mark.parametrize("p", [1e-6, 0.1, 0.5, 0.9, 1 - 1e-9])
def test_two_tokens(p):
    logits = torch.tensor([[[math.log(p), math.log1p(-p)]]], **DOUBLE)
    targets, mask = torch.tensor([[0]]), torch.ones(1, 1, dtype=torch.bool)
    nll = -math.log(p)
    other = 1 - p if p < 0.5 else -math.expm1(math.log(p))
    weight = {"sft": 1, "dft": p, "focal": (1 - p) ** 2, EXAMPLE: 4 * p * (1 - p)}
    entropy = -p * math.log(p) - other * math.log(other)
    concentration = p**2 + other**2
    weight |= {"eaft": entropy / 3, "deft": p**concentration, "chord": p * other}
    exponent = min(max(math.exp(nll - entropy), 0.1), 2)
    weight |= {"idft": p**exponent, "trsft": p / max(p, 0.1), "dft-floor": max(p, 0.1)}
    weight |= {"profit": float(p > 0.09), "gft": p if p < 0.51 else 1}
    weight |= {"dft-power": p**10, "dft-sqrt": math.sqrt(p), "sed-sft": 1, "talr": math.exp(-1)}
    weight |= {"dft-sequence": p, "dft-geometric-mean": p, "dft+sft": 0.1 + 0.9 * p}
    weight |= {"profit-lower": float(p < 0.09), "profit-middle": float(0.09 < p < 0.91)}
    weight["profit-random"] = 1  # of what is drawn, 0.7, a tenth and more is kept
    weight["deft-cayley"] = p ** min(max(p / 2 + (1 - p / 2) * p / (2 - p), 1e-3), 1)
    borders = {"profit": {"threshold": 0.09}, "gft": {"threshold": 0.51}}
    borders |= {"profit-lower": {"threshold": 0.09}, "profit-middle": {"low": 0.09, "high": 0.91}}
    for name, expected in weight.items():
        loss = loss_of(name, logits, targets, mask, **borders.get(name, {})).item()
        assert loss == pytest.approx(expected * nll, rel=1e-6), name


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_two_tokens_beside_a_reference(p):
    """The reference gives the target 0.3."""
    logits, ref = (torch.tensor([[[math.log(x), math.log1p(-x)]]], **DOUBLE) for x in (p, 0.3))
    targets, mask = torch.tensor([[0]]), torch.ones(1, 1, dtype=torch.bool)
    nll = -math.log(p)
    kl = 0.3 * math.log(0.3 / p) + 0.7 * math.log(0.7 / (1 - p))
    expected = {"asft": p * nll + 0.05 * kl, "sft-kl": nll + 0.05 * kl}
    expected["asft-target"] = (p + 0.05 * (0.3 / p - 1)) * nll
    for name, loss in expected.items():
        found = loss_of(name, logits, targets, mask, ref_logits=ref).item()
        assert found == pytest.approx(loss, rel=1e-9), name


def test_a_sequences_weight_is_of_all_its_tokens():
    """Of two tokens of 1/2 and 1/8: their product, and its root."""
    logp, mask = torch.tensor([[0.5, 0.125]], **DOUBLE).log(), torch.ones(1, 2, dtype=torch.bool)
    for name, expected in (("dft-sequence", 1 / 16), ("dft-geometric-mean", 1 / 4)):
        found = weights(name, logp, mask)
        torch.testing.assert_close(found, torch.full((1, 2), expected, **DOUBLE))


def test_sed_draws_to_a_half_where_the_likeliest_tokens_have_little():
    """With k = 1 the mass is max(p, 1 - p): below 0.95 for p = 0.2, above for p = 0.01."""
    for p, expected in ((0.2, 1 + 0.2 * 0.2 * 0.6), (0.8, 1 - 0.2 * 0.8 * 0.6), (0.01, 1.0)):
        logits = torch.tensor([[[math.log(p), math.log1p(-p)]]], **DOUBLE)
        targets, mask = torch.tensor([[0]]), torch.ones(1, 1, dtype=torch.bool)
        loss = loss_of("sed-sft", logits, targets, mask, k=1).item()
        assert loss == pytest.approx(-expected * math.log(p), rel=1e-9)


def test_prift_looks_at_the_reference_alone():
    """Of 0.5, 0.3, 0.2: the tokens no likelier than the second have 0.5, than the third 0.2."""
    ref = torch.tensor([[[0.5, 0.3, 0.2]] * 3], **DOUBLE).log()
    given = {"targets": torch.tensor([[0, 1, 2]]), "mask": torch.ones(1, 3, dtype=torch.bool)}
    flat = torch.zeros(1, 3, 3, **DOUBLE)
    third = math.log(3) / 3
    mass = loss_of("prift-mass", flat, **given, ref_logits=ref, threshold=0.4).item()
    assert mass == pytest.approx(2 * third)
    assert loss_of("prift", flat, **given, ref_logits=ref).item() == pytest.approx(third)


def test_idft_begins_as_dft():
    logp, mask = torch.tensor([[0.3, 0.9]], **DOUBLE).log(), torch.ones(1, 2, dtype=torch.bool)
    for progress, exponent in ((0.0, 1.0), (0.2, 1.0), (0.25, 1.5), (0.3, 2.0), (1.0, 2.0)):
        likelier = {"entropy": -logp - math.log(2)}  # each half as likely as a typical token
        others = {"progress": torch.tensor(progress, **DOUBLE), **likelier}
        found = weights("idft", logp, mask, others=others)
        torch.testing.assert_close(found, (exponent * logp).exp())


def test_psft_leaves_out_what_has_grown_beyond_the_clip():
    old, mask = torch.tensor([[0.4, 0.4, 0.4]], **DOUBLE), torch.ones(1, 3, dtype=torch.bool)
    logp = torch.tensor([[0.2, 0.5, 0.52]], **DOUBLE).log()
    found = weights("psft", logp, mask, others={"old_logp": old.log()})
    torch.testing.assert_close(found, torch.tensor([[0.5, 1.25, 0.0]], **DOUBLE))


@pytest.mark.parametrize(("block", "expected"), [(1, [4, 4, 2]), (2, [4, 4, 2]), (0, [4, 4, 4])])
def test_pear_weighs_by_the_discounted_ratio_of_the_rest(block, expected):
    """Log2 ratios 1, 3/2, 1: from the last on 1, 3/2 + 1/2 and 1 + 2/2."""
    ratio = torch.tensor([[1.0, 2.0, 2.0**1.5, 2.0]], **DOUBLE)
    mask = torch.tensor([[False, True, True, True]])
    written = torch.full_like(ratio, -3.0)
    given = {"behaviour_logp": written}
    found = weights(
        "pear", written + ratio.log(), mask, others=given, gamma=0.5, block=block, limit=2.0
    )
    assert found[0, 1:].tolist() == pytest.approx(expected)
    assert found[0, 0] == 0


def test_mode_seeking_clipped_linear_and_growing_by_hand():
    """Ratios 1, 4, 9 of one token each."""
    logp = torch.tensor([0.0, math.log(4), math.log(9)], **DOUBLE)[:, None]
    mask, ref = torch.ones_like(logp, dtype=torch.bool), torch.zeros_like(logp)

    def of(name, **parameters):
        return weights(name, logp, mask, ref, **parameters)[:, 0].tolist()

    whole = [3 / 14, 12 / 14, 27 / 14]
    assert of("mode-seeking-linear", gamma=0.5) == pytest.approx([(1 + w) / 2 for w in whole])
    assert of("mode-seeking-clipped") == pytest.approx([0.8, 12 / 14, 1.27])
    assert of("mode-seeking-growing") == pytest.approx([0.5, 1.0, 1.5])  # half of the way
    # a reference that is certain trusts every ratio
    assert of("mode-seeking-distance") == pytest.approx(whole)


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
    half = weigh(
        objective,
        {
            k: v[:2] if v.shape[:1] == (4,) and k != "batch_log_ratio" else v
            for k, v in given.items()
        },
    )
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


def test_further_reward_weights_by_hand():
    two = math.log(2)
    truncated = by_rewards("reward-truncated", [0.0, 1.0, 2.0], beta=1 / two, r_max=1.0)
    assert truncated == pytest.approx([3 / 5, 6 / 5, 6 / 5])
    advantage = by_rewards("reward-advantage", [0.0, 2.0])  # one sd below and above
    assert advantage == pytest.approx([2 / (1 + math.e**2), 2 / (1 + math.e**-2)])
    assert by_rewards("reward-advantage", [0.3, 0.3]) == [1, 1]
    alpha = by_rewards("reward-alpha", [-1.0, 0.0, 1.5], alpha=0.5, beta=0.5)  # 0, 1, 2.5, squared
    assert alpha == pytest.approx([0, 3 / 7.25, 18.75 / 7.25])
    small = by_rewards("reward-alpha", [0.0, 1.0, 2.0], alpha=1e-3, beta=1 / two)
    assert small == pytest.approx(
        by_rewards("reward-exponential", [0.0, 1.0, 2.0], beta=1 / two), rel=2e-3
    )
    assert by_rewards("reward-top-share", [0.0, 3.0, 2.0, 1.0], k_ratio=0.5) == [0, 2, 2, 0]


def test_the_best_share_is_of_all_rows_not_of_the_batch():
    rewards = torch.tensor([[3.0], [1.0]], **DOUBLE)
    given = all_given(torch.zeros_like(rewards), torch.ones(2, 1, dtype=torch.bool), reward=rewards)
    given["train_reward"] = torch.tensor([0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0], **DOUBLE)
    found = weigh(load_objective("reward-top-share", {"k_ratio": 0.25}), given)
    assert found[:, 0].tolist() == [4, 0]


def test_the_first_round_of_variational_fitting_is_reward_exponential():
    """Then the rows that the model has come to prefer count for more."""
    reward = torch.tensor([[0.0], [1.0]], **DOUBLE)
    mask, ref = torch.ones(2, 1, dtype=torch.bool), torch.full((2, 1), -1.0, **DOUBLE)

    def at(old):
        return weights("reward-variational", ref, mask, ref, reward, {"old_logp": old}, beta=0.5)

    plain = weights("reward-exponential", ref, mask, reward=reward, beta=0.5)
    torch.testing.assert_close(at(ref), plain)
    moved = ref + torch.tensor([[math.log(3)], [0.0]], **DOUBLE)
    e2 = math.exp(2)
    torch.testing.assert_close(
        at(moved), torch.tensor([[6 / (3 + e2)], [2 * e2 / (3 + e2)]], **DOUBLE)
    )


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
