"""Functions that have the objectives' gradients when they are differentiated as they stand."""

import math
import statistics
from functools import partial

import torch
from definition import FIXED, given_of, pick


def kl_of(logits, ref_logits):
    """KL(p_ref || p) of every token, as torch.distributions has it."""
    pair = (torch.distributions.Categorical(logits=each) for each in (ref_logits, logits))
    return torch.distributions.kl_divergence(*pair)


def in_turn(values, mask, function):
    """`function` of each sequence's response tokens, summed over sequences."""
    return sum(function(row[keep]) for row, keep in zip(values, mask, strict=True))


def by_reward(rule):
    """-w log p with w from each sequence's reward: `rule` of a list of floats gives g(r)."""

    def surrogate(logp, mask, reward, **_):
        raw = rule(reward.flatten().tolist())
        weight = torch.tensor([len(raw) * g / sum(raw) for g in raw], dtype=logp.dtype)
        return -(weight[:, None] * logp * mask).sum()

    return surrogate


def iw_sft_surrogate(logp, ref_logp, mask, **_):
    """D exp(t m) = t exp(t m) dm with m a mean over n tokens; linear where clipped."""

    def one(difference):
        mean = 0.7 * difference.mean()
        clipped = mean.exp() > 16
        return -16 * difference.sum() if clipped else -len(difference) / 0.7 * mean.exp()

    return in_turn(logp - ref_logp, mask, one)


def iw_sft_token_surrogate(logp, ref_logp, mask, **_):
    """The ratio itself where it is not clipped, else the bound times log p."""
    ratio = (logp - ref_logp).exp()
    bound = ratio.detach().clamp(0.2, 1.8)
    return -torch.where(bound == ratio, ratio, bound * logp)[mask].sum()


def mode_seeking_surrogate(logp, ref_logp, mask, **_):
    """-(n / gamma) log sum_b r_b^gamma, and the KL term, linear in log p."""
    ratio = ((logp - ref_logp) * mask).sum(1)
    mode = -len(ratio) / 0.4 * (0.4 * ratio).exp().sum().log()
    return mode + 0.1 * (logp - ref_logp)[mask].sum()


def mode_seeking_linear_surrogate(logp, ref_logp, mask, **_):
    """1 - gamma of the likelihood, gamma of n log sum_b r_b."""
    ratio = ((logp - ref_logp) * mask).sum(1)
    return -0.6 * logp[mask].sum() - 0.4 * len(ratio) * ratio.exp().sum().log()


def mode_seeking_growing_surrogate(logp, ref_logp, mask, **_):
    """At half the training, where gamma is 0.3."""
    ratio = ((logp - ref_logp) * mask).sum(1)
    return -len(ratio) / 0.3 * (0.3 * ratio).exp().sum().log()


def by_sequence(rule):
    """-w log p with a weight for each sequence: `rule` of its response's floats, over the mean.

    rule(logp, ref_logp, old_logp, reward) of lists of floats gives g; then `bounds` may clip.
    """

    def surrogate(logp, ref_logp, old_logp, mask, reward, bounds=(0, math.inf), **_):
        raw = []
        for row, keep in enumerate(mask):
            lists = ((each[row][keep]).tolist() for each in (logp, ref_logp, old_logp))
            raw.append(rule(*lists, reward[row].item()))
        weight = [min(max(len(raw) * g / sum(raw), bounds[0]), bounds[1]) for g in raw]
        return -(torch.tensor(weight, dtype=logp.dtype)[:, None] * logp * mask).sum()

    return surrogate


def distance_rule(logp, ref_logp, *_):
    """A ratio to the power of 1 / (1 + distance / 2)."""
    distance = -sum(ref_logp) / len(ref_logp)
    return math.exp((sum(logp) - sum(ref_logp)) / (1 + distance / 2))


def pear_surrogate(logp, ref_logp, mask, **_):
    """Each token's sum by hand: from its pair's first token on, half as much a token later."""
    total = 0
    for row, keep in enumerate(mask):
        own = logp[row][keep]
        ratios = (own.detach() - ref_logp[row][keep]).tolist()
        for t, value in enumerate(own):
            start = t - t % 2
            rest = sum(0.5 ** (s - start) * ratios[s] for s in range(start, len(ratios)))
            total = total - math.exp(min(max(rest, -2), 2)) * value
    return total


def idft_surrogate(logp, mask, entropy, **_):
    """p^g / g, half of the way from 1 to the clipped exponent: progress 0.5 from 0.4 to 0.6."""
    exponent = torch.exp(-(logp.detach() + entropy) / 2).clamp(0.1, 2)
    g = (1 + exponent) / 2
    return -((g * logp).exp() / g)[mask].sum()


def cayley_surrogate(logp, p, mask, **_):
    """P^a / a, from half the mean probability of the batch."""
    detached = p.detach()
    floor = detached[mask].mean() / 2
    a = floor + (1 - floor) * (1 - (1 - detached)) / (1 + (1 - detached))
    return -((a * logp).exp() / a)[mask].sum()


def sed_surrogate(logp, p, mask, top_k_mass, **_):
    """The paper's loss, its penalty's constant included."""
    penalty = 0.2 * (p**2 - p + 0.25) * (top_k_mass < 0.7)
    return (-logp + penalty)[mask].sum()


