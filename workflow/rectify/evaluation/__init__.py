"""A model's answers, their verdicts, and the probabilities it gives to the training tokens.

    decode                 * answers to every benchmark
    score                  * verdicts on them
    measure_probabilities  * of the training tokens, counted
    measure_divergence     * how far a model has gone from its base model
    choose_model           * the best of several learning rates
    weigh_rows             * what an objective hardly learns from
    engines                vLLM, transformers
    knowledge              what a base model knows of the training rows
    loops                  whether an answer ends in a loop
    seeds                  a random stream for every sample
    tokens                 their classes and probabilities

* a step: rectify STEP
"""
