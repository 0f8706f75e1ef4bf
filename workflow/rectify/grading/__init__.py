"""The grader, for anybody's rows: two verdicts for every sample, never a hang, nothing executed."""