def talr_surrogate(logp, mask, **_):
    """Tau p^(1 / tau) above the floor, floor log p below; tau the lower median."""
    means = sorted(-row[keep].mean().item() for row, keep in zip(logp, mask, strict=True))
    tau = means[(len(means) - 1) // 2]
    power = (logp / tau).exp()
    return -torch.where(power > 0.05, tau * power, 0.05 * logp)[mask].sum()


# functions of (logp, p, ref_logp, mask, reward, kl, and what is given beside them) whose plain
# gradient is N times the objective's
SURROGATES = {
    "sft": lambda logp, mask, **_: -logp[mask].sum(),
    "rft": lambda logp, mask, **_: -logp[mask].sum(),
    "dft": lambda p, mask, **_: -p[mask].sum(),
    "dft-sequence": lambda p, mask, **_: -in_turn(p, mask, torch.prod),
    "dft-geometric-mean": lambda p, mask, **_: (
        -in_turn(p, mask, lambda row: len(row) * row.log().mean().exp())
    ),
    "iw-sft": iw_sft_surrogate,
    "iw-sft-token": iw_sft_token_surrogate,
    "mode-seeking": mode_seeking_surrogate,
    "mode-seeking-linear": mode_seeking_linear_surrogate,
    "mode-seeking-clipped": partial(
        by_sequence(lambda logp, ref, *_: math.exp(0.4 * (sum(logp) - sum(ref)))),
        bounds=(0.8, 1.27),
    ),
    "mode-seeking-distance": by_sequence(distance_rule),
    "mode-seeking-growing": mode_seeking_growing_surrogate,
    # the integral of (1 - p)^2 / p
    "focal": lambda logp, p, mask, **_: -(logp - 2 * p + p**2 / 2)[mask].sum(),
    "reward-exponential": by_reward(lambda rewards: [math.exp(r / 0.5) for r in rewards]),
    "reward-power": by_reward(lambda rewards: [(r - min(rewards)) ** 0.5 for r in rewards]),
    "reward-top-k": by_reward(lambda rewards: [float(r >= 0.5) for r in rewards]),
    "reward-top-share": by_reward(
        lambda rewards: [float(r >= sorted(rewards)[-len(rewards) // 4]) for r in rewards]
    ),
    "reward-truncated": by_reward(lambda rewards: [math.exp(min(r, 0.3) / 0.5) for r in rewards]),
    "reward-advantage": by_reward(
        lambda rewards: [
            math.exp((r - statistics.mean(rewards)) / statistics.pstdev(rewards)) for r in rewards
        ]
    ),
    "reward-alpha": by_reward(lambda rewards: [math.sqrt(1 + 2 * r / 0.5) for r in rewards]),
    "reward-variational": by_sequence(
        lambda _, ref, old, reward: math.exp(reward / 0.5 + sum(old) - sum(ref))
    ),
    "asft": lambda p, mask, kl, **_: -p[mask].sum() + 0.05 * kl[mask].sum(),
    # Schulman's estimate of KL(p || p_ref) at the target
    "asft-target": lambda logp, p, ref_logp, mask, **_: (
        -p + 0.2 * ((ref_logp - logp).exp() - 1 - (ref_logp - logp))
    )[mask].sum(),
    "sft-kl": lambda logp, mask, kl, **_: -logp[mask].sum() + 0.05 * kl[mask].sum(),
    "dft+sft": lambda logp, p, mask, **_: -(0.3 * logp + 0.7 * p)[mask].sum(),
    "dft-power": lambda p, mask, **_: ((1 - p**3) / 3)[mask].sum(),
    "dft-sqrt": lambda p, mask, **_: -2 * p.sqrt()[mask].sum(),
    "dft-floor": lambda logp, p, mask, **_: -torch.where(p > 0.1, p, 0.1 * logp)[mask].sum(),
    "profit": lambda logp, p, mask, **_: -logp[mask & (p > 0.1)].sum(),
    "profit-lower": lambda logp, p, mask, **_: -logp[mask & (p < 0.1)].sum(),
    "profit-middle": lambda logp, p, mask, **_: -logp[mask & (p > 0.1) & (p < 0.9)].sum(),
    "profit-random": lambda logp, mask, uniform, **_: -logp[mask & (uniform > 0.1)].sum(),
    "trsft": lambda p, mask, **_: -(p / p.detach().clamp(min=0.1))[mask].sum(),
    "gft": lambda logp, p, mask, **_: -torch.where(p > 0.5, logp, p)[mask].sum(),
    "chord": lambda p, mask, **_: -(p - p**2 / 2)[mask].sum(),
    "eaft": lambda logp, mask, entropy_top_k, **_: -((entropy_top_k / 3) ** 1.5 * logp)[mask].sum(),
    "idft": idft_surrogate,
    "deft": lambda logp, mask, concentration, **_: (
        -((concentration * logp).exp() / concentration)[mask].sum()
    ),
    "deft-cayley": cayley_surrogate,
    "sed-sft": sed_surrogate,
    "talr": talr_surrogate,
    "prift": lambda logp, ref_logp, mask, **_: -(ref_logp.exp() * logp)[mask].sum(),
    "prift-mass": lambda logp, mask, ref_mass, **_: -logp[mask & (ref_mass >= 0.5)].sum(),
    "psft": lambda logp, old_logp, mask, **_: -(logp - old_logp).exp().clamp(max=1.28)[mask].sum(),
    "pear": pear_surrogate,
}


def gradient_by_surrogate(name, logits, targets, mask, ref_logits, reward, others):
    """The gradient that an objective has to have, by autograd on its surrogate."""
    logp = pick(logits.log_softmax(-1), targets)
    ref_logp = pick(ref_logits.log_softmax(-1), targets)
    kl = kl_of(logits, ref_logits)
    given = given_of(name, logits, targets, ref_logits, others, **FIXED.get(name, {}))
    given |= {"logp": logp, "p": logp.exp(), "ref_logp": ref_logp, "kl": kl}
    value = SURROGATES[name](**given, mask=mask, reward=reward)
    return value / mask.sum()
