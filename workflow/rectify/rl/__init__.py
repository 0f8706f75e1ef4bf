"""Training on preferences and on rewards: DPO, GRPO, PPO."""
