"""Scalars of the next-token distribution, taken while a chunk's logits are alive."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor


def entropy(p: Tensor, logp: Tensor) -> Tensor:
    """-sum_v p log p of n distributions, nats: [n, V], [n, V] -> [n]; 0 log 0 is 0."""
    found = -torch.linalg.vecdot(p, logp)
    if found.isnan().any():  # some token can not come
        found = -torch.linalg.vecdot(p, logp.clamp(min=torch.finfo(logp.dtype).min))
    return found


def distribution_scalars(
    logp: Tensor,
    target_logp: Tensor,
    names: Collection[str],
    k: int | None,
    scratch: Tensor | None = None,
) -> dict[str, Tensor]:
    """Scalars of n distributions by name (rectify.objectives.inputs.DISTRIBUTION): [n] each.

    logp: [n, V] log-probabilities, nats; target_logp: [n], those of the targets; k: how many of
    the likeliest tokens entropy_top_k and top_k_mass look at, all if there are fewer; scratch:
    [n, V] that may be overwritten. In the logits' precision, whatever autocast says.
    """
    with torch.autocast(logp.device.type, enabled=False):
        return _scalars(logp, target_logp, names, k, scratch)


def _scalars(
    logp: Tensor, target_logp: Tensor, names: Collection[str], k: int | None, scratch: Tensor | None
) -> dict[str, Tensor]:
    found = {}
    if {"entropy", "concentration", "mass"} & {*names}:
        p = torch.exp(logp, out=scratch)
        if "entropy" in names:
            found["entropy"] = entropy(p, logp)
        if "concentration" in names:
            found["concentration"] = torch.linalg.vecdot(p, p)
        if "mass" in names:
            found["mass"] = (p * (logp <= target_logp[:, None])).sum(-1)
    if "p_max" in names:
        found["p_max"] = logp.amax(-1).exp()
    if {"entropy_top_k", "top_k_mass"} & {*names}:
        top = logp.topk(min(k, logp.shape[-1])).values
        if "entropy_top_k" in names:
            own = top.log_softmax(-1)
            found["entropy_top_k"] = entropy(own.exp(), own)
        if "top_k_mass" in names:
            found["top_k_mass"] = top.exp().sum(-1)
    return found
