"""What fine-tuning minimises: DFT is here.

    list_objectives  * every one with formula, source and variants
    built_in         all of them by name, and what an objective is
    inputs           what an objective may be given
    table            a rule's entry: formula, source, ranges
    likelihood       SFT, DFT and their kin
    tokens           functions of the token's probability
    certainty        by the whole distribution, or the batch
    ratios           to the reference, older weights, the writer
    mode_seeking     to the reference, over the batch
    rewards          by the row's reward
    sums             over a sequence; the sharpest weights
    signature        an objective found, checked and called, a user's own too
    loss             the forward pass to per-token NLLs, and what their sum is divided by
    chunked          NLL, KL and scalars without full logits
    distribution     scalars of a distribution
    variants         where implementations differ
    closed_form      the best linear policy in one step

* a step: rectify STEP
"""
