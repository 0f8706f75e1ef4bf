"""Base models, and what a model reads: tokenizer, prompts, stops."""
