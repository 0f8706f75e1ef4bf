"""The best policy of a linear model in one step: no training, one pass over features.

Of answers drawn from a policy p_0, the best policy for mean reward less beta * KL from p_0 is in
proportion to p_0 exp(r / beta). A policy p_0 exp(theta . phi) over features phi of an answer comes
as near as its features let it; to first order in theta, and for features with mean 0 and the
identity for covariance, that is at theta = E[phi (r - mean r)] / beta.
"""

from __future__ import annotations

import torch
from torch import Tensor


def whitened(features: Tensor) -> Tensor:
    """Features with mean 0 and the identity for covariance: [n, d] -> [n, d'], d' their rank."""
    centred = features - features.mean(dim=0)
    left, values, _ = torch.linalg.svd(centred, full_matrices=False)
    kept = values > values[0] * len(features) * 1e-12
    return left[:, kept] * len(features) ** 0.5


def one_step(features: Tensor, rewards: Tensor, beta: float) -> Tensor:
    """E[phi (r - mean r)] / beta: [n, d], [n] -> [d], the features `whitened` before.

    The exact optimum where the reward is linear in the features.
    """
    return (features * (rewards - rewards.mean())[:, None]).mean(dim=0) / beta
