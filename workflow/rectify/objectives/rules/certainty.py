"""Weights by how certain the model is: of its whole distribution, or of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rectify.objectives.rules.table import COUNT, POSITIVE, UNIT, objective

if TYPE_CHECKING:
    from torch import Tensor

DEFT = ("arXiv 2602.11424", "luludus/DEFT@bbe7896")


@objective(
    "eaft",
    "(H_k / scale)^alpha",
    "arXiv 2601.02151",
    "PRIS-CV/EAFT@8f9018b",
    "H_k: entropy of the k likeliest tokens, nats; scale 3 (about log 20) is the paper's and "
    "LLaMA-Factory's, axolotl's is 1",
    k=(2, float("inf")),
    alpha=POSITIVE,
    scale=(1e-3, float("inf")),
)
def eaft(entropy_top_k: Tensor, k: int = 20, alpha: float = 1.0, scale: float = 3.0) -> Tensor:
    """W = (H_k / scale)^alpha, H_k the entropy of the k likeliest tokens, renormalised."""
    return (entropy_top_k / scale).clamp(min=0) ** alpha


@objective(
    "idft",
    "p^g, g = 1 + ramp (clip(exp(-(log p + H) / beta), low, high) - 1)",
    "arXiv 2602.12222",
    "zhangmiaosen2000/Towards-On-Policy-SFT@dc9b5df",
    "its repository's losses.py detaches the whole loss, which has no gradient; this is its "
    "fsdp_polylog_trainer.py, whose ramp is 0 (DFT) for the first fifth of the steps",
    beta=(1e-3, float("inf")),
    low=POSITIVE,
    high=POSITIVE,
    warmup=UNIT,
    transition=UNIT,
)
def idft(
    logp: Tensor,
    entropy: Tensor,
    progress: Tensor,
    beta: float = 1.0,
    low: float = 0.1,
    high: float = 2.0,
    warmup: float = 0.2,
    transition: float = 0.1,
) -> Tensor:
    """W = p^g: sharper than DFT where the token is likelier than typical ones, log p > -H.

    g goes from 1 to clip(exp(-(log p + H) / beta), low, high) over `transition`, a share of the
    steps, after `warmup`, another.
    """
    ramp = ((progress - warmup) / max(transition, 1e-9)).clamp(0, 1)
    exponent = (-(logp + entropy) / beta).exp().clamp(low, high)
    return ((1 + ramp * (exponent - 1)) * logp).exp()


@objective("deft", "p^a, a = sum_v p_v^2", *DEFT)
def deft(logp: Tensor, concentration: Tensor) -> Tensor:
    """W = p^a, a the concentration: SFT where the distribution is flat, DFT where it is certain."""
    return (concentration * logp).exp()


@objective(
    "deft-cayley",
    "p^a, a = clip(b + (1 - b) p / (2 - p), 0.001, 1), b = mean(p) / 2",
    *DEFT,
    "the mean is over the optimiser batch; the code's is over the micro-batch, by which a result "
    "would depend on how a batch is cut",
)
def deft_cayley(logp: Tensor, batch_logp: Tensor) -> Tensor:
    """W = p^a, a the Cayley transform of 1 - p, from half the batch's mean probability upwards."""
    p, floor = logp.exp(), batch_logp.exp().nanmean() / 2
    return ((floor + (1 - floor) * p / (2 - p)).clamp(1e-3, 1.0) * logp).exp()


@objective(
    "sed-sft",
    "1 - scale p (2p - 1) [top-k mass < threshold]",
    "arXiv 2602.07464",
    "pppa2019/SED-SFT@6a89ea3",
    "the loss there is NLL + scale (p^2 - p + 1/4) [...], whose gradient this is; defaults are "
    "those of its trainer's signature; in its loss k is 2, and its script passes scale 1 and takes "
    "a quantile (0.7) of the data's top-10 mass for the threshold",
    k=COUNT,
    scale=POSITIVE,
    threshold=UNIT,
)
def sed_sft(
    logp: Tensor, top_k_mass: Tensor, k: int = 10, scale: float = 0.2, threshold: float = 0.95
) -> Tensor:
    """W = 1 - scale p (2p - 1) where the k likeliest tokens have less than the threshold, else 1.

    Where the model has not made up its mind, p is drawn to 1/2: a diversity penalty.
    """
    p = logp.exp()
    return 1 - scale * p * (2 * p - 1) * (top_k_mass < threshold)


@objective(
    "talr",
    "max(p^(1 / tau), floor), tau = median over sequences of mean_t NLL",
    "arXiv 2509.20758",
    None,
    "no official code; neither the floor, nor what the median is of, could be verified",
    floor=UNIT,
)
def talr(logp: Tensor, batch_logp: Tensor, floor: float = 0.01) -> Tensor:
    """W = max(p^(1 / tau), floor), tau the batch's median of the sequences' mean NLL.

    The lower of the two where the batch has an even number of sequences.
    """
    tau = (-batch_logp).nanmean(dim=1).median().clamp(min=1e-12)
    return (logp / tau).exp().clamp(min=floor)
