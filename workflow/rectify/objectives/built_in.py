"""Training objectives: one per-token NLL, many weights.

Every objective is a function that gives each response token a weight w; the loss is

    sum(stop_gradient(w) * nll * mask) / N,        nll[b, t] = -log p_theta(y_t | y_<t, x)

with N chosen by the accumulation rule (see rectify.objectives.loss). A function is given what it
names among rectify.objectives.inputs.GIVEN, all without gradient; B sequences are those of one
micro-batch, n those of the whole optimiser batch, over all processes. Its other arguments are
parameters with defaults, which a study sets under a method's `parameters:`. The result is
broadcastable to [B, T], dimensionless.

Three parameters the trainer reads, too. `kl_weight` adds kl_weight * KL(p_ref || p_theta), in nats,
of every response token's distribution over the whole vocabulary to the loss, inside the same sum
and over the same N. `updates` is the number of optimiser steps that `old_logp` is kept for, or
`rounds` the number of times that it is read, evenly over the training. A function that names
`entropy_top_k` or `top_k_mass` has a parameter `k`.

To add an objective, write a function in a file of your own and name it in a study as
`path/to/file.py:function` (config/objectives/example.py is one). (Tensor methods serve; torch
itself is not imported, so that a study's names are checked in milliseconds.)
"""

from __future__ import annotations

from rectify.objectives.rules import certainty, likelihood, mode_seeking, ratios, rewards, tokens
from rectify.objectives.rules.table import RULES

FAMILIES = (likelihood, tokens, certainty, ratios, mode_seeking, rewards)  # in this order

OBJECTIVES = {
    name: rule.weight
    for family in FAMILIES
    for name, rule in RULES.items()
    if rule.weight.__module__ == family.__name__
}
