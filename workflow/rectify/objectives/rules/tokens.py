"""Weights that are a function of the token's own probability p: DFT's one-line successors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rectify.objectives.rules.table import POSITIVE, UNIT, objective

if TYPE_CHECKING:
    from torch import Tensor

PROFIT = ("arXiv 2601.09195", "Utaotao/ProFit@92529ff")


@objective(
    "dft-power",
    "p^q",
    "arXiv 2510.00526",
    "GaotangLi/Beyond-Log-Likelihood@220589d",
    "the loss there is (1 - p^q) / q, whose gradient this is; q is the example script's",
    q=POSITIVE,
)
def dft_power(logp: Tensor, q: float = 10.0) -> Tensor:
    """W = p^q: the gradient of (1 - p^q) / q. q = 0 is SFT, q = 1 DFT."""
    return (q * logp).exp()


@objective("dft-sqrt", "sqrt(p)", "yongliang-wu/DFT#1", differs="a user's rule")
def dft_sqrt(logp: Tensor) -> Tensor:
    """W = sqrt(p)."""
    return (logp / 2).exp()


@objective(
    "dft-floor",
    "max(p, floor)",
    "yongliang-wu/DFT#1",
    differs="the author's advice where a model never stops, in words",
    floor=UNIT,
)
def dft_floor(logp: Tensor, floor: float = 0.1) -> Tensor:
    """W = max(p, floor): no token goes unlearned."""
    return logp.exp().clamp(min=floor)


@objective("profit", "[p >= threshold]", *PROFIT, threshold=UNIT)
def profit(logp: Tensor, threshold: float = 0.1) -> Tensor:
    """W = 1 where p is at least the threshold, else 0 (`higher` in the code)."""
    return (logp.exp() >= threshold).to(logp.dtype)


@objective("profit-lower", "[p <= threshold]", *PROFIT, threshold=UNIT)
def profit_lower(logp: Tensor, threshold: float = 0.1) -> Tensor:
    """W = 1 where p is at most the threshold, else 0."""
    return (logp.exp() <= threshold).to(logp.dtype)


@objective(
    "profit-middle",
    "[low <= p <= high]",
    *PROFIT,
    "the code has no default for its band",
    low=UNIT,
    high=UNIT,
)
def profit_middle(logp: Tensor, low: float = 0.1, high: float = 0.9) -> Tensor:
    """W = 1 where p is between the two, both included, else 0."""
    p = logp.exp()
    return ((p >= low) & (p <= high)).to(logp.dtype)


@objective(
    "profit-random",
    "[uniform >= share]",
    *PROFIT,
    "the code has no default for its share",
    share=UNIT,
)
def profit_random(logp: Tensor, uniform: Tensor, share: float = 0.1) -> Tensor:
    """W = 0 for a share of the tokens, drawn anew each time that a row is seen, else 1."""
    return (uniform >= share).to(logp.dtype)


@objective(
    "trsft", "p / max(p, floor)", "arXiv 2512.17636", "Su-my/TRAPO@982cb8f", floor=(1e-6, 1.0)
)
def trsft(logp: Tensor, floor: float = 0.1) -> Tensor:
    """W = p / max(p, floor): DFT below the floor, scaled to meet SFT above it."""
    p = logp.exp()
    return p / p.clamp(min=floor)


@objective(
    "gft",
    "1 where p > threshold, else p",
    "arXiv 2604.14258",
    "ZJU-OmniAI/GFT@763384d",
    "without the group's advantage that it multiplies there; the script has 0.1",
    threshold=UNIT,
)
def gft(logp: Tensor, threshold: float = 0.5) -> Tensor:
    """W = 1 above the threshold, p below: dynamic coefficient rectification."""
    p = logp.exp()
    return p.masked_fill(p > threshold, 1.0)


@objective(
    "chord",
    "p (1 - p)",
    "arXiv 2508.11408",
    "modelscope/ms-swift@3602360",
    "phi of its SFT share alone, without the GRPO that it is mixed with; not scaled by 4",
)
def chord(logp: Tensor) -> Tensor:
    """W = p (1 - p): most where the model is unsure, none where it is certain."""
    return logp.exp() * -logp.expm1()
