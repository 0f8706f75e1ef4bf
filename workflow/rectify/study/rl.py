"""Blocks of the methods that learn from preferences and rewards: DPO, GRPO, PPO.

The paper trained DPO with ms-swift, GRPO and PPO with verl, and prints learning rate 1e-6 for all
three; DPO's batch 128 and warm-up 0.05; GRPO's and PPO's batch 256 and warm-up 0.1; GRPO's n = 4.
What it does not print has, for the keys below, the framework's own default: verl's are those of
verl/trainer/config/ppo_trainer.yaml at commit 008db45, ms-swift's of
swift/llm/argument/rlhf_args.py at commit 6904832. Which versions the paper used is not known.
Everything else (schedule, AdamW's betas and weight decay, clipping of gradients) is the study's
`training` block, as for every method, and not those frameworks' default.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rectify.step.blocks import Block, Positive, Share

NotNegative = Annotated[float, Field(ge=0)]
AboveZero = Annotated[float, Field(gt=0)]


class DPO(Block):
    """Direct preference optimisation."""

    beta: AboveZero = 0.1
    """strength of the pull to the reference; 0.1 is ms-swift's default, and TRL's (ms-swift at that
    commit also adds the chosen answer's NLL, rpo_alpha 1; this does not)"""


class GRPO(Block):
    """Group relative policy optimisation."""

    samples: Annotated[int, Field(ge=2)] = 4
    """answers to each question, of which each is measured by the others; printed in the paper"""
    clip: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """how far the ratio to the policy that drew an answer counts (verl: clip_ratio); one update is
    made of each draw, so that the ratio is 1 and this never acts"""
    kl: NotNegative = 0.001
    """weight in the loss of the KL divergence from the reference, estimated as in the GRPO paper
    (verl: kl_loss_coef, kl_loss_type low_var_kl, which its GRPO scripts switch on)"""
    max_new_tokens: Positive = 3072
    """longest answer, with its prompt at most training.max_length; not printed in the paper, and
    no default of verl's (512) but the room that a context of 4,096 tokens leaves"""
    temperature: AboveZero = 1.0
    """of the answers drawn (verl: rollout.temperature)"""


class PPO(Block):
    """Proximal policy optimisation."""

    clip: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """how far the ratio to the policy that drew an answer counts (verl: clip_ratio)"""
    value_clip: AboveZero = 0.5
    """how far a step moves the values that the critic's loss sees (verl: cliprange_value)"""
    kl: NotNegative = 0.001
    """weight in the reward of log p - log p_ref of each token (verl: kl_ctrl.kl_coef; used there
    only with use_kl_in_reward, which is off by default)"""
    gamma: Share = 1.0
    """discount per token (verl: algorithm.gamma)"""
    lam: Share = 1.0
    """lambda of generalised advantage estimation (verl: algorithm.lam)"""
    epochs: Positive = 1
    """passes over the answers of a step (verl: ppo_epochs)"""
    mini_batches: Positive = 1
    """updates in each pass, a divisor of batch_size; 1 where verl's ppo_mini_batch_size (256) is
    the paper's batch"""
    value_learning_rate: AboveZero = 1e-5
    """of the critic (verl: critic.optim.lr)"""
    max_new_tokens: Positive = 3072
    """longest answer, with its prompt at most training.max_length; see GRPO's"""
    temperature: AboveZero = 1.0
    """of the answers drawn (verl: rollout.temperature)"""
