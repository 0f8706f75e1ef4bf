"""Training objectives: one per-token NLL, many weights.

Every objective is a function that gives each response token a weight w; the loss is

    sum(stop_gradient(w) * nll * mask) / N,        nll[b, t] = -log p_theta(y_t | y_<t, x)

with N chosen by the accumulation rule (see rectify.objectives.loss). A function is given what it
names among

    logp             [B, T]  log p_theta(y_t), nats
    mask             [B, T]  True on response tokens (EOS included)
    ref_logp         [B, T]  the same as logp under the frozen starting model
    reward           [B, 1]  the row's reward (column `reward` of the rows)
    batch_log_ratio  [n]     sum_t(logp - ref_logp) of every sequence of the optimiser batch
    batch_reward     [n]     reward of every sequence of the optimiser batch

all without gradient; B sequences are those of one micro-batch, n those of the whole optimiser
batch, over all processes. Its other arguments are parameters with defaults, which a study sets
under a method's `parameters:`. The result is broadcastable to [B, T], dimensionless.

A parameter `kl_weight` adds kl_weight * KL(p_ref || p_theta), in nats, of every response token's
distribution over the whole vocabulary to the loss, inside the same sum and over the same N.

To add an objective, write a function in a file of your own and name it in a study as
`path/to/file.py:function` (config/objectives/example.py is one). (Tensor methods serve; torch
itself is not imported, so that a study's names are checked in milliseconds.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

OBJECTIVES: dict[str, Callable[..., Tensor]] = {}


# what the parameters below may be, ends included; 1 / beta is an exponent
RANGES = {
    "temperature": (0.0, math.inf),
    "gamma": (0.0, math.inf),
    "ess_min": (0.0, 1.0),
    "kl_coef": (0.0, math.inf),
    "beta": (1e-3, math.inf),
    "k": (1, math.inf),
    "kl_weight": (0.0, math.inf),
    "alpha": (0.0, 1.0),
}


def objective(name: str) -> Callable[[Callable], Callable]:
    """Register a weight function under its name in the field."""

    def register(weight: Callable[..., Tensor]) -> Callable[..., Tensor]:
        OBJECTIVES[name] = weight
        return weight

    return register


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


@objective("sft")
def sft(logp: Tensor) -> Tensor:
    """W = 1: maximum likelihood."""
    return logp.new_ones(())


@objective("dft")
def dft(logp: Tensor) -> Tensor:
    """W = p_theta(y_t): arXiv 2508.05629, eq. 9. The gradient is that of -p_theta(y_t)."""
    return logp.exp()


@objective("dft-sequence")
def dft_sequence(logp: Tensor, mask: Tensor) -> Tensor:
    """W = prod_t p_theta(y_t), one weight for a sequence: arXiv 2508.05629v3, Table 5.

    In fp32 it is 0 below about exp(-103), where a long response soon is.
    """
    return sequence_sum(logp, mask).exp()


@objective("dft-geometric-mean")
def dft_geometric_mean(logp: Tensor, mask: Tensor) -> Tensor:
    """W = exp(mean_t log p_theta(y_t)), one weight for a sequence: arXiv 2508.05629v3, Table 5."""
    return sequence_mean(logp, mask).exp()


@objective("iw-sft")
def iw_sft(logp: Tensor, mask: Tensor, ref_logp: Tensor, temperature: float = 1.0) -> Tensor:
    """W = clip(exp(temperature * mean_t(logp - ref_logp)), 0, 16), one weight for a sequence.

    arXiv 2507.12856, as its authors' code has it (github.com/emmyqin/iw_sft at 9a3e4e4), where the
    temperature multiplies.
    """
    return (temperature * sequence_mean(logp - ref_logp, mask)).exp().clamp(max=16.0)


@objective("iw-sft-token")
def iw_sft_token(logp: Tensor, ref_logp: Tensor) -> Tensor:
    """W = clip(exp(logp - ref_logp), 0.2, 1.8): the per-token branch of the same code."""
    return (logp - ref_logp).exp().clamp(0.2, 1.8)


@objective("mode-seeking")
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
    log_mean = (gamma * batch_log_ratio).logsumexp(0)
    return len(batch_log_ratio) * (own - log_mean).exp() - kl_coef


@objective("focal")
def focal(logp: Tensor, gamma: float = 2.0) -> Tensor:
    """W = (1 - p_theta(y_t))^gamma: arXiv 1708.02002, the contrast to DFT (2508.05629, section 2).

    The original's gradient goes through the weight too; here, as everywhere, it does not.
    """
    return logp.expm1().neg().clamp(min=0) ** gamma


SHARPEST_REWARD = 100.0  # 1 / beta is at most this where beta is found by ESS


@objective("reward-exponential")
def reward_exponential(
    reward: Tensor, batch_reward: Tensor, beta: float | None = None, ess_min: float = 0.3
) -> Tensor:
    """W = n softmax(r / beta), r a row's reward, the softmax over the batch.

    The best policy for mean reward less beta * KL from the policy that answered is in proportion
    to that policy times exp(r / beta): this is maximum likelihood under it, its answers weighted as
    a self-normalised sample (arXiv 1910.00177, with the reward for the advantage). Without a beta
    it is the smallest whose ESS ratio over the batch is at least `ess_min` (and at least 0.01).
    """

    def log_weight(exponent: float) -> Tensor:
        return exponent * batch_reward

    exponent = sharpest(log_weight, ess_min, SHARPEST_REWARD) if beta is None else 1 / beta
    total = log_weight(exponent).logsumexp(0)
    return len(batch_reward) * (exponent * reward - total).exp()


@objective("reward-power")
def reward_power(
    reward: Tensor, batch_reward: Tensor, beta: float | None = None, ess_min: float = 0.3
) -> Tensor:
    """W = (r - r_min)^(1 / beta) over its mean in the batch, r_min the batch's least reward.

    Defined here: reward-exponential of log(r - r_min), so that neither the rewards' origin nor
    their scale matters; beta as there. With a beta the least rewarded rows have no weight, unless
    all rewards are equal: then every row has weight 1. So it is too without a beta where the best
    rows alone are fewer than `ess_min` asks for: with one correct of four verdicts no exponent
    above 0 keeps an ESS ratio of 0.3, and the wrong three are trained on as well.
    """
    least, most = batch_reward.min(), batch_reward.max()
    if least == most:
        return reward.new_ones(())
    above = (batch_reward - least) / (most - least)  # of the range: the ratio's scale cancels

    def log_weight(exponent: float) -> Tensor:
        return (above**exponent).log()

    exponent = sharpest(log_weight, ess_min, SHARPEST_REWARD) if beta is None else 1 / beta
    return ((reward - least) / (most - least)) ** exponent / (above**exponent).mean()


@objective("reward-top-k")
def reward_top_k(reward: Tensor, batch_reward: Tensor, k: int = 32) -> Tensor:
    """W = [r is among the k best of the batch] over its mean in the batch: SFT on the k best.

    RAFT's ranking (arXiv 2304.06767), over a batch. Rows that tie with the k-th are kept too: with
    0/1 verdicts and fewer than k correct in the batch that is every row, the wrong ones as well,
    each with weight 1.
    """
    bar = batch_reward.topk(min(k, len(batch_reward))).values[-1]
    return (reward >= bar) / (batch_reward >= bar).to(reward.dtype).mean()


@objective("rft")
def rft(logp: Tensor) -> Tensor:
    """W = 1, on rows that are the model's own answers, verified correct: arXiv 2304.06767."""
    return logp.new_ones(())


@objective("asft")
def asft(logp: Tensor, kl_weight: float = 0.05) -> Tensor:
    """W = p_theta(y_t), plus kl_weight * KL(p_ref || p_theta): arXiv 2509.23753.

    The KL's direction is that of the authors' code (github.com/zhuchichi56/ASFT), the weight its
    README's: DFT, anchored against drift from the starting model.
    """
    return logp.exp()


@objective("sft-kl")
def sft_kl(logp: Tensor, kl_weight: float = 0.05) -> Tensor:
    """W = 1, plus the KL of asft: `sft+kl` of the same code."""
    return logp.new_ones(())


@objective("dft+sft")
def dft_and_sft(logp: Tensor, alpha: float = 0.1) -> Tensor:
    """W = alpha + (1 - alpha) p_theta(y_t): the same code's mixture and default alpha."""
    return alpha + (1 - alpha) * logp.exp()
