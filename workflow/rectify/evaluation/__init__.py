"""A model's answers with their verdicts, and the probabilities it gives to the training tokens."""
