"""How grading can end, and how it is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

STATUSES = ("ok", "no_answer", "unparsable", "timeout", "memory", "crash")
TIMEOUT_SHARE = 0.01  # a cell with more timeouts than this is flagged


def counts_of(statuses: pd.Series) -> dict[str, int]:
    """How many of some samples' statuses are which."""
    return statuses.value_counts().reindex(STATUSES, fill_value=0).to_dict()


def status_note(counts: dict[str, int]) -> str:
    """Counts by status as a table's note has them: "12 no_answer, 1 timeout of 640 samples"."""
    bad = ", ".join(f"{n} {status}" for status, n in counts.items() if n and status != "ok")
    return f"{bad or 'all ok'} of {sum(counts.values())} samples"


def too_many_timeouts(counts: dict[str, int]) -> bool:
    """Whether more than 1 % of a cell's samples timed out."""
    return counts["timeout"] > TIMEOUT_SHARE * sum(counts.values())
