"""Mode-seeking weights: the sequence's ratio to the reference, normalised over the batch.

w is n softmax(log ratio) over the batch's n sequences, with mean 1; gamma tempers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rectify.objectives.rules.sums import sequence_mean, sequence_sum, sharpest
from rectify.objectives.rules.table import POSITIVE, UNIT, objective

if TYPE_CHECKING:
    from torch import Tensor

HERE = "defined here"


def over_batch(own: Tensor, batch: Tensor) -> Tensor:
    """N softmax over the batch, at the rows at hand: [B, 1], [n] of log weights -> [B, 1]."""
    return len(batch) * (own - batch.logsumexp(0)).exp()


@objective(
    "mode-seeking",
    "n softmax_b(gamma sum_t log(p / p_ref)) - kl_coef",
    HERE,
    differs="gamma, where it is not set, is the largest whose ESS ratio is at least ess_min",
    gamma=POSITIVE,
    ess_min=UNIT,
    kl_coef=POSITIVE,
)
def mode_seeking(
    logp: Tensor,
    mask: Tensor,
    ref_logp: Tensor,
    batch_log_ratio: Tensor,
    gamma: float | None = None,
    ess_min: float = 0.3,
    kl_coef: float = 0.0,
) -> Tensor:
    """W = n softmax(gamma sum_t(logp - ref_logp)) - kl_coef, the softmax over the batch.

    Defined here: iw-SFT's ratio, tempered by gamma and normalised over the batch. With r_b the
    ratio of sequence b, N times the gradient is that of -(n / gamma) log sum_b r_b^gamma, a soft
    maximum: gamma = 0 is SFT, a larger one turns to the sequences that the model has come to
    prefer. Without a gamma it is the largest in [0, 1] whose ESS ratio over the batch's sequences
    is at least `ess_min`. Subtracting kl_coef has the gradient of adding
    kl_coef * mean(logp - ref_logp) to the loss.
    """
    if gamma is None:
        gamma = sharpest(lambda exponent: exponent * batch_log_ratio, ess_min, limit=1.0)
    own = gamma * sequence_sum(logp - ref_logp, mask)
    return over_batch(own, gamma * batch_log_ratio) - kl_coef


@objective("mode-seeking-linear", "1 + gamma (w - 1)", HERE, gamma=UNIT)
def mode_seeking_linear(
    logp: Tensor, mask: Tensor, ref_logp: Tensor, batch_log_ratio: Tensor, gamma: float = 0.5
) -> Tensor:
    """W = 1 + gamma (w - 1): mode-seeking's first order in gamma, never below 1 - gamma."""
    return 1 + gamma * (over_batch(sequence_sum(logp - ref_logp, mask), batch_log_ratio) - 1)


@objective(
    "mode-seeking-clipped", "clip(w^gamma over its mean, low, high)", HERE,
    gamma=POSITIVE, low=POSITIVE, high=POSITIVE,
)  # fmt: skip
def mode_seeking_clipped(
    logp: Tensor,
    mask: Tensor,
    ref_logp: Tensor,
    batch_log_ratio: Tensor,
    gamma: float = 1.0,
    low: float = 0.8,
    high: float = 1.27,
) -> Tensor:
    """W = clip(n softmax(gamma log ratio), low, high): no sequence counts far more than another."""
    own = gamma * sequence_sum(logp - ref_logp, mask)
    return over_batch(own, gamma * batch_log_ratio).clamp(low, high)


@objective(
    "mode-seeking-distance",
    "n softmax_b(gamma_b sum_t log(p / p_ref)), gamma_b = 1 / (1 - mean_t log p_ref / scale)",
    HERE,
    differs="that gamma falls with the distance -mean_t log p_ref, and how, is a choice made here",
    scale=(1e-3, float("inf")),
)
def mode_seeking_distance(
    logp: Tensor,
    mask: Tensor,
    ref_logp: Tensor,
    batch_log_ratio: Tensor,
    batch_ref_logp: Tensor,
    scale: float = 1.0,
) -> Tensor:
    """W as mode-seeking's, with a gamma for each sequence by its distance from the reference.

    gamma is 1 where the reference is certain of the sequence, and 1/2 at `scale` nats a token: a
    ratio is the less trusted the less the reference would have written the sequence.
    """
    own = sequence_sum(logp - ref_logp, mask) / (1 - sequence_mean(ref_logp, mask) / scale)
    batch = batch_log_ratio / (1 - batch_ref_logp.nanmean(dim=1) / scale)
    return over_batch(own, batch)


@objective(
    "mode-seeking-growing",
    "n softmax_b(gamma progress sum_t log(p / p_ref))",
    HERE,
    gamma=POSITIVE,
)
def mode_seeking_growing(
    logp: Tensor,
    mask: Tensor,
    ref_logp: Tensor,
    batch_log_ratio: Tensor,
    progress: Tensor,
    gamma: float = 1.0,
) -> Tensor:
    """W as mode-seeking's, with a gamma that grows from 0 (SFT) to its value at the end."""
    own = gamma * progress * sequence_sum(logp - ref_logp, mask)
    return over_batch(own, gamma * progress * batch_log_ratio)
