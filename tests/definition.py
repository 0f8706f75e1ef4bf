"""The loss from full logits, spelled out: what the tests hold objectives to."""

import math

import torch
from rectify.objectives.inputs import DISTRIBUTION
from rectify.objectives.signature import load_objective, parameters_of, weigh
from torch.distributions import Categorical
from torch.nn import functional as F

DOUBLE = {"dtype": torch.float64}
FIXED = {
    "mode-seeking": {"gamma": 0.4, "kl_coef": 0.1},
    "mode-seeking-linear": {"gamma": 0.4},
    "mode-seeking-clipped": {"gamma": 0.4},
    "mode-seeking-distance": {"scale": 2.0},
    "mode-seeking-growing": {"gamma": 0.6},
    "reward-exponential": {"beta": 0.5},
    "reward-power": {"beta": 2.0},
    "reward-top-k": {"k": 2},
    "reward-top-share": {"k_ratio": 0.25},
    "reward-truncated": {"beta": 0.5, "r_max": 0.3},
    "reward-alpha": {"alpha": 2.0, "beta": 0.5},
    "reward-variational": {"beta": 0.5, "rounds": 2},
    "iw-sft": {"temperature": 0.7},
    "dft+sft": {"alpha": 0.3},
    "asft-target": {"anchor": 0.2},
    "dft-power": {"q": 3.0},
    "eaft": {"k": 5, "alpha": 1.5},
    "idft": {"beta": 2.0, "warmup": 0.4, "transition": 0.2},
    "sed-sft": {"k": 3, "threshold": 0.7},
    "talr": {"floor": 0.05},
    "pear": {"gamma": 0.5, "block": 2},
}  # parameters where no sample size decides them


def pick(logp, targets):
    """Log p of the targets: [B, T, V] log-probabilities, [B, T] -> [B, T]."""
    return logp.gather(-1, targets.clamp(min=0)[..., None])[..., 0]


def scalars_of(logits, targets, k=None):
    """The scalars of each token's distribution from its full logits: [B, T, V], [B, T]."""
    every = Categorical(logits=logits)
    best = every.probs.sort(dim=-1, descending=True).values[..., :k]
    own = pick(logits, targets)[..., None]
    found = {
        "entropy": every.entropy(),
        "concentration": (every.probs**2).sum(-1),
        "p_max": every.probs.max(-1).values,
        "mass": every.probs.masked_fill(logits > own, 0).sum(-1),
        "entropy_top_k": Categorical(probs=best).entropy(),
        "top_k_mass": best.sum(-1),
    }
    assert found.keys() == DISTRIBUTION.keys()
    return found


def nan_off(values, mask):
    """The values of a batch that is one micro-batch, as an objective has them of a whole batch."""
    return values.masked_fill(~mask, math.nan)


def all_given(logp, mask, ref_logp=None, reward=None, **others):
    """All that an objective may take, for a batch that is one micro-batch.

    What is not given is something that a test does not look at.
    """
    names = [*DISTRIBUTION, *(f"ref_{name}" for name in DISTRIBUTION), "uniform"]
    made_up = {name: torch.full_like(logp, 0.7) for name in names}
    made_up |= {"step": torch.tensor(8.0, **DOUBLE), "progress": torch.tensor(0.5, **DOUBLE)}
    found = {**made_up, "logp": logp, "mask": mask, "batch_logp": nan_off(logp, mask)}
    if ref_logp is not None:
        log_ratio = ((logp - ref_logp) * mask).sum(1)
        found |= {"ref_logp": ref_logp, "batch_log_ratio": log_ratio}
        found |= {"batch_ref_logp": nan_off(ref_logp, mask), "behaviour_logp": ref_logp}
        found |= {"old_logp": ref_logp}
    if reward is not None:
        found |= {"reward": reward, "batch_reward": reward.flatten()}
        found |= {"train_reward": reward.flatten()}
    found |= others
    if "old_logp" in found:
        found["batch_old_logp"] = nan_off(found["old_logp"], mask)
    return found


def weights(name, logp, mask, ref_logp=None, reward=None, others=None, **parameters):
    """An objective's weights, [B, T]."""
    given = all_given(logp, mask, ref_logp, reward, **(others or {}))
    return weigh(load_objective(name, parameters), given)


def given_of(name, logits, targets, ref_logits=None, others=None, **parameters):
    """What an objective takes of full logits of a model and of its reference, without gradient."""
    k = parameters_of(load_objective(name, parameters)).get("k")
    found = scalars_of(logits.detach(), targets, k)
    if ref_logits is not None:
        of_reference = scalars_of(ref_logits, targets, k)
        found |= {f"ref_{key}": values for key, values in of_reference.items()}
    return found | (others or {})


def loss_of(name, logits, targets, mask, ref_logits=None, reward=None, others=None, **parameters):
    """(sum(stop_gradient(w) nll mask) + kl_weight KL) / N from full logits, spelled out."""
    logp = logits.log_softmax(-1)
    nll = -pick(logp, targets)
    ref = None if ref_logits is None else ref_logits.log_softmax(-1)
    ref_logp = None if ref is None else pick(ref, targets)
    others = given_of(name, logits, targets, ref_logits, others, **parameters)
    weight = weights(name, -nll.detach(), mask, ref_logp, reward, others, **parameters)
    total = (weight * nll * mask).sum()
    if kl_weight := parameters_of(load_objective(name, parameters)).get("kl_weight"):
        kl = F.kl_div(logp, ref, log_target=True, reduction="none").sum(-1)
        total = total + kl_weight * (kl * mask).sum()
    return total / mask.sum()
