"""Sums over a sequence's tokens, and the sharpest weights that an effective sample size allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def sequence_sum(values: Tensor, mask: Tensor) -> Tensor:
    """Sum over each sequence's response tokens: [B, T] -> [B, 1]."""
    return (values * mask).sum(dim=1, keepdim=True)


def sequence_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over each sequence's response tokens: [B, T] -> [B, 1]; 0 where there are none."""
    count = mask.sum(dim=1, keepdim=True).clamp(min=1)
    return (values * mask).sum(dim=1, keepdim=True) / count


def ess_ratio(log_weight: Tensor) -> float:
    """Effective sample size over sample size, (sum w)^2 / (n sum w^2), of log w: [n] -> (0, 1]."""
    log_ess = 2 * log_weight.logsumexp(0) - (2 * log_weight).logsumexp(0)
    return log_ess.exp().item() / len(log_weight)


def sharpest(log_weight: Callable[[float], Tensor], ess_min: float, limit: float) -> float:
    """The largest exponent in [0, limit] whose weights' ESS ratio is at least `ess_min`.

    log_weight(exponent) -> [n]. By bisection, as adaptive tempering finds its exponents (Jasra and
    others, Scandinavian Journal of Statistics 38, 2011): the ratio falls as the exponent grows. 0,
    where all weights are equal, if no other exponent has it.
    """
    if ess_ratio(log_weight(limit)) >= ess_min:
        return limit
    low, high = 0.0, limit
    for _ in range(40):
        middle = (low + high) / 2
        if ess_ratio(log_weight(middle)) >= ess_min:
            low = middle
        else:
            high = middle
    return low
