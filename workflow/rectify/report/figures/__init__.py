"""Figures, named as in a study, each with its points as CSV.

    plot_figure  * one of them
    figure1      accuracy over training
    figure2      token probabilities on the training set
    figure3      learning rates and batch sizes
    monitors     the weights over training
    gallery      weight by probability, and what it does
    findings     in how many pretrainings a finding comes out
    style        what all look like

* a step: rectify STEP
"""
