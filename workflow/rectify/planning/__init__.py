"""Before money is spent: what a study costs, and whether this machine can run it."""
