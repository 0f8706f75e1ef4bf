"""Training on preferences and on rewards.

    dpo           * on pairs of a correct and a wrong answer
    grpo          * on answers drawn and graded, in groups
    ppo           * on answers drawn and graded, with a critic
    questions     what is asked, and a run that learns from the answers
    rewards       the grader as reward
    rollout       answers drawn while a model is trained
    actor_critic  PPO's networks
    ppo_loss      PPO's formulas

* a step: rectify STEP
"""
