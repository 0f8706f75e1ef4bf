"""Weights by the row's reward: the same for all its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rectify.objectives.rules.sums import sequence_sum, sharpest
from rectify.objectives.rules.table import ANY, COUNT, UNIT, objective

if TYPE_CHECKING:
    from torch import Tensor

HERE = "defined here"
ABOVE = (1e-3, float("inf"))  # beta: 1 / beta is an exponent
SHARPEST_REWARD = 100.0  # 1 / beta is at most this where beta is found by ESS


def over_mean(own: Tensor, batch: Tensor) -> Tensor:
    """Weights over their mean in the batch: [B, 1], [n] -> [B, 1]; 0 where all are 0."""
    mean = batch.mean()
    return own / mean if mean > 0 else own * 0


@objective(
    "reward-exponential",
    "n softmax_b(r / beta)",
    "arXiv 1910.00177, with the reward for the advantage",
    differs="beta, where it is not set, is the smallest whose ESS ratio is at least ess_min",
    beta=ABOVE,
    ess_min=UNIT,
)
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


@objective(
    "reward-power",
    "(r - r_min)^(1 / beta) over its mean in the batch",
    HERE,
    differs="beta as there",
    beta=ABOVE,
    ess_min=UNIT,
)
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


@objective(
    "reward-top-k",
    "[r among the k best of the batch] over its mean",
    "arXiv 2304.06767, over a batch",
    k=COUNT,
)
def reward_top_k(reward: Tensor, batch_reward: Tensor, k: int = 32) -> Tensor:
    """W = [r is among the k best of the batch] over its mean in the batch: SFT on the k best.

    RAFT's ranking (arXiv 2304.06767), over a batch. Rows that tie with the k-th are kept too: with
    0/1 verdicts and fewer than k correct in the batch that is every row, the wrong ones as well,
    each with weight 1.
    """
    bar = batch_reward.topk(min(k, len(batch_reward))).values[-1]
    return (reward >= bar) / (batch_reward >= bar).to(reward.dtype).mean()


@objective(
    "reward-top-share",
    "[r among the best k_ratio of all training rows] over its mean",
    "arXiv 2304.06767, over the training rows",
    k_ratio=(1e-6, 1.0),
)
def reward_top_share(reward: Tensor, train_reward: Tensor, k_ratio: float = 0.25) -> Tensor:
    """W = [r is among the best k_ratio of all training rows] over its mean among them.

    Rows that tie with the last of them are kept too.
    """
    bar = train_reward.topk(max(1, round(k_ratio * len(train_reward)))).values[-1]
    return over_mean((reward >= bar).to(reward.dtype), (train_reward >= bar).to(reward.dtype))


@objective(
    "reward-truncated",
    "exp(min(r, r_max) / beta) over its mean in the batch",
    HERE,
    beta=ABOVE,
    r_max=ANY,
)
def reward_truncated(
    reward: Tensor, batch_reward: Tensor, beta: float = 0.5, r_max: float = 1.0
) -> Tensor:
    """W = exp(min(r, r_max) / beta) over its mean: no reward above r_max counts for more."""
    own, batch = (values.clamp(max=r_max) / beta for values in (reward, batch_reward))
    return len(batch) * (own - batch.logsumexp(0)).exp()


@objective(
    "reward-advantage",
    "exp((r - mean) / sd) over its mean in the batch",
    HERE,
    differs="mean and sd (of the population) are the batch's",
)
def reward_advantage(reward: Tensor, batch_reward: Tensor) -> Tensor:
    """W = exp((r - mean) / sd) over its mean in the batch; 1 where all rewards are equal."""
    deviation = batch_reward.std(correction=0)
    if deviation == 0:
        return reward.new_ones(())
    own, batch = reward / deviation, batch_reward / deviation  # the mean cancels
    return len(batch) * (own - batch.logsumexp(0)).exp()


@objective(
    "reward-alpha",
    "[1 + alpha r / beta]_+^(1 / alpha) over its mean in the batch",
    HERE,
    alpha=(1e-3, float("inf")),
    beta=ABOVE,
)
def reward_alpha(
    reward: Tensor, batch_reward: Tensor, alpha: float = 0.5, beta: float = 0.5
) -> Tensor:
    """W = [1 + alpha r / beta]_+^(1 / alpha) over its mean: best under an alpha-divergence.

    reward-exponential is its limit at alpha = 0. Rows with r <= -beta / alpha have no weight.
    """
    own, batch = (1 + alpha * values / beta for values in (reward, batch_reward))
    return over_mean(*(values.clamp(min=0) ** (1 / alpha) for values in (own, batch)))


@objective(
    "reward-variational",
    "n softmax_b(r / beta + sum_t log(p_old / p_ref))",
    HERE,
    differs="the target is re-estimated from the model at the start of each of `rounds` equal "
    "parts of the training, each a weighted maximum likelihood on rows that the reference wrote",
    beta=ABOVE,
    rounds=COUNT,
)
def reward_variational(
    reward: Tensor,
    mask: Tensor,
    ref_logp: Tensor,
    old_logp: Tensor,
    batch_reward: Tensor,
    batch_ref_logp: Tensor,
    batch_old_logp: Tensor,
    beta: float = 1.0,
    rounds: int = 3,
) -> Tensor:
    """W = n softmax(r / beta + sum_t log(p_old / p_ref)): the model's own target, step by step.

    The target of a round is proportional to the model at its start times exp(r / beta); the rows
    are the reference's, so that the ratio of the two is in the weight. The first round is
    reward-exponential.
    """
    own = reward / beta + sequence_sum(old_logp - ref_logp, mask)
    batch = batch_reward / beta + (batch_old_logp - batch_ref_logp).nansum(dim=1)
    return len(batch) * (own - batch.logsumexp(0)).exp()
