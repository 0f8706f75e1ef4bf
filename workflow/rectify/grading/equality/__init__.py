"""From value to value: whether an answer is the gold."""
