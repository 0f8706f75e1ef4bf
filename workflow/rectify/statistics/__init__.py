"""From verdicts to numbers: the cells of tables and their comparison."""
