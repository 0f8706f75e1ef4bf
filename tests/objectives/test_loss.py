"""NLL and KL chunk by chunk against full logits."""

import pytest
import torch
from definition import scalars_of
from rectify.objectives.chunked import CHUNK_LOGITS, token_kl, token_nll, token_nll_and_scalars
from rectify.objectives.distribution import distribution_scalars
from rectify.objectives.inputs import DISTRIBUTION
from rectify.objectives.loss import IGNORED, denominator
from torch.nn import functional as F


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_chunked_nll_is_cross_entropy_with_its_gradient(chunk, monkeypatch):
    torch.manual_seed(2)
    hidden = torch.randn(64, 8, requires_grad=True)
    weight = torch.randn(50, 8, requires_grad=True)
    targets = torch.randint(50, (64,))
    monkeypatch.setitem(CHUNK_LOGITS, "cpu", chunk * 50)
    ours = token_nll(hidden, weight, targets)
    full = F.cross_entropy(hidden @ weight.T, targets, reduction="none")
    torch.testing.assert_close(ours, full)
    for mine, reference in zip(
        torch.autograd.grad(ours.sum(), (hidden, weight)),
        torch.autograd.grad(full.sum(), (hidden, weight)),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference)


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_chunked_kl_is_that_of_full_logits_with_its_gradient(chunk, monkeypatch):
    torch.manual_seed(2)
    double = {"dtype": torch.float64}
    hidden = torch.randn(64, 8, **double, requires_grad=True)
    weight = torch.randn(50, 8, **double, requires_grad=True)
    ref_hidden, ref_weight = torch.randn(64, 8, **double), torch.randn(50, 8, **double)
    monkeypatch.setitem(CHUNK_LOGITS, "cpu", 2 * chunk * 50)
    ours = token_kl(hidden, weight, ref_hidden, ref_weight)
    logp, ref = (hidden @ weight.T).log_softmax(-1), (ref_hidden @ ref_weight.T).softmax(-1)
    full = F.kl_div(logp, ref, reduction="none").sum(-1)  # as the released ASFT code calls it
    torch.testing.assert_close(ours, full, rtol=1e-12, atol=1e-12)
    for mine, reference in zip(
        torch.autograd.grad(ours.sum(), (hidden, weight)),
        torch.autograd.grad(full.sum(), (hidden, weight)),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, rtol=1e-12, atol=1e-12)
    assert token_kl(hidden, weight, hidden, weight).abs().max() < 1e-14


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_scalars_of_chunks_are_those_of_full_logits_and_leave_the_nll_as_it_is(chunk, monkeypatch):
    torch.manual_seed(2)
    double = {"dtype": torch.float64}
    hidden = torch.randn(64, 8, **double, requires_grad=True)
    weight = torch.randn(50, 8, **double, requires_grad=True)
    targets = torch.randint(50, (64,))
    monkeypatch.setitem(CHUNK_LOGITS, "cpu", chunk * 50)
    nll, found = token_nll_and_scalars(hidden, weight, targets, sorted(DISTRIBUTION), k=4)
    logits = (hidden @ weight.T).detach()
    for name, expected in scalars_of(logits[None], targets[None], k=4).items():
        torch.testing.assert_close(found[name], expected[0], rtol=1e-10, atol=1e-12)
        assert not found[name].requires_grad
    plain = token_nll(hidden, weight, targets)
    assert torch.equal(nll, plain)
    for mine, reference in zip(
        torch.autograd.grad((found["entropy"] * nll).sum(), (hidden, weight)),
        torch.autograd.grad((found["entropy"] * plain).sum(), (hidden, weight)),
        strict=True,
    ):
        assert torch.equal(mine, reference)


def test_a_token_that_can_not_come_adds_nothing_to_the_entropy():
    logp = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]).log()
    found = distribution_scalars(logp, logp[:, 0], sorted(DISTRIBUTION), k=3)
    for name in ("entropy", "entropy_top_k"):
        torch.testing.assert_close(found[name], torch.tensor([2.0, 1.0]).log())
    assert found["mass"].tolist() == [1.0, 1.0]  # ties count
    assert found["top_k_mass"].tolist() == [1.0, 1.0]


def test_autocast_takes_nothing_from_the_scalars():
    """A product of vectors, such as an entropy is, would be one in bf16."""
    torch.manual_seed(3)
    logp = torch.randn(16, 50).log_softmax(-1)
    names = sorted(DISTRIBUTION)
    exact = distribution_scalars(logp, logp[:, 0], names, k=3)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = distribution_scalars(logp, logp[:, 0], names, k=3)
    assert all(torch.equal(mixed[name], exact[name]) for name in names)


def test_bf16_nll_is_computed_in_fp32():
    hidden, weight = torch.randn(16, 8).bfloat16(), torch.randn(50, 8).bfloat16()
    targets = torch.randint(50, (16,))
    exact = F.cross_entropy(F.linear(hidden, weight).float(), targets, reduction="none")
    assert token_nll(hidden, weight, targets).dtype == torch.float32
    torch.testing.assert_close(token_nll(hidden, weight, targets), exact, rtol=0, atol=0)


@pytest.mark.parametrize("mixed", [False, True])
def test_chunked_gradient_in_bf16_is_near_that_in_fp32(mixed, monkeypatch):
    """All of it bf16, or bf16 compute on fp32 weights; tokens of different weight."""
    torch.manual_seed(2)
    hidden, weight = torch.randn(64, 16).bfloat16().float(), torch.randn(50, 16).bfloat16().float()
    targets, scale = torch.randint(50, (64,)), torch.rand(64)
    monkeypatch.setitem(CHUNK_LOGITS, "cpu", 10 * 50)

    def gradients(dtype, function):
        leaves = [t.to(dtype).requires_grad_() for t in (hidden, weight)]
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed and function is token_nll):
            nll = function(*leaves, targets)
        (scale * nll).sum().backward()
        return [leaf.grad for leaf in leaves]

    def full(hidden, weight, targets):
        return F.cross_entropy(hidden @ weight.T, targets, reduction="none")

    ours = gradients(torch.float32 if mixed else torch.bfloat16, token_nll)
    for mine, reference in zip(ours, gradients(torch.float32, full), strict=True):
        assert mine.dtype == (torch.float32 if mixed else torch.bfloat16)
        assert (mine - reference).norm() < 1e-2 * reference.norm()


def test_a_frozen_head_has_no_gradient(monkeypatch):
    """As under LoRA."""
    monkeypatch.setitem(CHUNK_LOGITS, "cpu", 4 * 50)
    hidden, weight = torch.randn(9, 8, requires_grad=True), torch.randn(50, 8)
    targets = torch.randint(50, (9,))
    token_nll(hidden, weight, targets).sum().backward()
    full = F.cross_entropy(hidden @ weight.T, targets, reduction="none").sum()
    torch.testing.assert_close(hidden.grad, torch.autograd.grad(full, hidden)[0])
    assert weight.grad is None


def test_denominator_of_each_accumulation_rule():
    micro, batch = torch.tensor(10), torch.tensor(80)
    assert denominator("token_mean", micro, batch) == 80
    assert denominator("sum_of_means", micro, batch) == 10


def test_ignored_is_torchs_own_convention():
    assert torch.nn.CrossEntropyLoss().ignore_index == IGNORED
