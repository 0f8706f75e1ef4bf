"""Tables.

    tabulate_scores     * average@n, laid out as in the paper
    tabulate_health     * how answers are, right or wrong
    tabulate_overlaps   * the same without the problems that training rows share
    tabulate_retention  * what training has not hurt
    tabulate_rates      * learning rates that were chosen among
    list_disagreements  * where the two verdicts differ
    markdown            texts
    latex               texts
    shortfall           rows that are not above their base model

* a step: rectify STEP
"""
