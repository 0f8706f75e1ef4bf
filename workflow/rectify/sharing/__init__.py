"""What leaves the house: model cards, uploads, bundles, references, kept base models."""
