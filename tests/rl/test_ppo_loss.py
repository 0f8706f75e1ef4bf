"""PPO's formulas: closed forms, and the definitions as naive loops."""

import pytest
import torch
from rectify.rl.ppo_loss import (
    advantages_and_returns,
    policy_loss,
    token_rewards,
    value_loss,
    whiten,
)


def constant(values):
    return torch.tensor([values], dtype=torch.float64)


ALL = torch.ones(1, 3, dtype=torch.bool)


def test_advantage_without_discount_is_the_rewards_to_come_less_the_value():
    rewards, values = constant([0.1, -0.2, 1.0]), constant([0.5, 0.25, 0.75])
    advantages, returns = advantages_and_returns(rewards, values, ALL, 1.0, 1.0)
    torch.testing.assert_close(advantages, constant([0.9 - 0.5, 0.8 - 0.25, 1.0 - 0.75]))
    torch.testing.assert_close(returns, constant([0.9, 0.8, 1.0]))


def test_advantage_at_lambda_0_is_the_one_step_error():
    rewards, values = constant([0.1, -0.2, 1.0]), constant([0.5, 0.25, 0.75])
    advantages, _ = advantages_and_returns(rewards, values, ALL, 0.9, 0.0)
    expected = [0.1 + 0.9 * 0.25 - 0.5, -0.2 + 0.9 * 0.75 - 0.25, 1.0 - 0.75]
    torch.testing.assert_close(advantages, constant(expected))


def test_advantage_is_the_exponentially_weighted_sum_of_the_errors_of_the_response():
    """Against the definition, row by row, with prompts and padding around the responses."""
    torch.manual_seed(0)
    rewards, values = torch.randn(5, 9).double(), torch.randn(5, 9).double()
    gamma, lam = 0.97, 0.9
    mask = torch.zeros(5, 9, dtype=torch.bool)
    spans = [(0, 9), (2, 6), (3, 4), (1, 8), (5, 9)]
    for row, (start, end) in enumerate(spans):
        mask[row, start:end] = True
    advantages, returns = advantages_and_returns(rewards * mask, values * mask, mask, gamma, lam)
    for row, (start, end) in enumerate(spans):
        errors = {}
        for t in range(start, end):
            after = values[row, t + 1] if t + 1 < end else 0.0
            errors[t] = rewards[row, t] + gamma * after - values[row, t]
        for t in range(start, end):
            expected = sum((gamma * lam) ** (k - t) * errors[k] for k in range(t, end))
            assert advantages[row, t].item() == pytest.approx(expected.item(), abs=1e-12)
            assert (returns - values)[row, t].item() == pytest.approx(expected.item(), abs=1e-12)
    assert not advantages[~mask].any()
    assert not returns[~mask].any()


def test_clipped_objective_by_hand():
    """Ratios 0.5, 1, 2 with both signs of the advantage, clip 0.2."""
    logp = torch.tensor([0.5, 1.0, 2.0]).log()
    loss = policy_loss(logp, torch.zeros(3), torch.ones(3), 0.2)
    torch.testing.assert_close(loss, torch.tensor([-0.5, -1.0, -1.2]))
    loss = policy_loss(logp, torch.zeros(3), -torch.ones(3), 0.2)
    torch.testing.assert_close(loss, torch.tensor([0.8, 1.0, 2.0]))


def test_clipped_objective_has_no_gradient_beyond_the_clip_and_only_there():
    logp = torch.tensor([1.5, 0.5]).log().requires_grad_()
    gradients = []
    for sign in (1.0, -1.0):
        loss = policy_loss(logp, torch.zeros(2), torch.full((2,), sign), 0.2)
        gradients.append(torch.autograd.grad(loss.sum(), logp)[0].tolist())
    assert gradients == [[0.0, pytest.approx(-0.5)], [pytest.approx(1.5), 0.0]]


def test_clipped_value_loss_by_hand():
    """From 0 towards a return of 1: past the clip the worse error is the clipped one's."""
    values = torch.tensor([0.1, 0.9, -0.9])
    loss = value_loss(values, torch.zeros(3), torch.ones(3), 0.5)
    expected = [0.5 * 0.9**2, 0.5 * 0.5**2, 0.5 * 1.9**2]
    torch.testing.assert_close(loss, torch.tensor(expected))


def test_whitened_advantages_have_mean_0_and_variance_1_on_the_mask():
    torch.manual_seed(0)
    mask = torch.rand(6, 7) < 0.6
    white = whiten(3 + 5 * torch.randn(6, 7), mask)
    assert white[mask].mean().item() == pytest.approx(0, abs=1e-6)
    assert white[mask].var().item() == pytest.approx(1, abs=1e-6)
    assert not white[~mask].any()


def test_a_single_tokens_whitened_advantage_is_0():
    assert whiten(constant([5.0, 3.0]), torch.tensor([[True, False]])).tolist() == [[0.0, 0.0]]


def test_token_rewards_are_the_kl_penalty_and_the_score_at_the_last_token():
    logp = torch.tensor([[-1.0, -2.0, -3.0, 9.0], [9.0, 9.0, -1.0, -2.0]])
    reference = torch.tensor([[-1.5, -2.0, -2.0, 7.0], [7.0, 7.0, -2.0, -2.0]])
    mask = torch.tensor([[1, 1, 1, 0], [0, 0, 1, 1]]).bool()
    rewards = token_rewards(torch.tensor([1.0, 0.0]), logp, reference, mask, 0.1)
    expected = torch.tensor([[-0.05, 0.0, 0.1 + 1.0, 0.0], [0.0, 0.0, -0.1, 0.0]])
    torch.testing.assert_close(rewards, expected)
