"""Figures, each with its points as CSV."""
