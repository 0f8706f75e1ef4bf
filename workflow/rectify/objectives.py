"""Training objectives: one per-token NLL, many weights.

Every objective is a function that gives each response token a weight w; the loss is

    sum(stop_gradient(w) * nll * mask) / N,        nll[b, t] = -log p_theta(y_t | y_<t, x)

with N chosen by the accumulation rule (see rectify.loss). Arguments, all without gradient:

    logp      [B, T]  log p_theta(y_t), nats
    mask      [B, T]  True on response tokens (EOS included)
    ref_logp  [B, T]  the same under the frozen starting model; only where `reference=True`

and the result is broadcastable to [B, T], dimensionless. To add an objective, add a function here
and name it under `methods:` in a study. (Tensor methods serve; torch itself is not imported, so
that a study's names are checked in milliseconds.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Objective:
    """A named weight function and whether it needs the reference model's log-probabilities."""

    weight: Callable[..., Tensor]
    reference: bool


OBJECTIVES: dict[str, Objective] = {}


def objective(name: str, reference: bool = False) -> Callable[[Callable], Callable]:
    """Register a weight function under its name in the field."""

    def register(weight: Callable[..., Tensor]) -> Callable[..., Tensor]:
        OBJECTIVES[name] = Objective(weight, reference)
        return weight

    return register


def sequence_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over each sequence's response tokens: [B, T] -> [B, 1]; 0 where there are none."""
    count = mask.sum(dim=1, keepdim=True).clamp(min=1)
    return (values * mask).sum(dim=1, keepdim=True) / count


@objective("sft")
def sft(logp: Tensor, mask: Tensor) -> Tensor:
    """W = 1: maximum likelihood."""
    return logp.new_ones(())


@objective("dft")
def dft(logp: Tensor, mask: Tensor) -> Tensor:
    """W = p_theta(y_t): arXiv 2508.05629, eq. 9. The gradient is that of -p_theta(y_t)."""
    return logp.exp()


@objective("iw-sft", reference=True)
def iw_sft(logp: Tensor, mask: Tensor, ref_logp: Tensor) -> Tensor:
    """W = clip(exp(mean_t(logp - ref_logp)), 0, 16), one weight for a sequence.

    arXiv 2507.12856, as its authors' code has it (github.com/emmyqin/iw_sft at 9a3e4e4,
    temperature 1).
    """
    return sequence_mean(logp - ref_logp, mask).exp().clamp(max=16.0)
