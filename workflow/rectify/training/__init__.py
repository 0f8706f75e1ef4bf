"""Fine-tuning with an objective: from the command line to a model folder.

    train              * fine-tune, pretrain
    launch             * on the GPUs of a job
    run                command line, number of steps, run to the end
    trainer            the loop: transformers.Trainer with a weighted token loss
    trainer_arguments  a study's training block for it
    old_policy         older weights, for several updates
    batches            rows that fit, their order, micro-batches, padding
    reference_model    the frozen starting model
    callbacks          log, checkpoints, a stop when asked
    monitors           the statistics of a log's row
    checkpoints        what a run resumes from
    distributed        the processes that train together

* a step: rectify STEP
"""
