"""Weights by what another model makes of the token: the reference, an older policy, the writer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rectify.objectives.rules.sums import sequence_mean
from rectify.objectives.rules.table import COUNT, POSITIVE, UNIT, objective

if TYPE_CHECKING:
    from torch import Tensor

IW_SFT = ("arXiv 2507.12856", "emmyqin/iw_sft@9a3e4e4")
PRIFT = ("arXiv 2606.09396", "wang-kee/PriFT@f0a8f03")


@objective(
    "iw-sft", "clip(exp(temperature mean_t log(p / p_ref)), 0, 16)", *IW_SFT, temperature=POSITIVE
)
def iw_sft(logp: Tensor, mask: Tensor, ref_logp: Tensor, temperature: float = 1.0) -> Tensor:
    """W = clip(exp(temperature * mean_t(logp - ref_logp)), 0, 16), one weight for a sequence.

    arXiv 2507.12856, as its authors' code has it (github.com/emmyqin/iw_sft at 9a3e4e4), where the
    temperature multiplies.
    """
    return (temperature * sequence_mean(logp - ref_logp, mask)).exp().clamp(max=16.0)


@objective("iw-sft-token", "clip(p / p_ref, 0.2, 1.8)", *IW_SFT)
def iw_sft_token(logp: Tensor, ref_logp: Tensor) -> Tensor:
    """W = clip(exp(logp - ref_logp), 0.2, 1.8): the per-token branch of the same code."""
    return (logp - ref_logp).exp().clamp(0.2, 1.8)


@objective("prift", "p_ref", *PRIFT)
def prift(ref_logp: Tensor) -> Tensor:
    """W = p_ref(y_t): DFT's weight, frozen at the start."""
    return ref_logp.exp()


@objective(
    "prift-mass",
    "[sum_v p_ref(v) [p_ref(v) <= p_ref(y)] >= threshold]",
    *PRIFT,
    "the code counts p_ref(v) < p_ref(y) and the target itself: tokens that tie with the target, "
    "as they may in bf16, are counted here alone",
    threshold=UNIT,
)
def prift_mass(ref_mass: Tensor, threshold: float = 0.5) -> Tensor:
    """W = 1 where the reference gives the tokens no likelier than the target at least so much."""
    return (ref_mass >= threshold).to(ref_mass.dtype)


@objective(
    "psft",
    "r [r < 1 + clip], r = p / p_old",
    "arXiv 2508.17784",
    "zwhong714/PSFT@569b1ba",
    "PPO's clipped ratio with advantage 1, so that its lower bound, 0.2, plays no part; p_old is "
    "read anew after `updates` optimiser steps (batch 64 in mini-batches of 8: 8)",
    clip=POSITIVE,
    updates=COUNT,
)
def psft(logp: Tensor, old_logp: Tensor, clip: float = 0.28, updates: int = 8) -> Tensor:
    """W = r where the ratio r to the older policy is below 1 + clip, else 0."""
    ratio = (logp - old_logp).exp()
    return ratio * (ratio < 1 + clip)


@objective(
    "pear",
    "exp(clip(sum_(s >= t) gamma^(s - t) log(p_s / p_behaviour_s), -limit, limit))",
    "arXiv 2602.01058",
    None,
    "no code; neither the sum's first token, nor how weights are kept from growing, could be "
    "verified; t is a block's first token where block is above 1, the sequence's where it is 0",
    gamma=UNIT,
    block=(0, math.inf),
    limit=POSITIVE,
)
def pear(
    logp: Tensor,
    mask: Tensor,
    behaviour_logp: Tensor,
    gamma: float = 0.9,
    block: int = 1,
    limit: float = 2.0,
) -> Tensor:
    """W = the discounted ratio of the rest of the response, from the token or its block's first.

    One weight for each token (block 1), for `block` tokens, or for a sequence (block 0).
    """
    log_ratio = (logp - behaviour_logp) * mask
    suffix = log_ratio.clone()
    for t in range(suffix.shape[1] - 2, -1, -1):
        suffix[:, t] += gamma * suffix[:, t + 1]
    place = (mask.cumsum(1) - 1).clamp(min=0)  # of each token in its response
    first = mask.to(log_ratio.dtype).argmax(1, keepdim=True)  # its start
    start = first + (place // block * block if block else 0 * place)
    return suffix.gather(1, start).clamp(-limit, limit).exp()
