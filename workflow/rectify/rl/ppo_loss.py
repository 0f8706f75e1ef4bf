"""The formulas of proximal policy optimisation (arXiv 1707.06347), on padded batches.

All tensors are [B, T]: position t holds what belongs to the token that is drawn there. `mask` is
True at the tokens of the response, which are contiguous in a row. Defaults and conventions are
those of verl (verl/trainer/ppo/core_algos.py), which the paper used.
"""

from __future__ import annotations

import torch
from torch import Tensor


def token_rewards(
    scores: Tensor, logp: Tensor, ref_logp: Tensor, mask: Tensor, kl: float
) -> Tensor:
    """-kl (log p - log p_ref) at each token, and the answer's score on top at its last one.

    scores: [B]; log-probabilities in nats. The sum over a row is score - kl * log(p / p_ref).
    """
    rewards = -kl * (logp - ref_logp) * mask
    last = mask.shape[1] - 1 - mask.flip(1).int().argmax(dim=1)
    rewards[torch.arange(len(scores), device=scores.device), last] += scores
    return rewards


def advantages_and_returns(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lam: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (arXiv 1506.02438, eq. 16), and advantage + value.

    A_t = sum_k (gamma lam)^k delta_{t+k}, delta_t = r_t + gamma V_{t+1} - V_t, where V is 0 after
    the last token. Both are 0 outside the mask.
    """
    advantages = torch.zeros_like(rewards)
    after = value_after = torch.zeros_like(rewards[:, 0])
    for t in reversed(range(rewards.shape[1])):
        delta = rewards[:, t] + gamma * value_after - values[:, t]
        after = (delta + gamma * lam * after) * mask[:, t]
        value_after = values[:, t] * mask[:, t]
        advantages[:, t] = after
    return advantages, (advantages + values) * mask


def whiten(advantages: Tensor, mask: Tensor) -> Tensor:
    """Shifted and scaled to mean 0 and variance 1 over all tokens of the mask; 0 elsewhere.

    All 0 where there is a single token, which has no variance.
    """
    used = advantages[mask]
    if len(used) < 2:
        return torch.zeros_like(advantages)
    return (advantages - used.mean()) * torch.rsqrt(used.var() + 1e-8) * mask


def policy_loss(logp: Tensor, old_logp: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """The clipped objective, negated, per token: max(-A r, -A clamp(r, 1 - clip, 1 + clip)).

    r = p / p_old, the ratio to the policy that drew the token.
    """
    ratio = (logp - old_logp).exp()
    clipped = ratio.clamp(1 - clip, 1 + clip)
    return torch.maximum(-advantages * ratio, -advantages * clipped)


def value_loss(values: Tensor, old_values: Tensor, returns: Tensor, clip: float) -> Tensor:
    """Half the squared error per token, the worse of V and V kept within `clip` of what it was."""
    near = old_values + (values - old_values).clamp(-clip, clip)
    return 0.5 * torch.maximum((values - returns).square(), (near - returns).square())
