"""What fine-tuning minimises: DFT is here.

built_in   each objective's weights, by name
signature  an objective found, checked and called, a user's own too
loss       the forward pass to per-token NLLs, and what their sum is divided by
chunked    NLL and KL without full logits
"""
