"""What a row of a table is called."""

from __future__ import annotations


def row_name(method: str, setting: str) -> str:
    """A table's row as claims name it: the method, and the setting where it is not plain SFT's."""
    return method if setting in ("-", "sft") else f"{method} {setting}"
