"""What is run, described by one YAML file.

    study     * check it, print it
    load      a file and what it extends
    schema    Study, and the checks of one key against another
    rows      where rows come from
    training  base models, optimisation
    methods   ways to fine-tune
    rl        DPO, GRPO, PPO
    outputs   decoding, tables, figures
    docs      JSON schema, key reference, error lines

* a step: rectify STEP
"""
