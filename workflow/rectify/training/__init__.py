"""Fine-tuning with an objective, from the command line to the finished model."""
