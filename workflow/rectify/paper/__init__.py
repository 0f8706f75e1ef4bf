"""What the paper prints, shows and claims, and whether it holds here.

    published     its numbers
    attainable    what a count of right samples can give
    audit         * its numbers against each other
    figure        what a figure is, and all of them
    curves        what those over training share
    figures/      a module for each
    style         what all look like
    plot_figure   * one, drawn, with its points as CSV
    claims_file   its claims as written down
    evidence      a test of each kind
    judge_claims  * a verdict on each claim

* a step: rectify STEP
"""
