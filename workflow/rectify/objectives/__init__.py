"""What fine-tuning minimises: DFT is here.

    list_objectives  * every one with formula, source and variants
    built_in         all of them by name, and what an objective is
    rules/           the weights, by family
    inputs           what an objective may be given
    signature        an objective found, checked and called, a user's own too
    loss             the forward pass to per-token NLLs, and what their sum is divided by
    chunked          NLL, KL and scalars without full logits
    distribution     scalars of a distribution
    variants         where implementations differ
    closed_form      the best linear policy in one step

* a step: rectify STEP
"""
