"""SFT, DFT, and what the DFT paper sets beside them; ASFT's anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rectify.objectives.rules.sums import sequence_mean, sequence_sum
from rectify.objectives.rules.table import POSITIVE, SWITCH, UNIT, objective

if TYPE_CHECKING:
    from torch import Tensor

DFT = "arXiv 2508.05629"
ASFT = "zhuchichi56/ASFT@6f6f51c"


@objective("sft", "1", "maximum likelihood")
def sft(logp: Tensor) -> Tensor:
    """W = 1: maximum likelihood."""
    return logp.new_ones(())


@objective(
    "dft",
    "p; p (1 + log p) with detach: false",
    f"{DFT}, eq. 9",
    "yongliang-wu/DFT@e153181",
    "detach: false has the gradient of -p log p, as modelscope/twinkle@1a1d884 does, but the log "
    "shows its own weighted NLL as the loss",
    detach=SWITCH,
)
def dft(logp: Tensor, detach: bool = True) -> Tensor:
    """W = p_theta(y_t): arXiv 2508.05629, eq. 9. The gradient is that of -p_theta(y_t).

    Where the probability is not detached, the gradient is that of -p log p, which pushes tokens
    with p < 1/e down.
    """
    return logp.exp() if detach else logp.exp() * (1 + logp)


@objective("dft-sequence", "prod_t p_t", f"{DFT}v3, Table 5")
def dft_sequence(logp: Tensor, mask: Tensor) -> Tensor:
    """W = prod_t p_theta(y_t), one weight for a sequence: arXiv 2508.05629v3, Table 5.

    In fp32 it is 0 below about exp(-103), where a long response soon is.
    """
    return sequence_sum(logp, mask).exp()


@objective("dft-geometric-mean", "exp(mean_t log p_t)", f"{DFT}v3, Table 5")
def dft_geometric_mean(logp: Tensor, mask: Tensor) -> Tensor:
    """W = exp(mean_t log p_theta(y_t)), one weight for a sequence: arXiv 2508.05629v3, Table 5."""
    return sequence_mean(logp, mask).exp()


@objective(
    "focal",
    "(1 - p)^gamma",
    "arXiv 1708.02002",
    differs="the original's gradient goes through the weight too",
    gamma=POSITIVE,
)
def focal(logp: Tensor, gamma: float = 2.0) -> Tensor:
    """W = (1 - p_theta(y_t))^gamma: arXiv 1708.02002, the contrast to DFT (2508.05629, section 2).

    The original's gradient goes through the weight too; here, as everywhere, it does not.
    """
    return logp.expm1().neg().clamp(min=0) ** gamma


@objective("rft", "1, on the model's own correct answers", "arXiv 2304.06767")
def rft(logp: Tensor) -> Tensor:
    """W = 1, on rows that are the model's own answers, verified correct: arXiv 2304.06767."""
    return logp.new_ones(())


@objective(
    "asft",
    "p, and kl_weight KL(p_ref || p_theta) in the loss",
    "arXiv 2509.23753",
    ASFT,
    "kl_weight is the README's; the code's default is 0.1",
    kl_weight=POSITIVE,
)
def asft(logp: Tensor, kl_weight: float = 0.05) -> Tensor:
    """W = p_theta(y_t), plus kl_weight * KL(p_ref || p_theta): arXiv 2509.23753.

    The KL's direction is that of the authors' code (github.com/zhuchichi56/ASFT), the weight its
    README's: DFT, anchored against drift from the starting model.
    """
    return logp.exp()


@objective(
    "asft-target",
    "p + anchor (p_ref / p - 1)",
    "arXiv 2509.23753, as NVIDIA-NeMo/RL#3302 has it",
    None,
    "NeMo-RL's KL(p_theta || p_ref), estimated from the target token alone, p_ref/p - 1 - "
    "log(p_ref/p): the pull request's description says so, its code was not read",
    anchor=POSITIVE,
)
def asft_target(logp: Tensor, ref_logp: Tensor, anchor: float = 0.05) -> Tensor:
    """W = p_theta + anchor * (p_ref / p_theta - 1): the KL's other direction, one token of it.

    The gradient of Schulman's estimate of KL(p_theta || p_ref) at the target token. The weight of
    the KL is no match for asft's: the two have different scales.
    """
    return logp.exp() + anchor * (ref_logp - logp).expm1()


@objective(
    "sft-kl",
    "1, and kl_weight KL(p_ref || p_theta) in the loss",
    "arXiv 2509.23753",
    ASFT,
    kl_weight=POSITIVE,
)
def sft_kl(logp: Tensor, kl_weight: float = 0.05) -> Tensor:
    """W = 1, plus the KL of asft: `sft+kl` of the same code."""
    return logp.new_ones(())


@objective("dft+sft", "alpha + (1 - alpha) p", "arXiv 2509.23753", ASFT, alpha=UNIT)
def dft_and_sft(logp: Tensor, alpha: float = 0.1) -> Tensor:
    """W = alpha + (1 - alpha) p_theta(y_t): the same code's mixture and default alpha."""
    return alpha + (1 - alpha) * logp.exp()
