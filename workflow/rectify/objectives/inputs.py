"""What an objective may be given: it names what it takes among its function's arguments.

Nothing is computed that is not named. (Without torch, so that names are checked in milliseconds.)
"""

from __future__ import annotations

# scalars of the next-token distribution that a response token was drawn from, [B, T]
DISTRIBUTION = {
    "entropy": "entropy of the full distribution, nats",
    "entropy_top_k": "entropy of the `k` likeliest tokens, renormalised, nats",
    "concentration": "sum of squared probabilities",
    "top_k_mass": "probability of the `k` likeliest tokens together",
    "p_max": "probability of the likeliest token",
    "mass": "probability of all tokens no likelier than the target, itself included",
}

# the same of the reference, the frozen starting model or the one that the study names
REFERENCE = ("ref_logp", *(f"ref_{name}" for name in DISTRIBUTION))

# of each sequence of the optimiser batch, over all processes
BATCH = {
    "batch_log_ratio": "[n] sum over a sequence of `logp - ref_logp`, nats",
    "batch_reward": "[n] its reward",
    "batch_logp": "[n, T] its `logp`, NaN off the response",
    "batch_ref_logp": "[n, T] its `ref_logp`, NaN off the response",
    "batch_old_logp": "[n, T] its `old_logp`, NaN off the response",
}

GIVEN = {
    "logp": "[B, T] log-probability of each response token, nats",
    "mask": "[B, T] True on response tokens (EOS included)",
    "ref_logp": "[B, T] `logp` under the reference, the frozen starting model, nats",
    "reward": "[B, 1] the row's reward (`data.reward`)",
    **BATCH,
    "train_reward": "[m] reward of every training row",
    **{name: f"[B, T] {meaning}" for name, meaning in DISTRIBUTION.items()},
    **{f"ref_{name}": f"[B, T] `{name}` under the reference" for name in DISTRIBUTION},
    "old_logp": "[B, T] `logp` under earlier weights (parameter `updates` or `rounds`), nats",
    "behaviour_logp": "[B, T] `logp` under whoever wrote the row (`data.behaviour_logp`), nats",
    "uniform": "[B, T] numbers drawn evenly from 0 to 1 each time that a row is seen",
    "step": "[] optimiser steps taken so far",
    "progress": "[] their share of all, 0 at the start",
}
# what each of these is made of, where the objective does not name that itself
MADE_OF = {
    "batch_log_ratio": "ref_logp",
    "batch_ref_logp": "ref_logp",
    "batch_old_logp": "old_logp",
}

# a function that names one of the first needs one of these parameters
NEEDS_PARAMETER = [
    ({"entropy_top_k", "top_k_mass", "ref_entropy_top_k", "ref_top_k_mass"}, {"k"}),
    ({"old_logp", "batch_old_logp"}, {"updates", "rounds"}),
]
