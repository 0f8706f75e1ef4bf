"""Where implementations of one rule differ: each as its framework has it, on the same logits.

Typed anew from each framework's formula, with autograd through whatever it lets gradients through;
none of them is called. `objective` and `parameters` say how the same is had here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

VOCABULARY = 50
LENGTHS = (6, 3)  # response tokens of the two sequences, a micro-batch each


@dataclass
class Made:
    """Two sequences, their logits and the reference's, float64: [B, T, V]; mask, targets [B, T]."""

    logits: Tensor
    ref_logits: Tensor
    targets: Tensor
    mask: Tensor

    def logp(self, logits: Tensor | None = None) -> Tensor:
        """Log-probabilities of the targets: [B, T]."""
        every = (self.logits if logits is None else logits).log_softmax(-1)
        return every.gather(-1, self.targets[..., None])[..., 0]

    def mean(self, values: Tensor) -> Tensor:
        """Over the response tokens of both sequences."""
        return values[self.mask].sum() / self.mask.sum()

    def mean_of_means(self, values: Tensor) -> Tensor:
        """Of each micro-batch's response tokens, then of the micro-batches."""
        own = [row[keep].mean() for row, keep in zip(values, self.mask, strict=True)]
        return torch.stack(own).mean()


def made() -> Made:
    """The same on every machine: of sines, no random numbers."""
    length = max(LENGTHS)
    index = torch.arange(len(LENGTHS) * length * VOCABULARY, dtype=torch.float64)
    shape = (len(LENGTHS), length, VOCABULARY)
    sharper = torch.arange(1, length + 1)[:, None]  # from token to token
    logits = sharper * torch.sin(1 + 0.37 * index + 1e-3 * index**2).reshape(shape) ** 9
    ref_logits = logits + 0.5 * torch.cos(2 + 0.61 * index).reshape(shape)
    ranks = torch.tensor([[0, 0, 1, 3, 8, 30], [0, 2, 20, 0, 0, 0]])  # from certain to surprising
    targets = logits.argsort(dim=-1, descending=True).gather(-1, ranks[..., None])[..., 0]
    mask = torch.arange(length) < torch.tensor(LENGTHS)[:, None]
    return Made(logits.requires_grad_(), ref_logits, targets, mask)


def dft(of: Made) -> Tensor:
    """p, detached, times the NLL over the batch's tokens."""
    logp = of.logp()
    return of.mean(-logp.exp().detach() * logp)


def dft_attached(of: Made) -> Tensor:
    """The same with a gradient through p."""
    logp = of.logp()
    return of.mean(-logp.exp() * logp)


def eaft(of: Made, scale: float) -> Tensor:
    """Entropy of the 20 best logits, detached, over a scale, times the NLL."""
    best = of.logits.topk(20, dim=-1).values.softmax(-1)
    entropy = -(best * best.log()).sum(-1).detach()
    return of.mean(-entropy / scale * of.logp())


def kl(of: Made) -> Tensor:
    """KL(p_ref || p) over the vocabulary: [B, T]."""
    ref = of.ref_logits.log_softmax(-1)
    return (ref.exp() * (ref - of.logits.log_softmax(-1))).sum(-1)


def asft(of: Made, weight: float, mean: Callable[[Made, Tensor], Tensor] = Made.mean) -> Tensor:
    """DFT and the KL over the vocabulary."""
    logp = of.logp()
    return mean(of, -logp.exp().detach() * logp + weight * kl(of))


def asft_target(of: Made, weight: float) -> Tensor:
    """DFT and an estimate of the other KL from the target token."""
    logp = of.logp()
    ratio = of.logp(of.ref_logits) - logp
    return of.mean(-logp.exp().detach() * logp + weight * (ratio.exp() - ratio - 1))


def idft(of: Made) -> Tensor:
    """p^g, detached, times the NLL; the ramp over."""
    every, logp = of.logits.log_softmax(-1), of.logp()
    entropy = -(every.exp() * every).sum(-1)
    exponent = torch.exp(-(logp + entropy)).clamp(0.1, 2.0)
    return of.mean(-(logp.exp() ** exponent).detach() * logp)


def idft_detached(of: Made) -> Tensor:
    """The same, all of it detached."""
    return idft(of).detach() + 0 * of.logits.sum()


def cayley(of: Made, mean_p: Tensor) -> Tensor:
    """(1 - p^a) / a, a from half a mean probability: [B, T]."""
    logp = of.logp()
    distance = 1 - logp.detach().exp()
    a = mean_p / 2 + (1 - mean_p / 2) * (1 - distance) / (1 + distance)
    return (1 - (a * logp).exp()) / a


