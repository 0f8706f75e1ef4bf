"""The loss from full logits, spelled out: what the tests hold objectives to."""

import torch
from rectify.objectives.signature import load_objective, parameters_of, weigh
from torch.nn import functional as F

DOUBLE = {"dtype": torch.float64}
FIXED = {
    "mode-seeking": {"gamma": 0.4, "kl_coef": 0.1},
    "reward-exponential": {"beta": 0.5},
    "reward-power": {"beta": 2.0},
    "reward-top-k": {"k": 2},
    "iw-sft": {"temperature": 0.7},
    "dft+sft": {"alpha": 0.3},
}  # parameters where no sample size decides them


def pick(logp, targets):
    """Log p of the targets: [B, T, V] log-probabilities, [B, T] -> [B, T]."""
    return logp.gather(-1, targets.clamp(min=0)[..., None])[..., 0]


def all_given(logp, mask, ref_logp=None, reward=None):
    """All that an objective may take, for a batch that is one micro-batch."""
    found = {"logp": logp, "mask": mask}
    if ref_logp is not None:
        log_ratio = ((logp - ref_logp) * mask).sum(1)
        found |= {"ref_logp": ref_logp, "batch_log_ratio": log_ratio}
    if reward is not None:
        found |= {"reward": reward, "batch_reward": reward.flatten()}
    return found


def weights(name, logp, mask, ref_logp=None, reward=None, **parameters):
    """An objective's weights, [B, T]."""
    return weigh(load_objective(name, parameters), all_given(logp, mask, ref_logp, reward))


def loss_of(name, logits, targets, mask, ref_logits=None, reward=None, **parameters):
    """(sum(stop_gradient(w) nll mask) + kl_weight KL) / N from full logits, spelled out."""
    logp = logits.log_softmax(-1)
    nll = -pick(logp, targets)
    ref = None if ref_logits is None else ref_logits.log_softmax(-1)
    ref_logp = None if ref is None else pick(ref, targets)
    weight = weights(name, -nll.detach(), mask, ref_logp, reward, **parameters)
    total = (weight * nll * mask).sum()
    if kl_weight := parameters_of(load_objective(name, parameters)).get("kl_weight"):
        kl = F.kl_div(logp, ref, log_target=True, reduction="none").sum(-1)
        total = total + kl_weight * (kl * mask).sum()
    return total / mask.sum()
