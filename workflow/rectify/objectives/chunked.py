"""Per-token NLL, KL and scalars of the distribution without full logits.

The logits of a long batch (tokens x vocabulary) are the largest tensor of fine-tuning. Here the
LM head runs chunk by chunk, its logits in fp32 at least, and each chunk is computed again in the
backward pass. Scalars of the distribution (rectify.objectives.distribution) are taken in the
forward pass, while a chunk's logits are alive; they carry no gradient.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from rectify.objectives.distribution import distribution_scalars

# logits alive at once: 32 MiB in fp32; on a GPU 1 GiB, as products of few tokens are slow there
CHUNK_LOGITS = {"cpu": 2**23, "cuda": 2**28}


def chunk_size(weight: Tensor) -> int:
    """Tokens of a chunk, for a head's weight [V, D]."""
    return max(1, CHUNK_LOGITS[weight.device.type] // weight.shape[0])


def upcast(logits: Tensor) -> Tensor:
    """Logits in fp32 at least."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def chunk_nll(hidden: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """NLL and log-probabilities of one chunk: [n, D], [V, D], [n] -> [n], [n, V].

    Logits are upcast first.
    """
    logp = upcast(F.linear(hidden, weight)).log_softmax(-1)
    return F.nll_loss(logp, targets, reduction="none"), logp


class ChunkedNLL(torch.autograd.Function):
    """chunk_nll of many tokens: [N, D], [V, D], [N] -> [N], and [N] for each scalar asked for.

    What autograd would keep or allocate for each chunk (probabilities, their gradient, a gradient
    of the weight) is made in place here; sums over chunks are in fp32 at least.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        targets: Tensor,
        size: int,
        names: tuple[str, ...],
        k: int | None,
    ) -> tuple[Tensor, ...]:
        """Chunks of `size` tokens."""
        nll, log_z, scalars = [], [], {name: [] for name in names}
        for h, y in zip(hidden.split(size), targets.split(size), strict=True):
            logits = upcast(F.linear(h, weight))
            logp = logits.log_softmax(-1)
            nll.append(F.nll_loss(logp, y, reduction="none"))
            log_z.append(nll[-1] + logits.gather(1, y[:, None])[:, 0])
            found = distribution_scalars(logp, -nll[-1], names, k, scratch=logits)
            for name, values in found.items():
                scalars[name].append(values)
        ctx.save_for_backward(hidden, weight, targets, torch.cat(log_z))
        ctx.size = size
        joined = [torch.cat(values) for values in scalars.values()]
        ctx.mark_non_differentiable(*joined)
        return (torch.cat(nll), *joined)

    @staticmethod
    def backward(
        ctx: Any, grad: Tensor, *_: Tensor
    ) -> tuple[Tensor, Tensor | None, None, None, None, None]:
        """D nll / d logits = p - onehot."""
        hidden, weight, targets, log_z = ctx.saved_tensors
        grad_hidden = torch.empty_like(hidden)
        grad_weight = upcast(torch.zeros_like(weight)) if ctx.needs_input_grad[1] else None
        for start in range(0, len(targets), ctx.size):
            part = slice(start, start + ctx.size)
            h, y, g = hidden[part], targets[part, None], grad[part, None]
            p = upcast(F.linear(h, weight)).sub_(log_z[part, None]).exp_()
            p = p.scatter_add_(1, y, -torch.ones_like(p[:, :1])).to(h.dtype)
            grad_hidden[part] = (p @ weight).mul_(g)
            if grad_weight is None:
                continue
            scaled = (h * g).to(h.dtype)
            if grad_weight.dtype == h.dtype:
                grad_weight.addmm_(p.T, scaled)
            else:
                grad_weight += p.T @ scaled
        if grad_weight is not None:
            grad_weight = grad_weight.to(weight.dtype)
        return grad_hidden, grad_weight, None, None, None, None


def token_nll(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """-log softmax(hidden @ weight.T)[target] in nats: [N, D], [V, D], [N] -> [N]."""
    return token_nll_and_scalars(hidden, weight, targets, (), None)[0]


def token_nll_and_scalars(
    hidden: Tensor, weight: Tensor, targets: Tensor, names: Collection[str], k: int | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """token_nll and, without gradient, distribution_scalars of the same distribution: [N] each."""
    size = chunk_size(weight)
    if len(targets) <= size:
        nll, logp = chunk_nll(hidden, weight, targets)
        return nll, distribution_scalars(logp.detach(), -nll.detach(), names, k)
    device = hidden.device.type
    if torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
        hidden, weight = hidden.to(dtype), weight.to(dtype)
    nll, *found = ChunkedNLL.apply(hidden, weight, targets, size, tuple(names), k)
    return nll, dict(zip(names, found, strict=True))


def chunk_kl(hidden: Tensor, weight: Tensor, ref_hidden: Tensor, ref_weight: Tensor) -> Tensor:
    """KL of one chunk: [n, D], [V, D], [n, D], [V, D] -> [n]; logits are upcast first."""
    logp = upcast(F.linear(hidden, weight)).log_softmax(-1)
    ref_logp = upcast(F.linear(ref_hidden, ref_weight)).log_softmax(-1)
    return F.kl_div(logp, ref_logp, log_target=True, reduction="none").sum(-1)


def token_kl(hidden: Tensor, weight: Tensor, ref_hidden: Tensor, ref_weight: Tensor) -> Tensor:
    """KL(p_ref || p) in nats over the whole vocabulary, chunk by chunk as in token_nll.

    [N, D], [V, D], [N, D], [V, D] -> [N], p and p_ref the softmax of hidden @ weight.T.
    """
    size = max(1, chunk_size(weight) // 2)  # two sets of logits
    chunks = zip(hidden.split(size), ref_hidden.split(size), strict=True)
    return torch.cat(
        [checkpoint(chunk_kl, h, weight, r, ref_weight, use_reentrant=False) for h, r in chunks]
    )