def cayley_batch(of: Made) -> Tensor:
    """The mean over the optimiser batch."""
    return of.mean(cayley(of, of.mean(of.logp().detach().exp())))


def cayley_micro_batch(of: Made) -> Tensor:
    """The mean over each micro-batch."""
    p = of.logp().detach().exp() * of.mask
    return of.mean(cayley(of, p.sum(1, keepdim=True) / of.mask.sum(1, keepdim=True)))


def sed(of: Made, k: int, scale: float = 0.2) -> Tensor:
    """NLL and a penalty on p away from 1/2 where the k best have less than 0.95."""
    logp, every = of.logp(), of.logits.softmax(-1)
    p, unsure = logp.exp(), every.topk(k, dim=-1).values.sum(-1) < 0.95
    return of.mean(-logp + scale * (p * (p - 1) + 0.25) * unsure)


@dataclass(frozen=True)
class Variant:
    """One implementation of a rule: where, and how the same is had here, None if it is not."""

    rule: str
    where: str
    loss: Callable[[Made], Tensor]
    objective: str | None
    parameters: dict[str, Any] = field(default_factory=dict)
    setting: str = ""  # a key of `training` that goes with it
    own_loss: bool = True  # whether the loss has this value here, too, or its gradient alone


VARIANTS = [
    Variant("DFT", "TRL 1.16, LLaMA-Factory, ms-swift, axolotl", dft, "dft"),
    Variant("DFT", "twinkle@1a1d884: p is not detached", dft_attached, "dft", {"detach": False},
            own_loss=False),
    Variant("EAFT", "paper, LLaMA-Factory: over 3", lambda of: eaft(of, 3.0), "eaft"),
    Variant("EAFT", "axolotl: not over 3", lambda of: eaft(of, 1.0), "eaft", {"scale": 1.0}),
    Variant("ASFT", "README: KL weight 0.05", lambda of: asft(of, 0.05), "asft"),
    Variant("ASFT", "code: KL weight 0.1", lambda of: asft(of, 0.1), "asft", {"kl_weight": 0.1}),
    Variant("ASFT", "LLaMA-Factory: 0.1, a mean for each micro-batch",
            lambda of: asft(of, 0.1, Made.mean_of_means), "asft", {"kl_weight": 0.1},
            "accumulation: sum_of_means, over the number of micro-batches"),
    Variant("ASFT", "NeMo-RL#3302: the other KL, of the target token, 0.05",
            lambda of: asft_target(of, 0.05), "asft-target", own_loss=False),
    Variant("IDFT", "fsdp_polylog_trainer.py, its ramp over", idft, "idft",
            {"warmup": 0.0, "transition": 0.0}),
    Variant("IDFT", "losses.py: all of the loss is detached", idft_detached, None),
    Variant("DEFT, Cayley", "here: mean p of the optimiser batch", cayley_batch, "deft-cayley",
            own_loss=False),
    Variant("DEFT, Cayley", "luludus/DEFT: mean p of the micro-batch", cayley_micro_batch, None),
    Variant("SED-SFT", "sft_trainer_v2.py: k 10", lambda of: sed(of, 10), "sed-sft",
            own_loss=False),
    Variant("SED-SFT", "sed_triton_loss.py: k 2", lambda of: sed(of, 2), "sed-sft", {"k": 2},
            own_loss=False),
    Variant("SED-SFT", "train.py: scale 1, k 2", lambda of: sed(of, 2, 1.0), "sed-sft",
            {"k": 2, "scale": 1.0}, own_loss=False),
]  # fmt: skip


def loss_and_gradient(variant: Variant) -> tuple[Tensor, Tensor]:
    """The variant's loss on what is made, and its gradient by the logits: [B, T, V]."""
    of = made()
    loss = variant.loss(of)
    return loss.detach(), torch.autograd.grad(loss, of.logits)[0]


def compared() -> Iterator[tuple[Variant, float, float, float, float]]:
    """Each variant with its loss, its gradient's norm, and both by the rule's first: the ratio of
    the norms, and the cosine of the gradients (NaN where there is no gradient).
    """
    first: dict[str, Tensor] = {}
    for variant in VARIANTS:
        loss, gradient = loss_and_gradient(variant)
        base = first.setdefault(variant.rule, gradient)
        norm, of_base = gradient.norm().item(), base.norm().item()
        cosine = (gradient * base).sum().item() / (norm * of_base) if norm else math.nan
        yield variant, loss.item(), norm, norm / of_base, cosine
