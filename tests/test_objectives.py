"""Objectives against closed forms and against their papers' definitions."""

import math

import pytest
import torch
from rectify.loss import IGNORED, denominator, token_nll
from rectify.objectives import OBJECTIVES
from torch.nn import functional as F

DOUBLE = {"dtype": torch.float64}


def weigh(name, logp, mask, ref_logp=None):
    """An objective's weights, spread to [B, T]."""
    entry = OBJECTIVES[name]
    given = {"ref_logp": ref_logp} if entry.reference else {}
    return entry.weight(logp, mask, **given).expand_as(logp)


def loss_of(name, logits, targets, mask, ref_logp=None):
    """sum(stop_gradient(w) * nll * mask) / N from full logits: the definition, spelled out."""
    nll = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    weight = weigh(name, -nll.detach(), mask, ref_logp)
    return (weight * nll * mask).sum() / mask.sum()


@pytest.mark.parametrize("vocabulary", [2, 10, 151_936])
def test_uniform_distribution_gives_log_v_and_dft_a_vth_of_it(vocabulary):
    logits = torch.zeros(1, 3, vocabulary, **DOUBLE)
    targets = torch.tensor([[0, 1, 1]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    sft = loss_of("sft", logits, targets, mask)
    dft = loss_of("dft", logits, targets, mask)
    assert sft.item() == pytest.approx(math.log(vocabulary), rel=1e-12)
    assert dft.item() == pytest.approx(math.log(vocabulary) / vocabulary, rel=1e-12)


@pytest.mark.parametrize("p", [1e-6, 0.1, 0.5, 0.9, 1 - 1e-9])
def test_two_tokens(p):
    logits = torch.tensor([[[math.log(p), math.log1p(-p)]]], **DOUBLE)
    targets, mask = torch.tensor([[0]]), torch.ones(1, 1, dtype=torch.bool)
    assert loss_of("sft", logits, targets, mask).item() == pytest.approx(-math.log(p), rel=1e-9)
    assert loss_of("dft", logits, targets, mask).item() == pytest.approx(-p * math.log(p), rel=1e-9)


def test_dft_gradient_is_that_of_minus_p():
    """D loss / d logits = -p_y (onehot - p), arXiv 2508.05629v3 eq. 13."""
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 11, requires_grad=True, **DOUBLE)
    targets = torch.randint(11, (2, 5))
    mask = torch.ones(2, 5, dtype=torch.bool)
    loss_of("dft", logits, targets, mask).backward()
    p = logits.detach().softmax(-1)
    p_y = p.gather(-1, targets[..., None])
    expected = -p_y * (F.one_hot(targets, 11) - p) / mask.sum()
    torch.testing.assert_close(logits.grad, expected, rtol=1e-12, atol=1e-14)
    minus_p = -logits.softmax(-1).gather(-1, targets[..., None]).sum() / mask.sum()
    torch.testing.assert_close(logits.grad, torch.autograd.grad(minus_p, logits)[0])


def test_iw_sft_is_the_clipped_geometric_mean_of_ratios():
    """exp(mean over the sequence's response tokens of log(p/p_ref)), at most 16."""
    p = torch.tensor([[0.5, 0.2, 0.9], [0.9, 0.9, 0.9]], **DOUBLE)
    ref = torch.tensor([[0.25, 0.4, 0.1], [0.001, 0.001, 0.001]], **DOUBLE)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    weights = weigh("iw-sft", p.log(), mask, ref.log())
    first = math.sqrt((0.5 / 0.25) * (0.2 / 0.4))  # the third token is not the response's
    torch.testing.assert_close(weights[0], torch.full((3,), first, **DOUBLE))
    torch.testing.assert_close(weights[1], torch.full((3,), 16.0, **DOUBLE))


def test_iw_sft_starts_as_sft():
    """At the reference itself every ratio is 1."""
    logp = -torch.rand(4, 7, **DOUBLE)
    mask = torch.rand(4, 7) < 0.5
    torch.testing.assert_close(weigh("iw-sft", logp, mask, logp), torch.ones(4, 7, **DOUBLE))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_padding_has_no_weight_in_loss_or_gradient(name):
    torch.manual_seed(1)
    logits = torch.randn(2, 6, 9, requires_grad=True, **DOUBLE)
    targets = torch.randint(9, (2, 6))
    mask = torch.tensor([[True] * 6, [True] * 3 + [False] * 3])
    ref = -torch.rand(2, 6, **DOUBLE)
    loss = loss_of(name, logits, targets, mask, ref)
    loss.backward()
    assert torch.equal(logits.grad[1, 3:], torch.zeros(3, 9, **DOUBLE))
    changed = logits.detach().clone()
    changed[1, 3:] += 5
    assert loss_of(name, changed, targets, mask, ref).item() == pytest.approx(
        loss.item(), rel=1e-12
    )


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_chunked_nll_is_cross_entropy_with_its_gradient(chunk, monkeypatch):
    torch.manual_seed(2)
    hidden = torch.randn(64, 8, requires_grad=True)
    weight = torch.randn(50, 8, requires_grad=True)
    targets = torch.randint(50, (64,))
    monkeypatch.setattr("rectify.loss.CHUNK_LOGITS", chunk * 50)
    ours = token_nll(hidden, weight, targets)
    full = F.cross_entropy(hidden @ weight.T, targets, reduction="none")
    torch.testing.assert_close(ours, full)
    for mine, reference in zip(
        torch.autograd.grad(ours.sum(), (hidden, weight)),
        torch.autograd.grad(full.sum(), (hidden, weight)),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference)


def test_bf16_nll_is_computed_in_fp32():
    hidden, weight = torch.randn(16, 8).bfloat16(), torch.randn(50, 8).bfloat16()
    targets = torch.randint(50, (16,))
    exact = F.cross_entropy(F.linear(hidden, weight).float(), targets, reduction="none")
    assert token_nll(hidden, weight, targets).dtype == torch.float32
    torch.testing.assert_close(token_nll(hidden, weight, targets), exact, rtol=0, atol=0)


def test_denominator_of_each_accumulation_rule():
    micro, batch = torch.tensor(10), torch.tensor(80)
    assert denominator("token_mean", micro, batch) == 80
    assert denominator("sum_of_means", micro, batch) == 10


def test_ignored_is_torchs_own_convention():
    assert torch.nn.CrossEntropyLoss().ignore_index == IGNORED
