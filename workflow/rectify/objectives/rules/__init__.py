"""The weights of a token's NLL, by family.

table         a rule's entry: formula, source, ranges
likelihood    SFT, DFT and their kin
tokens        functions of the token's probability
certainty     by the whole distribution, or the batch
ratios        to the reference, older weights, the writer
mode_seeking  to the reference, over the batch
rewards       by the row's reward
sums          over a sequence; the sharpest weights
"""
