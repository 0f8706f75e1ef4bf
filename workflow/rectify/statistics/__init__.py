"""From verdicts to numbers: the cells of tables, and how two of them differ.

    summarise_scores  * comparisons, variances and statuses of a study
    spread            a mean's error and interval, over problems and seeds
    accuracy          average@n, pass@k
    health            length, ends and variety of answers
    retention         what is kept of what a base model could do
    overlaps          scores without problems that rows share
    pairs             two methods' scores, by problem and by seed
    comparisons       difference, interval, exact tests, Holm
    variance          what spread comes from problems, pretraining, fine-tuning, sampling
    regimes           DFT or SFT, before training
    row_names         what a row of a table is called

* a step: rectify STEP
"""
